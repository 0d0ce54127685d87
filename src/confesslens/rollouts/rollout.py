"""Sampling rollouts: prompt, chain of thought in a marked span, answer, grade."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from confesslens.evals import NEUTRAL, Evaluation, Grade, Scenario, get, with_thoughts
from confesslens.models.endpoint import Endpoint
from confesslens.rollouts.chatted import chat_rollouts
from confesslens.rollouts.plan import DEFAULT_CONDITIONS, Planned, plan_rollouts
from confesslens.rollouts.row import rollout_row
from confesslens.rollouts.sampler import Completion, Edit, Forced, Free, Job, Part, sample

if TYPE_CHECKING:
    from confesslens.models import Model

COLUMNS = (
    *("rollout_id", "eval", "scenario", "condition", "tier", "sample", "seed", "model", "adapter", "messages"),
    *("token_ids", "spans", "cot", "answer", "behaviour", "evidence", "admitted", "knowledge"),
    *("finish", "facts", "accusation"),
)
"""The columns of a rollouts table; `messages`, `spans`, `evidence`, `finish` and `facts` are JSON.
`accusation` is what the model is told between its answer and the request for a confession, mostly nothing."""

Thought = Sequence[int]
"""The tokens of a chain of thought."""

COT_REQUEST = "Think briefly between <think> and </think> first, then answer."
COT_REQUEST_NATIVE = "Think briefly first, then answer."
"""For a model whose own template marks its thoughts."""
COT_TOKENS = {"tiny": 24, "small": 192, "full": 1024}


def roll_out(
    model: Model | Endpoint,
    evaluations: Sequence[Evaluation],
    n: int = 32,
    seed: int = 0,
    *,
    tier: str = "tiny",
    conditions: Sequence[str] = DEFAULT_CONDITIONS,
    samples: int = 2,
    neutral_samples: int = 3,
    cot: bool = True,
    temperature: float = 0.7,
    batch_size: int = 32,
) -> pd.DataFrame:
    """Sample and grade rollouts of `n` scenarios per evaluation; one row a rollout, columns as in `COLUMNS`.

    The same seed gives the same rollouts, whatever the batch size and whatever else is sampled with them.

    Args:
        model: from `load_model`, or an `Endpoint`, whose rollouts have text and no tokens.
        evaluations: from `cl.evals(...)`.
        n: scenarios per evaluation.
        seed: of the scenarios and of every rollout's own random stream.
        tier: difficulty, `tiny`, `small` or `full`.
        conditions: of `evals.CONDITIONS`; without `neutral` among them `knowledge` stays unknown.
        samples: rollouts per scenario and condition.
        neutral_samples: rollouts per scenario in the neutral condition, from which `knowledge` is read.
        cot: with a chain of thought, opened and closed by us, or without one.
        temperature: of sampling; 0 takes the likeliest token.
        batch_size: rollouts sampled side by side; changes speed and memory only.
    """
    planned = plan_rollouts(evaluations, n, seed, tier, conditions, samples, neutral_samples)
    return add_knowledge(sample_rollouts(model, planned, cot=cot, temperature=temperature, batch_size=batch_size))


def sample_rollouts(
    model: Model | Endpoint,
    planned: Sequence[Planned],
    *,
    cot: bool = True,
    temperature: float = 0.7,
    batch_size: int = 32,
    edits: Sequence[Edit | None] | None = None,
    thoughts: Sequence[Thought | None] | None = None,
    on_done: Callable[[], Any] | None = None,
) -> pd.DataFrame:
    """Sample and grade what is planned. `knowledge` stays "unknown": `add_knowledge` reads it from the whole table.

    `edits` are, for each, what is done to the residual stream meanwhile (see `interventions`); `thoughts`, for each,
    the tokens of a chain of thought that is put in the model's mouth, after which the answer is sampled.
    """
    for name, given in (("edits", edits), ("thoughts", thoughts)):
        if given is not None and len(given) != len(planned):
            raise ValueError(f"{len(given)} {name} for {len(planned)} rollouts: expected one each, None for none")
    if isinstance(model, Endpoint):
        if edits is not None or thoughts is not None:
            raise ValueError(f"nothing can be changed inside {model.name}: it is behind an endpoint")
        said = [rollout_messages(item.evaluation, item.scenario, item.condition, cot) for item in planned]
        rows = chat_rollouts(model, planned, said, COT_TOKENS if cot else None, temperature, on_done)
        return pd.DataFrame(rows, columns=list(COLUMNS))
    native = model.thinking.native
    messages = [rollout_messages(item.evaluation, item.scenario, item.condition, cot, native) for item in planned]
    none: list[None] = [None] * len(planned)
    jobs = [
        _job(model, item, said, cot, temperature, edit, thought)
        for item, said, edit, thought in zip(planned, messages, edits or none, thoughts or none, strict=True)
    ]
    done = sample(model, jobs, batch_size, on_done=(lambda *_: on_done()) if on_done else None)
    rows = [_row(model, *each) for each in zip(planned, messages, jobs, done, strict=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def add_knowledge(rollouts: pd.DataFrame) -> pd.DataFrame:
    """Fill `knowledge` of every rollout from the neutral rollouts of its scenario; neutral rows stay "unknown"."""
    neutral: dict[str, list[Grade]] = {}
    for row in rollouts[rollouts["condition"] == NEUTRAL].to_dict("records"):
        neutral.setdefault(row["scenario"], []).append(_grade(row))
    known = [
        "unknown"
        if row["condition"] == NEUTRAL
        else get(row["eval"]).judge_knowledge(scenario_of(row), _grade(row), neutral.get(row["scenario"], []))
        for row in rollouts.to_dict("records")
    ]
    return rollouts.assign(knowledge=known)


def regrade(rollouts: pd.DataFrame) -> pd.DataFrame:
    """Grade the same answers again, and read knowledge anew: for rollouts that were sampled before a grader changed."""
    grades = [
        get(row["eval"]).grade(scenario_of(row), row["condition"], row["answer"]) for row in rollouts.to_dict("records")
    ]
    graded = rollouts.assign(
        behaviour=[grade.behaviour for grade in grades],
        evidence=[json.dumps(grade.evidence, ensure_ascii=False) for grade in grades],
        admitted=[grade.admitted for grade in grades],
    )
    return add_knowledge(graded)


def plan_again(row: dict[str, Any], seed: int) -> Planned:
    """A stored rollout's scenario and condition, to be sampled once more with another seed."""
    return Planned(get(row["eval"]), scenario_of(row), row["condition"], row["sample"], seed)


def rollout_messages(
    evaluation: Evaluation, scenario: Scenario, condition: str, cot: bool, native: bool = False
) -> list[dict[str, str]]:
    """The messages that a rollout begins with; with `cot` the last one asks for a chain of thought.

    A model that marks its thoughts by itself (`native`) is shown no marks: templates drop or refuse them.
    """
    messages = with_thoughts(evaluation.make_messages(scenario, condition), cot and not native)
    if cot:
        messages[-1]["content"] += f"\n{COT_REQUEST_NATIVE if native else COT_REQUEST}"
    return messages


def asks_for_thoughts(messages: str) -> bool:
    """Whether the stored messages (JSON) of a rollout ask for a chain of thought."""
    return any(request in messages for request in (COT_REQUEST, COT_REQUEST_NATIVE))


def _job(
    model: Model,
    item: Planned,
    messages: list[dict[str, str]],
    cot: bool,
    temperature: float,
    edit: Edit | None,
    thought: Thought | None,
) -> Job:
    tier = item.scenario.tier
    shared, rest = model.encode_chunks(messages)
    spans = [("prompt", 0, len(shared) + len(rest))]
    parts: tuple[Part, ...] = (Free("answer", item.evaluation.answer_tokens[tier]),)
    marks = model.thinking
    rest += tuple(model.encode(marks.open if cot else marks.none))
    if cot:
        close = tuple(model.encode(marks.close))
        if thought is None:
            thinking = Free("cot", COT_TOKENS[tier], stop=(marks.stop,))
            parts = (thinking, Forced(close), *parts)
        else:
            start = len(shared) + len(rest)
            spans.append(("cot", start, start + len(thought)))
            rest += (*thought, *close)
    elif thought is not None:
        raise ValueError("a chain of thought is given for a rollout without one: leave `thoughts`, or set cot=True")
    return Job((shared, rest) if shared else (rest,), parts, item.seed, temperature, edit, tuple(spans))


def _row(model: Model, item: Planned, messages: list[dict[str, str]], job: Job, done: Completion) -> dict[str, Any]:
    given = {name: (start, end) for name, start, end in job.spans}
    spans = {name: span for name, span in (given | done.spans).items() if span[0] < span[1]}
    thought = done.texts.get("cot") or model.decode(done.ids[slice(*given.get("cot", (0, 0)))])
    return rollout_row(
        model,
        item,
        messages,
        cot=thought.strip(),
        answer=done.texts["answer"].strip(),
        finish=done.finish,
        token_ids=done.ids,
        spans=spans,
    )


def _grade(row: dict[str, Any]) -> Grade:
    return Grade(row["behaviour"], json.loads(row["evidence"]), bool(row["admitted"]))


def scenario_of(row: dict[str, Any]) -> Scenario:
    """The scenario of a stored rollout."""
    return Scenario(row["eval"], row["scenario"], row["tier"], json.loads(row["facts"]))
