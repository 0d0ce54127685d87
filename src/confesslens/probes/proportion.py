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
    """Mean over evaluations of the share of hits, with a Wilson interval at the effective size of the whole sample.

    The evaluations are strata: the variance of the mean is the sum of their cluster-robust ones (each at least as under
    independence), the effective size is mean (1 - mean) over it, as Dean and Pagano (2015, Journal of Survey Statistics
    and Methodology 3) take it, shrunk like that of `clustered_wilson`; of one evaluation it is the same. An evaluation
    whose rows all agree cannot show its variance: it gets that of its scenarios with one more at the mean. Where no
    evaluation varies, each scenario counts once. In simulations of two to nine evaluations with rare acts, or with
    shares from none to all, it holds the truth 94 to 100 times in 100, where limits of the single shares put together
    (MOVER) hold it 87 to 100 times and are up to three times as wide.

    Args:
        hits: [n] booleans.
        evals: [n] evaluation names.
        groups: [n] scenarios.
        level: of the interval.
    """
    hit, names, clusters = np.asarray(hits, dtype=bool), np.asarray(evals), np.asarray(groups)
    if not len(hit):
        return _UNKNOWN
    each = [names == name for name in np.unique(names)]
    parts = [(hit[of], np.unique(clusters[of], return_inverse=True)[1]) for of in each]
    k, n = len(parts), len(hit)
    counts = np.array([cluster.max() + 1 for _, cluster in parts])
    mean = float(np.mean([hit.mean() for hit, _ in parts]))
    if mean in (0.0, 1.0):
        size = float(k**2 / (1 / counts).sum())
    else:
        variance = sum(_variance_of_share(*part, mean) for part in parts) / k**2
        size = mean * (1 - mean) * n / max(n - k, 1) / variance
        size = _shrunk(size, max((size * counts.sum()) ** 0.5 - k, 1.0), max(n - k, 1), level)
    interval = wilson(mean * size, size, level)
    return Interval(mean, interval.low, interval.high)


def _variance_of_share(hit: NDArray, cluster: NDArray[np.intp], mean: float) -> float:
    n_clusters, share = int(cluster.max()) + 1, hit.mean()
    if 0 < share < 1:
        return variance_of_mean(hit, cluster)
    share = (n_clusters * share + mean) / (n_clusters + 1)
    return float(share * (1 - share) / n_clusters)


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
    size = float(values.var()) * n / (n - 1) / variance_of_mean(values, cluster)
    return _shrunk(size, max((size * n_clusters) ** 0.5 - 1, 1.0), n - 1, level)


def variance_of_mean(values: NDArray, cluster: NDArray[np.intp]) -> float:
    """Variance of the mean of `values` [n], robust to clusters that hang together; at least that of independent rows.

    Args:
        values: [n] numbers or booleans.
        cluster: [n] number of each row's cluster. One alone cannot show how rows hang together, and counts as one row.
    """
    n, n_clusters = len(values), int(cluster.max()) + 1
    off = values - values.mean()
    alone = (off**2).sum() / n / max(n - 1, 1)
    if n_clusters == 1:
        return float(alone * n)
    robust = n_clusters / (n_clusters - 1) * (np.bincount(cluster, weights=off) ** 2).sum() / n**2
    return float(max(alone, robust))


def _shrunk(size: float, free: float, free_alone: float, level: float) -> float:
    """`size`, less what it takes to have Student's interval at `free` degrees of freedom instead of `free_alone`."""
    wide, narrow = stdtrit([free, free_alone], (1 + level) / 2)
    return float(max(1.0, size * (narrow / wide) ** 2))
