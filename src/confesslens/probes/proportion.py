"""Intervals of shares: of independent rows, of rows that share scenarios, and of a mean over evaluations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri, stdtrit

from confesslens.probes.bootstrap import Interval

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
    if k == 0:
        return Interval(0.0, 0.0, float(betaincinv(1, n, (1 + level) / 2)))
    if k == n:
        return Interval(1.0, float(betaincinv(n, 1, (1 - level) / 2)), 1.0)
    p, z = k / n, ndtri((1 + level) / 2)
    centre, reach = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = (centre + np.array([-reach, reach])) / (1 + z**2 / n)
    return Interval(p, float(low), float(high))


def clustered_wilson(hits: ArrayLike, groups: ArrayLike, level: float = 0.95) -> Interval:
    """Share of hits with a Wilson interval at the effective sample size n / deff of rows that share scenarios.

    deff is Kish's design effect (1965, Survey Sampling): the cluster-robust variance of the share over its variance
    under independence, at least 1. As deff is estimated, n / deff is shrunk further by the squared ratio of Student's
    quantiles, in the manner of Korn and Graubard (1998, Survey Methodology 24); their degrees of freedom, those of the
    clusters, make it too wide where deff is cut at 1, so they are the geometric mean of clusters and n / deff, less
    one. Where every row agrees the data cannot show deff, so each scenario counts once.

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
    effective = effective_size(hits, cluster, level)
    interval = wilson(k / n * effective, effective, level)
    return Interval(k / n, interval.low, interval.high)


def macro_share(hits: ArrayLike, evals: ArrayLike, groups: ArrayLike, level: float = 0.95) -> Interval:
    """Mean over evaluations of the share of hits.

    The limits of the evaluations' own shares (`clustered_wilson`) are put together by MOVER (Zou and Donner 2008,
    Statistics in Medicine 27, equation 4): the mean less the root of the mean squared distances to the lower limits,
    and likewise above. It needs no resampling, and holds where some evaluations have no hit at all.

    Args:
        hits: [n] booleans.
        evals: [n] evaluation names.
        groups: [n] scenarios.
        level: of the interval.
    """
    hit, names, clusters = np.asarray(hits, dtype=bool), np.asarray(evals), np.asarray(groups)
    if not len(hit):
        return _UNKNOWN
    each = [clustered_wilson(hit[of], clusters[of], level) for of in (names == name for name in np.unique(names))]
    return mover_mean(np.array([[share.estimate, share.low, share.high] for share in each]))


def mover_mean(limits: NDArray[np.float64]) -> Interval:
    """Mean of independent estimates with the interval that their own limits [k, (estimate, low, high)] give it."""
    estimate, low, high = limits.T
    mean = estimate.mean()
    below, above = (np.sqrt(((estimate - limit) ** 2).sum()) / len(limits) for limit in (low, high))
    return Interval(float(mean), float(mean - below), float(mean + above))


def effective_size(values: NDArray, cluster: NDArray[np.intp], level: float = 0.95) -> float:
    """How many independent rows would tell as much about the mean of `values` [n] as these rows do, 1..n.

    Args:
        values: [n] numbers or booleans that are not all alike.
        cluster: [n] number of each row's cluster.
        level: of the interval that it is for: the fewer rows, the wider Student's quantile.
    """
    n, n_clusters = len(values), int(cluster.max()) + 1
    if n_clusters == 1:
        return 1.0
    off = values - values.mean()
    robust = n_clusters / (n_clusters - 1) * (np.bincount(cluster, weights=off) ** 2).sum() / n**2
    size = n / max(1.0, robust / ((off**2).sum() / n / (n - 1)))
    wide, narrow = stdtrit([max((size * n_clusters) ** 0.5 - 1, 1.0), n - 1], (1 + level) / 2)
    return float(max(1.0, size * (narrow / wide) ** 2))
