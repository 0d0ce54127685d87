"""AUROC inside evaluations: the one number by which scores are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def auroc(y: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve; tied scores count half (the Mann-Whitney statistic).

    Args:
        y: [n] labels, true for the positive class.
        scores: [n] scores, higher for the positive class; no NaN.

    Returns:
        A number in 0..1, or NaN when one of the classes is empty.
    """
    y, scores = np.asarray(y, dtype=bool), np.asarray(scores, dtype=float)
    _check_rows(y, scores)
    return float(_auroc_columns(y[:, None], scores[:, None])[0])


def within_eval_auroc(y: ArrayLike, scores: ArrayLike, evals: ArrayLike) -> float:
    """Weighted mean of the AUROCs inside each evaluation; rows of different evaluations are never compared.

    An evaluation weighs n_pos n_neg / (n + 1), as in van Elteren's stratified rank test (1960): one whose rarer class
    has a single rollout says little, and an equal share for it would make the mean a toss of a coin.

    Args:
        y: [n] labels, true for the positive class.
        scores: [n] scores; rows whose score is NaN are left out.
        evals: [n] evaluation names.

    Returns:
        The mean over the evaluations that have both classes, or NaN when none has.
    """
    y, scores, evals = np.asarray(y, dtype=bool), np.asarray(scores, dtype=float), np.asarray(evals)
    _check_rows(y, scores, evals)
    keep = ~np.isnan(scores)
    return float(within_eval_auroc_columns(y[keep, None], scores[keep, None], evals[keep])[0])


def mixed_evals(y: ArrayLike, evals: ArrayLike) -> list[str]:
    """Names of the evaluations in which both classes occur, sorted."""
    y, evals = np.asarray(y, dtype=bool), np.asarray(evals)
    return sorted({str(e) for e in evals[y]} & {str(e) for e in evals[~y]})


def within_eval_auroc_columns(y: NDArray, scores: NDArray, evals: NDArray) -> NDArray[np.float64]:
    """`within_eval_auroc` for many columns at once.

    Args:
        y: [n, k] labels, or [n, 1] when all columns share them.
        scores: [n, k] scores without NaN.
        evals: [n] evaluation names or codes.

    Returns:
        [k] means, NaN where no evaluation has both classes.
    """
    total = np.zeros(scores.shape[1])
    count = np.zeros(scores.shape[1])
    for name in np.unique(evals):
        rows = evals == name
        area = _auroc_columns(y[rows], scores[rows])
        known = ~np.isnan(area)
        weight = elteren_weight(np.broadcast_to(y[rows].sum(axis=0), area.shape), rows.sum()) * known
        total[known] += (weight * area)[known]
        count += weight
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def elteren_weight(n_pos: NDArray, n: NDArray | int) -> NDArray[np.float64]:
    """How much an evaluation with `n_pos` of `n` rows positive weighs in the mean of AUROCs."""
    return np.asarray(n_pos * (n - n_pos) / (n + 1.0), dtype=float)


def _auroc_columns(y: NDArray, scores: NDArray) -> NDArray[np.float64]:
    n_pos = np.broadcast_to(y.sum(axis=0), scores.shape[1]).astype(float)
    n_neg = len(y) - n_pos
    pairs = n_pos * n_neg
    if not pairs.any():
        return np.full(scores.shape[1], np.nan)
    wins = _rank_sums(np.broadcast_to(y, scores.shape), scores) - n_pos * (n_pos + 1) / 2
    return np.divide(wins, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)


def _rank_sums(y: NDArray, scores: NDArray) -> NDArray[np.float64]:
    """[k] sum of the positives' ranks in each column; columns without ties take a fast way."""
    columns = np.ascontiguousarray(scores.T)
    order = np.argsort(columns, axis=1)
    ranked = np.take_along_axis(columns, order, axis=1)
    tied = (ranked[:, 1:] == ranked[:, :-1]).any(axis=1)
    sums = np.take_along_axis(y.T, order, axis=1) @ np.arange(1.0, len(y) + 1)
    if tied.any():
        sums[tied] = (rankdata(scores[:, tied], axis=0) * y[:, tied]).sum(axis=0)
    return sums


def _check_rows(y: NDArray, *others: NDArray) -> None:
    lengths = [len(y), *(len(o) for o in others)]
    if len(set(lengths)) > 1:
        raise ValueError(f"labels, scores (and evaluations) need one entry a row each, got lengths {lengths}")
