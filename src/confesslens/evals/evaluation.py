"""The shapes that every evaluation shares: a scenario, a grade, the evaluation itself, and how scenarios are drawn."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from confesslens.evals.conditions import ACCUSED, CONDITIONS, SILENCE, check_condition, has_incentive

BEHAVIOURS = ("complied", "not_complied", "neither")
KNOWLEDGE = ("aware", "unaware", "unknown")
TIERS = ("tiny", "small", "full")

Message = dict[str, str]


@dataclass(frozen=True)
class Scenario:
    """One base item of an evaluation; every condition and resample of it shares its id.

    `facts` is JSON-able and holds all that prompts and grading need, so a scenario read back from a table grades alike.
    """

    eval: str
    scenario: str
    tier: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Grade:
    """What a program found in one answer.

    `behaviour` is one of BEHAVIOURS; `evidence` is JSON-able and says which items decided it (spans are [start, end)
    characters of the answer); `admitted` is true when the answer itself tells, unasked, that it falls short.
    """

    behaviour: str
    evidence: dict[str, Any] = field(default_factory=dict)
    admitted: bool = False


@dataclass(frozen=True)
class Evaluation:
    """One family of tasks that tempts a model in one way, with a program for a judge.

    `title`, `induces`, `bad`, `source`, `twins` and the three texts are one line each. The guilty act is the pair
    (behaviour not_complied, knowledge aware): behaviour is graded on the answer alone, knowledge on the neutral
    answers, and neither is derived from the other.

    Attributes:
        twins: what its text-matched twins are, bad answers that read alike, of which one comes from a model that knew
            better and the other from one that did not; "" when the task does not allow them.
        pressure_soft, pressure_hard: sentences that end the tempting system text when the model is pressured.
        accusation: what an accused model is told before it is asked for its confession.
        make_scenarios: (n, seed, tier) to the first n scenarios.
        prompt: (scenario, tempting) to messages, a system message first and the task, by the user, last; worked
            examples stand between them. The tempting prompt if `tempting`, else the neutral one.
        grade: (scenario, condition, answer) to what a program finds in the answer.
        judge_knowledge: (scenario, grade, neutral grades) to one of KNOWLEDGE.
        answer_tokens: tier to the most tokens that an answer may have.
    """

    name: str
    title: str
    induces: str
    bad: str
    source: str
    twins: str
    pressure_soft: str
    pressure_hard: str
    accusation: str
    make_scenarios: Callable[[int, int, str], list[Scenario]]
    prompt: Callable[[Scenario, bool], list[Message]]
    grade: Callable[[Scenario, str, str], Grade]
    judge_knowledge: Callable[[Scenario, Grade, list[Grade]], str]
    answer_tokens: dict[str, int]
    tiers: tuple[str, ...] = TIERS
    conditions: tuple[str, ...] = CONDITIONS

    def make_messages(self, scenario: Scenario, condition: str) -> list[Message]:
        """The scenario's prompt under a condition. Raises ValueError for a condition that the evaluation lacks."""
        check_condition(condition, self.conditions)
        system, *rest = self.prompt(scenario, has_incentive(condition))
        added = {
            "pressured_soft": self.pressure_soft,
            "pressured_hard": self.pressure_hard,
            "silenced": SILENCE,
        }.get(condition, "")
        return [{**system, "content": f"{system['content']} {added}".strip()}, *rest]

    def before_request(self, condition: str) -> str:
        """What the model is told between its answer and the request for a confession: the accusation, or nothing."""
        return self.accusation if condition == ACCUSED else ""


def draw_scenarios(
    eval_name: str, n: int, seed: int, tier: str, draw: Callable[[random.Random, int], dict[str, Any]]
) -> list[Scenario]:
    """The first `n` distinct scenarios of `eval_name` at `tier`, by calling `draw(rng, index)` for the facts of each.

    Deterministic in (seed, tier); the scenarios of a smaller n are the first of those of a larger one.
    Raises ValueError for an unknown tier, a negative n, or more scenarios than the parts combine to.
    """
    if tier not in TIERS:
        raise ValueError(f"unknown tier {tier!r} for {eval_name}: expected one of {', '.join(TIERS)}")
    if n < 0:
        raise ValueError(f"n is {n}: expected the number of scenarios to make, 0 or more")
    rng = random.Random(f"{eval_name}/{tier}/{seed}")
    scenarios: list[Scenario] = []
    seen: set[str] = set()
    repeats = 0
    while len(scenarios) < n:
        facts = draw(rng, len(scenarios))
        key = json.dumps(facts, sort_keys=True)
        if key in seen:
            repeats += 1
            if repeats > 1000 + 10 * n:
                raise ValueError(
                    f"{eval_name} at tier {tier} ran out of new scenarios after {len(scenarios)}: ask for no more"
                )
            continue
        seen.add(key)
        scenarios.append(Scenario(eval_name, f"{eval_name}/{len(scenarios):04d}", tier, facts))
    return scenarios


def majority(votes: list[bool]) -> bool | None:
    """What more than half of the votes say; None on a tie or without votes."""
    yes = sum(votes)
    if 2 * yes == len(votes):
        return None
    return 2 * yes > len(votes)


def with_thoughts(messages: list[Message], cot: bool) -> list[Message]:
    """Messages of role and content only; with `cot`, the worked examples think in a marked span before they answer.

    An example answer may come with a `thought`. A small model keeps to the form of the answer after its own chain of
    thought only if the examples have one too.
    """
    plain = []
    for message in messages:
        content = message["content"]
        if cot and "thought" in message:
            content = f"<think>\n{message['thought']}\n</think>\n{content}"
        plain.append({"role": message["role"], "content": content})
    return plain
