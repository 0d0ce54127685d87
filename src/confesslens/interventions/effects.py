"""What an intervention changes: means over evaluations, paired changes and trends, with scenario-clustered intervals.

Everything is a macro average: the mean over evaluations of the mean over rollouts. Changes and slopes are paired: each
rollout is compared with itself (same tokens before the intervention, same random stream).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from confesslens.probes.bootstrap import Interval, percentile_interval, resample_weights
from confesslens.probes.proportion import macro_share, wilson

UNKNOWN = Interval(np.nan, np.nan, np.nan)


def macro_mean(values: ArrayLike, evals: ArrayLike, groups: ArrayLike, n_boot: int = 2000, seed: int = 0) -> Interval:
    """Mean over evaluations of the mean of [n] values, scenarios resampled inside evaluations; NaN rows are left out.

    Shares (values 0 and 1 alone) that do not vary get Clopper-Pearson's bound with each scenario counted once.
    """
    value, names, clusters = _known(values, evals, groups)
    if not len(value):
        return UNKNOWN
    if np.isin(value, (0, 1)).all():
        return macro_share(value.astype(bool), names, clusters)
    weights = np.column_stack([np.ones(len(value)), resample_weights(clusters, names, n_boot, seed)])
    means = _macro(value, names, weights)
    return percentile_interval(float(means[0]), means[1:]) if len(np.unique(clusters)) > 1 else _alone(means)


def macro_change(
    after: ArrayLike, before: ArrayLike, evals: ArrayLike, groups: ArrayLike, n_boot: int = 2000, seed: int = 0
) -> Interval:
    """Macro mean of after − before [n], as `macro_mean`; pairs that lack one are left out.

    Where no share changed at all the interval is Clopper-Pearson's bound of the share of scenarios that would.
    """
    new, old = np.asarray(after, dtype=float), np.asarray(before, dtype=float)
    difference, names, clusters = _known(new - old, evals, groups)
    binary = all(np.isin(side[~np.isnan(new - old)], (0, 1)).all() for side in (new, old))
    if len(difference) and binary and not difference.any():
        bound = wilson(0, len(np.unique(clusters))).high
        return Interval(0.0, -bound, bound)
    if len(difference) and not difference.any():
        return Interval(0.0, 0.0, 0.0)
    if not len(difference) or len(np.unique(clusters)) == 1:
        return _alone([float(np.mean(difference))]) if len(difference) else UNKNOWN
    weights = np.column_stack([np.ones(len(difference)), resample_weights(clusters, names, n_boot, seed)])
    means = _macro(difference, names, weights)
    return percentile_interval(float(means[0]), means[1:])


def macro_ratio(
    above: ArrayLike, below: ArrayLike, evals: ArrayLike, groups: ArrayLike, n_boot: int = 2000, seed: int = 0
) -> Interval:
    """Macro mean of [n] values over that of others, over the same draws of scenarios; rows that lack one are left out.

    Without a number where the interval of what stands below holds 0, since the ratio could be anything there.
    """
    top, bottom = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    bottom, names, clusters = _known(np.where(np.isnan(top), np.nan, bottom), evals, groups)
    top = top[~np.isnan(top + np.asarray(below, dtype=float))]
    if len(np.unique(clusters)) < 2:
        return UNKNOWN
    weights = np.column_stack([np.ones(len(top)), resample_weights(clusters, names, n_boot, seed)])
    over, under = (_macro(values, names, weights) for values in (top, bottom))
    bounds = percentile_interval(float(under[0]), under[1:])
    if bounds.low <= 0 <= bounds.high:
        return UNKNOWN
    ratio = np.divide(over, under, out=np.full_like(over, np.nan), where=under != 0)
    return percentile_interval(float(ratio[0]), ratio[1:])


def sign_flip_p(values: ArrayLike, evals: ArrayLike, groups: ArrayLike, draws: int = 5000, seed: int = 0) -> float:
    """Two-sided p of a macro mean of 0, by flipping the signs of whole scenarios; NaN for fewer than 2 of them.

    Exact in level where a scenario's values are as likely as their negatives when nothing is there (Fisher's
    randomisation test for pairs), whatever their distribution.
    """
    value, names, clusters = _known(values, evals, groups)
    codes = np.unique(clusters, return_inverse=True)[1] if len(clusters) else np.zeros(0, int)
    if not len(value) or codes.max() == 0:
        return float("nan")
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(codes.max() + 1, draws))
    null = _macro(value, names, np.ones((len(value), 1)), signs[codes])
    seen = abs(_macro(value, names, np.ones((len(value), 1)))[0])
    return float((1 + (np.abs(null) >= seen - 1e-12).sum()) / (1 + draws))


def row_slopes(table: pd.DataFrame) -> pd.Series:
    """Least-squares slope of `value` on `strength` for each rollout_id, over the strengths at which it has a value.

    NaN for fewer than three strengths.
    """
    known = table[table["value"].notna()]
    by = known.groupby("rollout_id", sort=False)
    strength = known["strength"] - by["strength"].transform("mean")
    sums = pd.DataFrame({"id": known["rollout_id"], "sv": strength * known["value"], "ss": strength**2})
    total = sums.groupby("id", sort=False).sum()
    slope = (total["sv"] / total["ss"]).where(by["strength"].nunique() >= 3)
    return slope.reindex(table["rollout_id"].unique())


def _known(values: ArrayLike, evals: ArrayLike, groups: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    value = np.asarray(values, dtype=float)
    keep = ~np.isnan(value)
    return value[keep], np.asarray(evals, dtype=str)[keep], np.asarray(groups, dtype=str)[keep]


def _macro(value: NDArray, names: NDArray, weights: NDArray, signs: NDArray | None = None) -> NDArray:
    """Macro mean under each column of weights [n, k], or of signs [n, k]."""
    means = []
    for name in np.unique(names):
        rows = names == name
        if signs is None:
            means.append(value[rows] @ weights[rows] / weights[rows].sum(axis=0))
        else:
            means.append(value[rows] @ signs[rows] / rows.sum())
    return np.mean(means, axis=0)


def _alone(means: ArrayLike) -> Interval:
    return Interval(float(np.asarray(means)[0]), np.nan, np.nan)  # one scenario cannot tell how much scenarios vary
