"""Averages over evaluations: each evaluation counts the same, and scenarios are resampled inside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from confesslens.faithfulness.rates import wilson
from confesslens.probes import Interval, resample_weights
from confesslens.probes.bootstrap import percentile_interval


def macro_share(
    hits: ArrayLike,
    base: ArrayLike,
    evals: ArrayLike,
    groups: ArrayLike,
    n_boot: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Mean over evaluations of the share of hits among the rows in `base`, with a scenario-clustered interval.

    Where every row agrees no resample varies; the interval is then Clopper-Pearson's with each scenario counted once.

    Args:
        hits: [n] booleans.
        base: [n] booleans, the denominator; evaluations without such rows are left out.
        evals: [n] evaluation names.
        groups: [n] scenarios.
        n_boot: number of draws.
        seed: of the random draws.
        level: of the interval.
    """
    base = np.asarray(base, dtype=bool)
    hits = np.asarray(hits, dtype=bool)[base]
    evals, groups = np.asarray(evals)[base], np.asarray(groups)[base]
    if not len(hits):
        return Interval(np.nan, np.nan, np.nan)
    weights = np.column_stack([np.ones(len(hits)), resample_weights(groups, evals, n_boot, seed)])
    shares = [_share(hits[rows], weights[rows]) for rows in (evals == e for e in np.unique(evals))]
    means = np.mean(shares, axis=0)
    if hits.all() or not hits.any():
        n = len(np.unique(groups))
        return wilson(n if hits.all() else 0, n, level)
    return percentile_interval(float(means[0]), means[1:], level)


def _share(hits: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return hits @ weights / weights.sum(axis=0)
