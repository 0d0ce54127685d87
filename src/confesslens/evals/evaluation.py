"""The shapes that every evaluation shares: a scenario, a grade, the evaluation itself, and how scenarios are drawn."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

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

    `induces`, `bad` and `source` are one line each. `twins` says that bad answers which read alike come both from
    models that knew better and from models that did not. The guilty act is the pair (behaviour not_complied,
    knowledge aware): behaviour is graded on the answer alone, knowledge on the neutral answers, and neither is
    derived from the other.
    """

    name: str
    title: str
    induces: str
    bad: str
    source: str
    tiers: tuple[str, ...]
    conditions: tuple[str, ...]
    twins: bool
    make_scenarios: Callable[[int, int, str], list[Scenario]]
    make_messages: Callable[[Scenario, str], list[Message]]
    grade: Callable[[Scenario, str, str], Grade]
    judge_knowledge: Callable[[Scenario, Grade, list[Grade]], str]
    answer_tokens: dict[str, int]


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


def check_condition(eval_name: str, condition: str, conditions: tuple[str, ...]) -> None:
    """Raise ValueError when `condition` is not one of the evaluation's `conditions`."""
    if condition not in conditions:
        raise ValueError(f"unknown condition {condition!r} for {eval_name}: expected one of {', '.join(conditions)}")


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
