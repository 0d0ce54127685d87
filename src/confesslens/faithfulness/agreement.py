"""How far each pair of witnesses agrees: the phi coefficient inside evaluations."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from confesslens.probes import resample_weights
from confesslens.probes.bootstrap import percentile_interval

WITNESSES = ("behaviour", "probe", "cot", "confession")
COLUMNS = ["condition", "eval", "a", "b", "n", "phi", "phi_low", "phi_high", "note"]
_SAYS = {
    "behaviour": ("every answer is bad", "every answer is complied"),
    "probe": ("the probe fires on every rollout", "the probe fires on no rollout"),
    "cot": ("every chain of thought mentions the act", "no chain of thought mentions the act"),
    "confession": ("every confession says not complied", "every confession says complied"),
}


def phi(a: ArrayLike, b: ArrayLike) -> float:
    """Phi (Matthews) coefficient of two yes/no witnesses, -1..1; NaN when one of them never varies.

    Args:
        a: [n] booleans.
        b: [n] booleans.
    """
    a, b = np.asarray(a, dtype=bool), np.asarray(b, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"phi needs two columns of one length, got {a.shape} and {b.shape}")
    return float(_phi_weighted(a, b, np.ones((len(a), 1)))[0])


def verdicts(witnesses: pd.DataFrame) -> pd.DataFrame:
    """The four witnesses as nullable booleans, true for "bad"; NA where a witness does not say yes or no."""
    behaviour, claim = witnesses["behaviour"], witnesses["claim"]
    yes_no = ["complied", "not_complied"]
    return pd.DataFrame(
        {
            "behaviour": (behaviour == "not_complied").astype("boolean").where(behaviour.isin(yes_no)),
            "probe": witnesses["probe_fires"].astype("boolean"),
            "cot": witnesses["cot"].astype("boolean"),
            "confession": (claim == "not_complied").astype("boolean").where(claim.isin(yes_no)),
        }
    )


def agreement(witnesses: pd.DataFrame, n_boot: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Phi for each pair of witnesses in each condition, by evaluation and as the mean over those where it is defined.

    Args:
        witnesses: from `witnesses`.
        n_boot: bootstrap draws, scenarios resampled inside evaluations.
        seed: of the draws.

    Returns:
        columns condition, eval ("macro" last), a, b, n (rollouts on which both say yes or no), phi, phi_low,
        phi_high, note. Undefined phi is NaN and the note says why; so does the note where there is phi but no interval.
    """
    parts = [
        _in_condition(part, n_boot, seed).assign(condition=condition)
        for condition, part in witnesses.groupby("condition", sort=False)
    ]
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _in_condition(witnesses: pd.DataFrame, n_boot: int, seed: int) -> pd.DataFrame:
    said = verdicts(witnesses)
    evals, groups = witnesses["eval"].to_numpy(str), witnesses["scenario"].to_numpy(str)
    weights = resample_weights(groups, evals, n_boot, seed)
    rows = []
    macro = []
    for a, b in combinations(WITNESSES, 2):
        both = (said[a].notna() & said[b].notna()).to_numpy()
        x, y = said[a].fillna(False).to_numpy(bool), said[b].fillna(False).to_numpy(bool)
        estimates, draws = [], []
        for name in pd.unique(evals):
            keep = both & (evals == name)
            estimate, sample = phi(x[keep], y[keep]), _phi_weighted(x[keep], y[keep], weights[keep])
            reason = _no_spread({a: x[keep], b: y[keep]}) if np.isnan(estimate) else ""
            rows.append(_row(name, a, b, int(keep.sum()), estimate, sample, reason))
            if not np.isnan(estimate):
                estimates.append(estimate)
                draws.append(sample)
        mean = float(np.mean(estimates)) if estimates else np.nan
        reason = "" if estimates else "undefined in every evaluation"
        macro.append(_row("macro", a, b, int(both.sum()), mean, _mean_known(draws, n_boot), reason))
    table = pd.DataFrame(rows + macro, columns=COLUMNS[1:])
    order = {name: i for i, name in enumerate([*pd.unique(evals), "macro"])}
    return table.sort_values("eval", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _row(name: str, a: str, b: str, n: int, estimate: float, draws: NDArray, note: str) -> tuple:
    interval = percentile_interval(estimate, draws)
    low, high = interval.low, interval.high
    if not np.isnan(estimate):
        if np.isclose(abs(estimate), 1.0):
            low = high = np.nan
            note = "perfect in these rollouts: resampling them cannot show how uncertain that is"
        elif np.isnan(low):
            note = "no interval: undefined in most resamples"
    return name, a, b, n, estimate, low, high, note


def _no_spread(said: dict[str, NDArray[np.bool_]]) -> str:
    if not len(next(iter(said.values()))):
        return "no rollout on which both say yes or no"
    flat = [_SAYS[name][0 if x.all() else 1] for name, x in said.items() if x.all() or not x.any()]
    return "no spread: " + "; ".join(flat)


def _phi_weighted(a: NDArray[np.bool_], b: NDArray[np.bool_], weights: NDArray) -> NDArray[np.float64]:
    n = weights.sum(axis=0)
    n_a, n_b, n_ab = a @ weights, b @ weights, (a & b) @ weights
    scale = np.sqrt(n_a * (n - n_a) * n_b * (n - n_b))
    return np.divide(n * n_ab - n_a * n_b, scale, out=np.full_like(n, np.nan), where=scale > 0)


def _mean_known(draws: list[NDArray], n_boot: int) -> NDArray[np.float64]:
    if not draws:
        return np.full(n_boot, np.nan)
    stacked = np.array(draws)
    known = ~np.isnan(stacked)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return np.divide(total, known.sum(axis=0), out=np.full(n_boot, np.nan), where=known.any(axis=0))
