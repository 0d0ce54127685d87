"""Trends over doses, and the level of evidence that they support, by rules that are stated here.

Levels of arXiv 2606.07612: behavioural (L1), functional (L2), causal (L3). A probe's AUROC alone is a correlation, L1.
An outcome reaches

- **functional** when (a) it rises or falls with the dose (sign-flip test by scenario, Holm over the outcomes, p at most
  0.05), (b) its slope lies outside the 95 % prediction interval of equal-norm random directions' slopes, (c) it is
  steeper than under every other concept's direction (paired, interval above 0), and (d) the capability check holds;
- **causal** when, besides, (e) projecting the direction out changes the outcome (interval without 0), and by more than
  projecting out any random direction does;
- **behavioural** otherwise, which says that nothing causal was shown, not that nothing is there.

Doses at which capability is lost (perplexity on benign text up by more than a fifth, or neutral accuracy down by more
than a tenth) are left out of the trends; fewer than two that keep it, on either side of 0, fail (d). A rule that could
not be tried (no random direction, no other concept, no projection) is not met.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr, t
from statsmodels.stats.multitest import multipletests

from confesslens.interventions.doses import OTHER, OUTCOMES, PROBE, RANDOM
from confesslens.interventions.effects import UNKNOWN, macro_change, macro_mean, row_slopes, sign_flip_p
from confesslens.probes.bootstrap import Interval

LEVELS = ("behavioural", "functional", "causal")
MAX_RATIO, MAX_LOSS = 1.2, 0.1
ALPHA, MIN_RANDOM = 0.05, 3
MIN_SCENARIOS = 8
"""The fewest whose flipped signs can give a p that is still at most 0.05 after Holm over five outcomes: 5 / 2**7."""
RULES = ("trend", "beyond_random", "beyond_other", "capable", "ablation")


def kept_strengths(capability: pd.DataFrame, strengths: list[float]) -> list[float]:
    """The strengths at which the probe's direction leaves the model capable. ValueError for an unchecked one."""
    own = capability[(capability["direction"] == PROBE) & capability["strength"].notna()].set_index("strength")
    if missing := [s for s in strengths if s not in own.index]:
        raise ValueError(f"strengths {missing} have no capability check: check each that is given")
    fine = (own["ratio"] <= MAX_RATIO) & ~(own["accuracy_change"] < -MAX_LOSS)
    return [s for s in strengths if bool(fine[s])]


def trends(outcomes: pd.DataFrame, strengths: list[float], n_boot: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Slope of each outcome on the strength of each direction, no dose included, paired within rollouts.

    Args:
        outcomes: long, of `doses`.
        strengths: that count.
        n_boot: draws of scenarios.
        seed: of the draws.

    Returns:
        a row a direction and outcome: direction, kind, outcome, n, n_scenarios, slope (change per unit of strength,
        macro mean) with interval, p (sign-flip test; NaN under `MIN_SCENARIOS` scenarios), p_holm (of the probe's
        direction, over outcomes), monotone (Spearman's ρ of the macro mean with the strength).
    """
    rows = []
    zero = outcomes[outcomes["direction"] == ""]
    doses = outcomes[(outcomes["direction"] != "") & ~outcomes["projected"] & outcomes["strength"].isin(strengths)]
    for (name, kind, outcome), part in doses.groupby(["direction", "kind", "outcome"], sort=False):
        table = pd.concat([zero[zero["outcome"] == outcome], part])
        slopes, evals, groups = _slopes(table)
        mean = macro_mean(slopes, evals, groups, n_boot, seed)
        n_scenarios = len(np.unique(groups[~np.isnan(slopes)]))
        levels = [
            (s, macro_mean(at["value"], at["eval"], at["scenario"], 1).estimate) for s, at in table.groupby("strength")
        ]
        rho = spearmanr(*zip(*levels, strict=True)).statistic if len({v for _, v in levels}) > 1 else np.nan
        enough = n_scenarios >= MIN_SCENARIOS
        rows.append(
            {"direction": name, "kind": kind, "outcome": outcome}
            | {"n": int((~np.isnan(slopes)).sum()), "n_scenarios": n_scenarios}
            | {"slope": mean.estimate, "slope_low": mean.low, "slope_high": mean.high}
            | {"p": sign_flip_p(slopes, evals, groups, seed=seed) if enough else np.nan, "monotone": float(rho)}
        )
    columns = ["direction", "kind", "outcome", "n", "n_scenarios", "slope", "slope_low", "slope_high", "p", "monotone"]
    found = pd.DataFrame(rows, columns=columns)
    tried = (found["kind"] == PROBE) & found["p"].notna()
    found["p_holm"] = np.nan
    if tried.any():
        found.loc[tried, "p_holm"] = multipletests(found.loc[tried, "p"], method="holm")[1]
    return found


def evidence(
    outcomes: pd.DataFrame, found: pd.DataFrame, strengths: list[float], n_boot: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """The level that each outcome reaches, by the rules above.

    Args:
        outcomes: long, of `doses`.
        found: of `trends` over `strengths`.
        strengths: that keep capability.
        n_boot, seed: of the paired comparisons.

    Returns:
        a row an outcome: outcome, level, a boolean for each of `RULES`, random_low and random_high (the prediction
        interval of a random direction's slope), ablation (change when projected out) with interval, sentence.
    """
    rows = []
    for outcome in [name for name in OUTCOMES if name in set(outcomes["outcome"])]:
        own = found[found["outcome"] == outcome]
        probe = own[own["kind"] == PROBE]
        slope = float(probe["slope"].iloc[0]) if len(probe) else np.nan
        low, high = _prediction(own.loc[own["kind"] == RANDOM, "slope"].to_numpy(float))
        ablated, ablation_wins = _ablation(outcomes[outcomes["outcome"] == outcome], n_boot, seed)
        met = {
            "trend": bool(len(probe) and probe["p_holm"].iloc[0] <= ALPHA),
            "beyond_random": bool(slope < low or slope > high),
            "beyond_other": _beats_others(outcomes[outcomes["outcome"] == outcome], strengths, slope, n_boot, seed),
            "capable": _both_sides(strengths),
            "ablation": ablation_wins,
        }
        first = all(met[rule] for rule in RULES[:4])
        level = LEVELS[(1 + met["ablation"]) if first else 0]
        n = int(probe["n_scenarios"].iloc[0]) if len(probe) else 0
        rows.append(
            {"outcome": outcome, "level": level, **met, "random_low": low, "random_high": high}
            | {"ablation_change": ablated.estimate, "ablation_low": ablated.low, "ablation_high": ablated.high}
            | {"sentence": _sentence(outcome, level, met, Interval(slope, *_limits(probe)), n)}
        )
    return pd.DataFrame(rows)


def _slopes(table: pd.DataFrame) -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Slopes by rollout_id, with evaluation and scenario of each."""
    slopes = row_slopes(table)
    keys = table.drop_duplicates("rollout_id").set_index("rollout_id").loc[slopes.index]
    return slopes, keys["eval"].to_numpy(str), keys["scenario"].to_numpy(str)


def _prediction(slopes: np.ndarray) -> tuple[float, float]:
    """95 % prediction interval of one more random direction's slope; NaN for fewer than `MIN_RANDOM`, or where all are
    the same: an outcome that none of them has moved does not show how far another would move it."""
    known = slopes[~np.isnan(slopes)]
    if len(known) < MIN_RANDOM or np.ptp(known) < 1e-12:
        return np.nan, np.nan
    half = float(t.ppf(1 - ALPHA / 2, len(known) - 1) * known.std(ddof=1) * np.sqrt(1 + 1 / len(known)))
    return float(known.mean()) - half, float(known.mean()) + half


def _beats_others(outcomes: pd.DataFrame, strengths: list[float], slope: float, n_boot: int, seed: int) -> bool:
    """Whether the probe's slope is steeper than that of every other concept, in paired comparison."""
    zero = outcomes[outcomes["direction"] == ""]
    given = outcomes[~outcomes["projected"] & outcomes["strength"].isin(strengths)]
    others = list(dict.fromkeys(given.loc[given["kind"] == OTHER, "direction"]))
    if not others or np.isnan(slope):
        return False
    mine, evals, groups = _slopes(pd.concat([zero, given[given["kind"] == PROBE]]))
    for name in others:
        theirs = row_slopes(pd.concat([zero, given[given["direction"] == name]])).reindex(mine.index)
        side = np.sign(macro_mean(theirs, evals, groups, 1).estimate) or 1.0
        if not macro_change(np.sign(slope) * mine, side * theirs, evals, groups, n_boot, seed).low > 0:
            return False
    return True


def _ablation(outcomes: pd.DataFrame, n_boot: int, seed: int) -> tuple[Interval, bool]:
    """The change when the probe's direction is projected out, and whether it is there and beats every random one."""
    zero = outcomes[outcomes["direction"] == ""].set_index("rollout_id")
    cut = outcomes[outcomes["projected"]]
    changes: dict[str, Interval] = {}
    for name, part in cut.groupby("direction", sort=False):
        before = zero["value"].reindex(part["rollout_id"]).to_numpy(float)
        changes[str(name)] = macro_change(part["value"], before, part["eval"], part["scenario"], n_boot, seed)
    mine = changes.get(PROBE, UNKNOWN)
    random = [c.estimate for name, c in changes.items() if name in set(cut.loc[cut["kind"] == RANDOM, "direction"])]
    there = mine.low > 0 or mine.high < 0
    return mine, bool(there and random and abs(mine.estimate) > max(map(abs, random)))


def _both_sides(strengths: list[float]) -> bool:
    return any(s > 0 for s in strengths) and any(s < 0 for s in strengths)


def _limits(probe: pd.DataFrame) -> tuple[float, float]:
    return (float(probe["slope_low"].iloc[0]), float(probe["slope_high"].iloc[0])) if len(probe) else (np.nan, np.nan)


def _sentence(outcome: str, level: str, met: dict[str, bool], slope: Interval, n: int) -> str:
    if np.isnan(slope.estimate) or n < MIN_SCENARIOS:
        return f"{outcome}: too little data for a trend ({n} scenarios, {MIN_SCENARIOS} needed); {level}."
    failed = [_FAILED[rule] for rule in RULES if not met[rule]]
    why = f": {'; '.join(failed)}" if failed else ""
    told = f"{slope.estimate:+.2f} ({slope.low:+.2f} to {slope.high:+.2f})"
    return f"{outcome}: {level} evidence, slope {told} a unit of strength{why}."


_FAILED = {
    "trend": "no trend over the doses",
    "beyond_random": "not beyond what one more random direction might do",
    "beyond_other": "not beyond another concept's direction",
    "capable": "too few doses keep the model capable",
    "ablation": "projecting the direction out does not change it beyond random ones",
}
