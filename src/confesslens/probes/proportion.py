"""Intervals of shares: of independent rows, of rows that share scenarios, and of a mean over evaluations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.proportion import proportion_confint

from confesslens.probes.bootstrap import Interval, percentile_interval, resample_weights

_UNKNOWN = Interval(np.nan, np.nan, np.nan)


def wilson(k: float, n: float, level: float = 0.95) -> Interval:
    """Share k / n with its Wilson (1927) interval, or Clopper-Pearson's (1934) at k = 0 and k = n.

    Args:
        k: hits; with an effective sample size it need not be whole.
        n: trials; 0 gives NaN.
        level: of the interval.

    Raises:
        ValueError: k outside of 0..n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"wilson needs 0 <= k <= n, got k = {k}, n = {n}")
    if n == 0:
        return _UNKNOWN
    method = "beta" if k in (0, n) else "wilson"
    low, high = proportion_confint(k, n, alpha=1 - level, method=method)
    return Interval(k / n, 0.0 if k == 0 else float(low), 1.0 if k == n else float(high))


def clustered_wilson(hits: ArrayLike, groups: ArrayLike, level: float = 0.95) -> Interval:
    """Share of hits with a Wilson interval at the effective sample size n / deff of rows that share scenarios.

    deff is Kish's design effect (1965, Survey Sampling): the cluster-robust variance of the share over its variance
    under independence, at least 1; n / deff in place of n follows Korn and Graubard (1998). Where every row agrees the
    data cannot show deff, so each scenario counts once.

    Args:
        hits: [n] booleans.
        groups: [n] scenarios.
        level: of the interval.
    """
    hits = np.asarray(hits, dtype=bool)
    n, k = len(hits), int(hits.sum())
    if n == 0:
        return _UNKNOWN
    cluster = np.unique(np.asarray(groups), return_inverse=True)[1]
    n_clusters = int(cluster.max()) + 1
    if k in (0, n):
        return wilson(n_clusters if k else 0, n_clusters, level)
    effective = _effective_size(hits, cluster, n_clusters)
    interval = wilson(k / n * effective, effective, level)
    return Interval(k / n, interval.low, interval.high)


def macro_share(
    hits: ArrayLike,
    evals: ArrayLike,
    groups: ArrayLike,
    n_boot: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Mean over evaluations of the share of hits, with an interval from scenarios resampled inside evaluations.

    Where every row agrees no resample varies; the interval is then Clopper-Pearson's with each scenario counted once.

    Args:
        hits: [n] booleans.
        evals: [n] evaluation names.
        groups: [n] scenarios.
        n_boot: number of draws.
        seed: of the random draws.
        level: of the interval.
    """
    hit, names, clusters = np.asarray(hits, dtype=bool), np.asarray(evals), np.asarray(groups)
    if not len(hit):
        return _UNKNOWN
    if hit.all() or not hit.any():
        n = len(np.unique(clusters))
        return wilson(n if hit.all() else 0, n, level)
    weights = np.column_stack([np.ones(len(hit)), resample_weights(clusters, names, n_boot, seed)])
    shares = [hit[rows] @ weights[rows] / weights[rows].sum(axis=0) for rows in (names == e for e in np.unique(names))]
    means = np.mean(shares, axis=0)
    return percentile_interval(float(means[0]), means[1:], level)


def _effective_size(hits: NDArray[np.bool_], cluster: NDArray[np.intp], n_clusters: int) -> float:
    if n_clusters == 1:
        return 1.0
    n, p = len(hits), hits.mean()
    sums = np.bincount(cluster, weights=hits - p, minlength=n_clusters)
    robust = n_clusters / (n_clusters - 1) * (sums**2).sum() / n**2
    return float(n / max(1.0, robust / (p * (1 - p) / (n - 1))))
