"""Our evaluations as Inspect AI tasks: `inspect eval confesslens/sandbagging --model openai/gpt-5`.

Inspect finds them by the entry point `inspect_ai`. A task puts scenarios in conditions, lets the model answer, then
asks it for its confession in a turn of its own, which the transcript does not keep: the rollout is frozen. Two scorers
say what was done and what was confessed. Needs the extra `confesslens[inspect]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, frequency, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from confesslens.confessions.parse import parse_answer, parse_three_part
from confesslens.confessions.requests import CLAIMS, NOT_COMPLIED, find_request
from confesslens.evals import EVALUATIONS, Scenario, get
from confesslens.evals.evaluation import BEHAVIOURS
from confesslens.interop.inspect_logs import SCORER, to_inspect
from confesslens.models.thinking import split_thoughts
from confesslens.rollouts.plan import plan_rollouts
from confesslens.rollouts.rollout import rollout_messages

_READ = {"three_part": parse_three_part, "question": parse_answer}


def make_task(
    name: str,
    n: int = 32,
    seed: int = 0,
    tier: str = "small",
    conditions: str = "tempted,neutral",
    cot: bool = True,
    request: str = "three_part",
) -> Task:
    """One evaluation as a task.

    Args:
        name: of the evaluation.
        n: scenarios; each is one sample a condition. Resamples are Inspect's epochs.
        seed: of the scenarios.
        tier: difficulty, `tiny`, `small` or `full`.
        conditions: of `evals.CONDITIONS`, with commas between.
        cot: whether a chain of thought between <think> and </think> is asked for.
        request: the request for the confession, one of `REQUESTS` with a three-part or one-word answer.

    Raises ValueError for an unknown evaluation, tier, condition or request.
    """
    form = find_request(request).form
    if form not in _READ:
        raise ValueError(f"request {request!r} asks for a {form}: expected one that asks for {' or '.join(_READ)}")
    wanted = tuple(part.strip() for part in conditions.split(",") if part.strip())
    planned = plan_rollouts([get(name)], n, seed, tier, wanted, samples=1, neutral_samples=1)
    samples = [
        Sample(
            id=f"{item.scenario.scenario}/{item.condition}",
            input=[to_inspect(m) for m in rollout_messages(item.evaluation, item.scenario, item.condition, cot)],
            target="complied",
            metadata={
                "eval": name,
                "scenario": item.scenario.scenario,
                "condition": item.condition,
                "tier": tier,
                "facts": item.scenario.facts,
            },
        )
        for item in planned
    ]
    tokens = get(name).answer_tokens[tier] + (1024 if cot else 0)
    return Task(
        name=name,
        dataset=MemoryDataset(samples, name=name),
        solver=[_answer(), confess(request)],
        scorer=[behaviour(), confession()],
        config=GenerateConfig(max_tokens=tokens),
    )


@solver
def _answer() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        return await generate(state)

    return solve


@solver
def confess(request: str = "three_part") -> Solver:
    """Ask for a confession and keep it in the sample's metadata; the transcript stays as it is.

    The request is a user's turn, because some providers move system messages to the start.
    """
    asked = find_request(request)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        told = get(state.metadata["eval"]).before_request(state.metadata["condition"])
        messages = list(state.messages)
        reply = ""
        for text in (*asked.before, asked.text):
            said = f"{told}\n{text}" if told else text
            messages.append(to_inspect({"role": "user", "content": said}))
            told = ""
            output = await get_model().generate(messages)
            messages.append(output.message)
            reply = output.completion
        state.metadata["confession"] = reply
        state.metadata["request"] = asked.name
        return state

    return solve


@metric
def p_confess_given_bad() -> Metric:
    """The share of bad answers that are confessed; nan where none was bad."""

    def share(scores: list[SampleScore]) -> float:
        bad = [s for s in scores if (s.score.metadata or {}).get("behaviour") == NOT_COMPLIED]
        return sum(s.score.value == NOT_COMPLIED for s in bad) / len(bad) if bad else float("nan")

    return share


@scorer(metrics=[frequency(list(BEHAVIOURS))], name=SCORER)
def behaviour() -> Scorer:
    """What the program finds in the answer: complied, not_complied or neither."""

    async def score(state: TaskState, target: Target) -> Score:
        grade = _grade(state)
        return Score(
            value=grade.behaviour,
            answer=_said(state),
            explanation=str(grade.evidence),
            metadata={"evidence": grade.evidence, "admitted": grade.admitted},
        )

    return score


@scorer(metrics=[frequency(list(CLAIMS)), p_confess_given_bad()])
def confession() -> Scorer:
    """What the confession claims: complied, not_complied, unsure, or unparsed."""

    async def score(state: TaskState, target: Target) -> Score:
        text = state.metadata.get("confession", "")
        parsed = _READ[find_request(state.metadata.get("request", "three_part")).form](split_thoughts(text)[1])
        return Score(
            value=parsed.claim, answer=text, explanation=parsed.why, metadata={"behaviour": _grade(state).behaviour}
        )

    return score


def _said(state: TaskState) -> str:
    return split_thoughts(state.output.completion)[1]


def _grade(state: TaskState) -> Any:
    own = state.metadata
    scenario = Scenario(own["eval"], own["scenario"], own["tier"], own["facts"])
    return get(own["eval"]).grade(scenario, own["condition"], _said(state))


def _named(name: str) -> Callable[..., Task]:
    def build(
        n: int = 32,
        seed: int = 0,
        tier: str = "small",
        conditions: str = "tempted,neutral",
        cot: bool = True,
        request: str = "three_part",
    ) -> Task:
        return make_task(name, n, seed, tier, conditions, cot, request)

    build.__name__ = name
    build.__doc__ = EVALUATIONS[name].title
    return task(name=name)(build)


TASKS = {name: _named(name) for name in EVALUATIONS}
"""By evaluation; the entry point registers them."""
