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
    keep = np.asarray(base, dtype=bool)
    hit, names, clusters = np.asarray(hits, dtype=bool)[keep], np.asarray(evals)[keep], np.asarray(groups)[keep]
    if not len(hit):
        return Interval(np.nan, np.nan, np.nan)
    if hit.all() or not hit.any():
        n = len(np.unique(clusters))
        return wilson(n if hit.all() else 0, n, level)
    weights = np.column_stack([np.ones(len(hit)), resample_weights(clusters, names, n_boot, seed)])
    shares = [_share(hit[rows], weights[rows]) for rows in (names == e for e in np.unique(names))]
    means = np.mean(shares, axis=0)
    return percentile_interval(float(means[0]), means[1:], level)


def _share(hits: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return hits @ weights / weights.sum(axis=0)
