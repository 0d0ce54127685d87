"""What is to be sampled: every rollout of a run, known before any model is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confesslens.evals import NEUTRAL, TEMPTED, Evaluation, Scenario

DEFAULT_CONDITIONS = (TEMPTED, NEUTRAL)


@dataclass(frozen=True)
class Planned:
    """One rollout to come: a scenario of an evaluation, put in one condition, and the seed of its random stream."""

    evaluation: Evaluation
    scenario: Scenario
    condition: str
    sample: int
    seed: int

    @property
    def rollout_id(self) -> str:
        """Readable and unique within a run: `people/0003/tempted/1`."""
        return f"{self.scenario.scenario}/{self.condition}/{self.sample}"


def plan_rollouts(
    evaluations: Sequence[Evaluation],
    n: int,
    seed: int = 0,
    tier: str = "tiny",
    conditions: Sequence[str] = DEFAULT_CONDITIONS,
    samples: int = 2,
    neutral_samples: int = 3,
    keep: Callable[[Scenario], bool] | None = None,
) -> list[Planned]:
    """Every rollout of `n` scenarios per evaluation.

    Each scenario is put in every condition, `samples` times each; the neutral condition, from which knowledge is read,
    `neutral_samples` times. With `keep` they are the first `n` that it keeps.

    Raises:
        ValueError: a condition or tier that an evaluation does not have.
    """
    planned = []
    for evaluation in evaluations:
        if tier not in evaluation.tiers:
            raise ValueError(f"{evaluation.name} has no tier {tier!r}: it has {', '.join(evaluation.tiers)}")
        for condition in conditions:
            if condition not in evaluation.conditions:
                raise ValueError(
                    f"{evaluation.name} has no condition {condition!r}: it has {', '.join(evaluation.conditions)}"
                )
        for scenario in draw_kept(evaluation, n, seed, tier, keep):
            for condition in conditions:
                for sample in range(neutral_samples if condition == NEUTRAL else samples):
                    own = stream_seed(seed, scenario.scenario, condition, sample)
                    planned.append(Planned(evaluation, scenario, condition, sample, own))
    return planned


def draw_kept(
    evaluation: Evaluation, n: int, seed: int, tier: str, keep: Callable[[Scenario], bool] | None
) -> list[Scenario]:
    """The first `n` scenarios of the evaluation, or the first `n` that `keep` keeps."""
    if keep is None:
        return evaluation.make_scenarios(n, seed, tier)
    drawn, kept = n, list[Scenario]()
    while len(kept) < n:
        drawn *= 2
        kept = [scenario for scenario in evaluation.make_scenarios(drawn, seed, tier) if keep(scenario)]
    return kept[:n]


def stream_seed(*parts: object) -> int:
    """A 63-bit seed that depends on all parts (SHA-256), so that no two random streams of a run coincide."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
