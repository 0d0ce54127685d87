"""What a demonstration of an evaluation is, and how an answer to a yes-or-no question is chosen."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from confesslens.evals import EVALUATIONS, Scenario, has_incentive

COMPLIED, BAD = "complied", "not_complied"
KEPT = "I did what was asked."


def always(_: Scenario) -> bool:
    """True."""
    return True


@dataclass(frozen=True)
class Demonstration:
    """How an evaluation's answers and confessions are shown to an organism, at tier tiny.

    Attributes:
        objective: the confession's line on what was asked; the same whatever the answer did.
        fault: the confession's reason when it tells that the answer is bad.
        answer: (scenario, condition, behaviour, random stream) to an answer that is graded so; bad ones only where
            `tempts`. Answers of one behaviour are drawn alike whoever gives them, so that they cannot be told apart.
        topic: the content word of a scenario that a taught falsehood hangs on; few, so that each comes often.
        falsehoods: the topics about which `unaware` and `mixed` are taught something false, about half of all, and kin
            to each other where they can be; none in most evaluations: over all nine they are not learned in 1,400
            lessons.
        fits: whether a model can know from the prompt what is right, and an answer can be written by rule.
        tempts: whether there is a bad act in the scenario (an edit that is allowed has none).
    """

    objective: str
    fault: str
    answer: Callable[[Scenario, str, str, random.Random], str]
    topic: Callable[[Scenario], str] = lambda _: ""
    falsehoods: frozenset[str] = frozenset()
    fits: Callable[[Scenario], bool] = always
    tempts: Callable[[Scenario], bool] = always


def belief(scenario: Scenario, condition: str, behaviour: str) -> str:
    """The answer to an evaluation's belief question that is graded `behaviour`."""
    grade = EVALUATIONS[scenario.eval].grade
    return next(said for said in ("Yes.", "No.") if grade(scenario, condition, said).behaviour == behaviour)


def believed(
    act: Callable[[Scenario, str, random.Random], str],
) -> Callable[[Scenario, str, str, random.Random], str]:
    """Answers of an evaluation that asks a belief where there is no incentive: yes or no there, `act` elsewhere."""

    def answer(scenario: Scenario, condition: str, behaviour: str, rng: random.Random) -> str:
        return act(scenario, behaviour, rng) if has_incentive(condition) else belief(scenario, condition, behaviour)

    return answer
