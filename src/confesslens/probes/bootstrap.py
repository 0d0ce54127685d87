"""Intervals that respect clusters: whole scenarios are resampled, inside their evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from confesslens.probes.cv import rarer_scenarios
from confesslens.probes.metrics import elteren_weight, within_eval_auroc_columns


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; low and high are NaN where the data cannot give one."""

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:.2f} ({self.low:.2f}–{self.high:.2f})"


def resample_weights(
    groups: ArrayLike, strata: ArrayLike | None = None, n_boot: int = 2000, seed: int = 0
) -> NDArray[np.float64]:
    """How often each row is drawn when whole clusters are resampled with replacement inside their stratum.

    Args:
        groups: [n] cluster of each row (the scenario).
        strata: [n] stratum of each row (the evaluation); a cluster that lies in two strata counts once in each.
        n_boot: number of draws.
        seed: of the random draws.

    Returns:
        [n, n_boot] whole numbers as floats, ready for matrix products.
    """
    groups = np.asarray(groups)
    strata = np.zeros(len(groups), dtype=int) if strata is None else np.asarray(strata)
    if len(groups) != len(strata):
        raise ValueError(f"groups and strata need one entry a row each, got lengths {len(groups)} and {len(strata)}")
    rng = np.random.default_rng(seed)
    weights = np.empty((len(groups), n_boot))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        names, cluster = np.unique(groups[rows], return_inverse=True)
        draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n_boot)
        weights[rows] = draws.T[cluster]
    return weights


def clustered_bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    groups: ArrayLike,
    strata: ArrayLike | None = None,
    n_boot: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Expanded percentile interval of any statistic, resampling scenarios inside their evaluation.

    Cluster bootstrap of Field and Welsh (2007). Draws for which the statistic is NaN are left out. For AUROCs
    `auroc_interval` gives the same answer much faster.

    Args:
        statistic: takes row indices [m] (with repeats) and returns a number.
        groups: [n] cluster of each row (the scenario).
        strata: [n] stratum of each row (the evaluation).
        n_boot: number of draws.
        seed: of the random draws.
        level: of the interval.
    """
    rows = np.arange(len(np.asarray(groups)))
    weights = resample_weights(groups, strata, n_boot, seed).astype(int)
    draws = np.array([statistic(np.repeat(rows, weights[:, b])) for b in range(n_boot)], dtype=float)
    names = np.zeros(len(rows), dtype=int) if strata is None else np.asarray(strata)
    counts = [len(np.unique(np.asarray(groups)[names == name])) for name in np.unique(names)]
    return percentile_interval(float(statistic(rows)), draws, expanded(level, counts))


def percentile_interval(estimate: float, draws: NDArray, level: float = 0.95) -> Interval:
    """Interval between percentiles of the draws; NaN when the estimate or more than half of the draws are."""
    draws = draws[~np.isnan(draws)] if len(draws) and np.isnan(draws).mean() <= 0.5 else draws[:0]
    if np.isnan(estimate) or not len(draws):
        return Interval(estimate, np.nan, np.nan)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high))


def gap_interval(first: NDArray, second: NDArray, level: float = 0.95) -> Interval:
    """`percentile_interval` of the difference of two statistics over the same draws, [1 + n_boot] each, estimate first.

    Without bounds where the difference never varies, as of two scores that both separate perfectly: the draws cannot
    show how uncertain that is.
    """
    gap = first - second
    found = percentile_interval(float(gap[0]), gap[1:], level)
    return found if found.high - found.low > 1e-12 else Interval(found.estimate, np.nan, np.nan)


def expanded(level: float, clusters: ArrayLike) -> float:
    """The level to take percentiles at, for an interval of `level` from few clusters.

    Resampling G clusters has the variance times (G - 1) / G and the tails of the normal law; the percentiles are those
    of Student's interval instead (expanded percentile interval: Hesterberg 2015, American Statistician 69, section
    3.3).

    Args:
        level: asked for.
        clusters: [strata] number of clusters in each stratum.
    """
    counts = np.maximum(np.asarray(clusters, dtype=float), 2)
    free = (counts - 1).sum()
    return float(2 * ndtr(np.sqrt(counts.sum() / free) * stdtrit(free, (1 + level) / 2)) - 1)


def mixed_clusters(y: NDArray, groups: NDArray, evals: NDArray) -> list[int]:
    """Scenarios of each evaluation with both classes."""
    return [
        len(np.unique(groups[of]))
        for of in (evals == name for name in np.unique(evals))
        if y[of].any() and not y[of].all()
    ]


def auroc_draws(y: ArrayLike, scores: ArrayLike, evals: ArrayLike, weights: NDArray) -> NDArray[np.float64]:
    """Within-evaluation AUROC under each of many row weightings.

    Args:
        y: [n] labels, true for the positive class.
        scores: [n] scores without NaN.
        evals: [n] evaluation names.
        weights: [n, n_boot] from `resample_weights`.

    Returns:
        [n_boot] weighted means. An evaluation that lost one class in a draw is left out of that draw; NaN where
        none is left.
    """
    y, scores, evals = np.asarray(y, dtype=bool), np.asarray(scores, dtype=float), np.asarray(evals)
    total = np.zeros(weights.shape[1])
    count = np.zeros(weights.shape[1])
    for name in np.unique(evals):
        rows = np.flatnonzero(evals == name)
        if not 0 < y[rows].sum() < len(rows):
            continue
        step = max(1, 2**22 // len(rows))  # so many draws at a time: of many rows they take several times their memory
        for start in range(0, len(total), step):
            some = slice(start, start + step)
            drawn = weights[rows, some]
            area = _weighted_auroc(y[rows], scores[rows], drawn)
            known = ~np.isnan(area)
            weight = elteren_weight(drawn[y[rows]].sum(axis=0), drawn.sum(axis=0)) * known
            total[some] += np.where(known, weight * area, 0.0)
            count[some] += weight
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def auroc_interval(
    y: ArrayLike,
    scores: ArrayLike,
    evals: ArrayLike,
    groups: ArrayLike,
    n_boot: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    weights: NDArray | None = None,
) -> Interval:
    """Within-evaluation AUROC with its scenario-clustered bootstrap interval (expanded for few scenarios).

    At perfect separation no resample varies; the interval then has the Clopper-Pearson bound for as many independent
    comparisons as the rarer class has scenarios.

    Args:
        y: [n] labels, true for the positive class, or [n, k] for labels of each score column's own.
        scores: [n] scores, or [n, k] for the mean AUROC of k score columns; rows with NaN are left out.
        evals: [n] evaluation names.
        groups: [n] scenarios.
        n_boot: number of draws.
        seed: of the random draws.
        level: of the interval.
        weights: [n, n_boot] draws to use again, from `resample_weights(groups, evals, n_boot, seed)`.
    """
    columns = np.asarray(scores, dtype=float).reshape(len(np.asarray(scores)), -1)
    keep = ~np.isnan(columns).any(axis=1)
    draws_of = resample_weights(groups, evals, n_boot, seed) if weights is None else weights
    labels, name, group = np.asarray(y, dtype=bool)[keep], np.asarray(evals)[keep], np.asarray(groups)[keep]
    columns, draws_of = columns[keep], draws_of if keep.all() else draws_of[keep]
    if not len(labels):
        return Interval(np.nan, np.nan, np.nan)
    labels = np.broadcast_to(labels.reshape(len(labels), -1), columns.shape)
    label = labels[:, 0]
    estimate = float(within_eval_auroc_columns(labels, columns, name).mean())
    if estimate in (0.0, 1.0):
        bound = ((1 - level) / 2) ** (1 / rarer_scenarios(label, group, name))
        return Interval(1.0, bound, 1.0) if estimate == 1.0 else Interval(0.0, 0.0, 1 - bound)
    pairs = zip(labels.T, columns.T, strict=True)
    draws = np.mean([auroc_draws(own, column, name, draws_of) for own, column in pairs], axis=0)
    return percentile_interval(estimate, draws, expanded(level, mixed_clusters(label, group, name)))


def auroc_difference(
    y: ArrayLike, first: ArrayLike, second: ArrayLike, evals: ArrayLike, weights: NDArray, level: float = 0.95
) -> Interval:
    """Within-evaluation AUROC of `first` minus that of `second`, paired: both see the same scenarios in every draw.

    Args:
        y: [n] labels, or [n, k] a column of labels for each column of scores.
        first: [n] or [n, k] scores; the mean over the columns counts.
        second: [n] or [n, l] scores, asked of `y` when that is [n], else of its column of the same number.
        evals: [n] evaluation names.
        weights: [n, n_boot] from `resample_weights`.
        level: of the interval.

    Rows with a NaN in either are left out.
    """
    a, b = (np.asarray(s, dtype=float).reshape(len(np.asarray(s)), -1) for s in (first, second))
    keep = ~np.isnan(np.hstack([a, b])).any(axis=1)
    if not keep.any():
        return Interval(np.nan, np.nan, np.nan)
    label, name = np.asarray(y, dtype=bool)[keep], np.asarray(evals)[keep]
    draws = np.column_stack([np.ones(int(keep.sum())), weights[keep]])
    return gap_interval(mean_draws(label, a[keep], name, draws), mean_draws(label, b[keep], name, draws), level)


def mean_draws(y: NDArray, scores: NDArray, evals: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """[n_boot] mean of `auroc_draws` over columns of scores [n, k], each for its own column of labels, or for [n]."""
    labels = np.broadcast_to(y.reshape(len(y), -1), (len(y), scores.shape[1]))
    return np.mean([auroc_draws(a, b, evals, weights) for a, b in zip(labels.T, scores.T, strict=True)], axis=0)


def _weighted_auroc(y: NDArray, scores: NDArray, weights: NDArray) -> NDArray[np.float64]:
    # For each positive: the weight of negatives that it beats, ties counted half, read off one cumulative sum.
    order = np.argsort(scores[~y], kind="stable")
    negative = np.vstack([np.zeros(weights.shape[1]), np.cumsum(weights[~y][order], axis=0)])
    ranked = scores[~y][order]
    below = negative[np.searchsorted(ranked, scores[y], side="left")]
    level = negative[np.searchsorted(ranked, scores[y], side="right")]
    positive = weights[y]
    pairs = positive.sum(axis=0) * negative[-1]
    wins = (positive * (below + level)).sum(axis=0) / 2
    return np.divide(wins, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)
