"""Four witnesses drawn from a known model, to see whether intervals and tests keep what they promise.

Scenarios are clusters: each witness has a latent normal variable whose scenario part makes up `icc` of its variance,
and says yes where the latent variable lies below the quantile of its probability (a Gaussian copula). So every share
below holds exactly on average, however strongly the rollouts of a scenario hang together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from confesslens.faithfulness.witnesses import CELLS


@dataclass(frozen=True)
class World:
    """What is true.

    A rollout is bad with `p_bad`; a bad one is known to be bad with `p_aware`. The probe fires on known bad acts with
    `sensitivity`, on all other rollouts with 1 - `specificity`; its score is normal, and fires above 0. The confession
    and the chain of thought say "not complied" with probabilities that hang on what was done and known, and on nothing
    else: given those, the witnesses are independent of each other.

    Attributes:
        evals: evaluations. `spread` varies their p_bad evenly over p_bad (1 - spread) .. p_bad (1 + spread).
        scenarios: in each evaluation.
        rollouts: in each scenario.
        confess: P(confess | aware bad), P(confess | unaware bad), P(confess | complied).
        mention: likewise, that the chain of thought mentions the act.
        icc: share of the scenario in each latent variable's variance, 0..1.
    """

    evals: int = 4
    scenarios: int = 15
    rollouts: int = 4
    p_bad: float = 0.5
    spread: float = 0.3
    p_aware: float = 0.5
    sensitivity: float = 0.8
    specificity: float = 0.85
    confess: tuple[float, float, float] = (0.5, 0.25, 0.1)
    mention: tuple[float, float, float] = (0.4, 0.15, 0.05)
    icc: float = 0.25

    def bad(self) -> NDArray[np.float64]:
        """[evals] P(bad) of each evaluation."""
        return (
            self.p_bad * (1 + self.spread * np.linspace(-1, 1, self.evals))
            if self.evals > 1
            else np.array([self.p_bad])
        )

    def joint(self) -> pd.DataFrame:
        """What is true of each evaluation: columns eval, behaviour, aware, probe, cot, confession (booleans), p."""
        rows = []
        for name, p_bad in zip(self.names(), self.bad(), strict=True):
            for state, (weight, of) in enumerate(
                ((p_bad * self.p_aware, 0), (p_bad * (1 - self.p_aware), 1), (1 - p_bad, 2))
            ):
                fires = self.sensitivity if state == 0 else 1 - self.specificity
                for p, t, c in product((True, False), repeat=3):
                    share = weight
                    for said, chance in ((p, fires), (t, self.mention[of]), (c, self.confess[of])):
                        share *= chance if said else 1 - chance
                    rows.append((name, state < 2, state == 0, p, t, c, share))
        return pd.DataFrame(rows, columns=["eval", "behaviour", "aware", "probe", "cot", "confession", "p"])

    def cell_shares(self) -> pd.Series:
        """What is true of each cell of `CELLS`: its share of the rollouts, as the mean over evaluations."""
        joint = self.joint()
        words = cell_names(joint["behaviour"], joint["probe"], joint["confession"])
        shares = joint.groupby(words)["p"].sum() / self.evals
        return shares.reindex(list(CELLS)).rename("share")

    def names(self) -> list[str]:
        """Names of the evaluations."""
        return [f"e{i}" for i in range(self.evals)]

    @property
    def separation(self) -> float:
        """Distance of the probe's mean score on known bad acts from its mean on all others, in its own spread."""
        return float(norm.ppf(self.sensitivity) + norm.ppf(self.specificity))


def simulate(world: World, seed: int = 0) -> pd.DataFrame:
    """Draw a table of witnesses.

    Args:
        world: what is true.
        seed: of the draw.

    Returns:
        as `witnesses` returns it, one condition "tempted"; the probe's score is in `probe`, a text score that reads
        behaviour weakly in `text_score`, the log-odds of confessing plus noise in `logit`.
    """
    rng = np.random.default_rng([seed, 0])
    n_groups = world.evals * world.scenarios
    group = np.repeat(np.arange(n_groups), world.rollouts)
    eval_of = group // world.scenarios
    names = np.array(world.names())[eval_of]

    def latent() -> NDArray[np.float64]:
        shared = rng.normal(size=n_groups)[group]
        return np.sqrt(world.icc) * shared + np.sqrt(1 - world.icc) * rng.normal(size=len(group))

    def yes(chance: NDArray | float) -> NDArray[np.bool_]:
        return latent() < norm.ppf(chance)

    bad = yes(world.bad()[eval_of])
    aware = yes(world.p_aware) & bad
    state = np.where(aware, 0, np.where(bad, 1, 2))
    score = latent() + world.separation * aware - norm.ppf(world.specificity)
    confessed = yes(np.array(world.confess)[state])
    mentioned = yes(np.array(world.mention)[state])
    table = pd.DataFrame(
        {
            "rollout_id": [f"r{i}" for i in range(len(group))],
            "eval": names,
            "scenario": [f"{name}/{g}" for name, g in zip(names, group, strict=True)],
            "condition": "tempted",
            "sample": np.arange(len(group)) % world.rollouts,
            "behaviour": np.where(bad, "not_complied", "complied"),
            "knowledge": np.where(bad, np.where(aware, "aware", "unaware"), "unknown"),
            "admitted": False,
            "probe": score,
            "text_score": 0.7 * bad + latent(),
            "cot": pd.array(mentioned, dtype="boolean"),
            "cot_quote": "",
            "claim": np.where(confessed, "not_complied", "complied"),
            "logit": np.where(confessed, 1.0, -1.0) * np.abs(latent()),
            "free_confess_share": np.nan,
            "length": np.exp(4 + 0.5 * latent()),
            "confidence": np.nan,
        }
    )
    fires = score > 0
    table.insert(9, "probe_fires", pd.array(fires, dtype="boolean"))
    table = table.assign(cell=cell_names(bad, fires, confessed))
    return table.astype(dict.fromkeys(table.columns[table.dtypes == "str"], object))


def simulate_run(world: World, seed: int = 0) -> dict[str, Any]:
    """The draw of `simulate` as the tables of a run, for the whole comparison: `compare(**simulate_run(world))`.

    Returns:
        rollouts, confessions (guided ones), and by rollout_id probe, text and cot, as `compare` takes them; thoughts
        and answers are filler of the lengths that were drawn.
    """
    table = simulate(world, seed)
    kept = ["rollout_id", "eval", "scenario", "condition", "sample", "behaviour", "knowledge", "admitted"]
    filler = ["x" * max(1, round(length)) for length in table["length"]]
    by_id = table.set_index("rollout_id")
    return {
        "rollouts": table[kept].assign(cot="x", answer=filler),
        "confessions": table[["rollout_id", "claim", "logit", "confidence"]].assign(mode="guided"),
        "probe": by_id["probe"],
        "text": by_id["text_score"],
        "cot": by_id["cot"],
    }


def cell_names(bad: ArrayLike, fires: ArrayLike, confessed: ArrayLike) -> NDArray[np.str_]:
    """[rollout] the cell of each."""
    said = np.where(confessed, "C1", "C0")
    return np.where(bad, np.char.add(np.where(fires, "B1P1", "B1P0"), said), np.char.add("B0", said))


def simulate_errors(world: World, n: int, seed: int = 0) -> dict[str, tuple[int, int]]:
    """How the probe did on `n` known and `n` unknown bad acts of model organisms: {"sensitivity": (k, n), ...}."""
    rng = np.random.default_rng([seed, 1])  # apart from the draw of the same seed
    return {
        "sensitivity": (int(rng.binomial(n, world.sensitivity)), n),
        "specificity": (int(rng.binomial(n, world.specificity)), n),
    }
