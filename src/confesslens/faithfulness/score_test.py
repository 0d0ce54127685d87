"""One coefficient of a logistic regression with clusters: its odds ratio, interval and p by flipping score sums."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from confesslens.faithfulness.clusters import flip_test, flips
from confesslens.faithfulness.firth import firth

FAR = 7.0
"""Log odds ratio a unit beyond which an interval is called unbounded."""


class Coefficient(NamedTuple):
    """A log odds ratio with its 95 % interval (infinite where the data do not bound it), p, and standard error."""

    estimate: float
    low: float
    high: float
    p: float
    error: float


def coefficient(
    x: NDArray[np.float64],
    others: NDArray[np.float64],
    y: NDArray[np.bool_],
    cluster: NDArray[np.intp],
    draws: int = 1999,
    seed: int = 0,
    interval: bool = True,
    level: float = 0.95,
) -> Coefficient:
    """Odds of `y` on `x`, given `others`.

    The estimate is Firth's. p is the score (wild cluster) bootstrap's with the null imposed and Rademacher signs
    (Kline and Santos 2012): the model is fitted without x, and the signs of the scenarios' effective scores are flipped
    (Hemerik, Goeman and Finos 2020). As x is not in that fit, x may separate y. The interval holds the values that the
    same test does not reject. `error` is the cluster-robust standard error under the null.

    Args:
        x: [n] the covariate that is asked about.
        others: [n, k] constants and the other covariates, of full column rank.
        y: [n] labels.
        cluster: [n] numbers of the clusters.
        draws: flips.
        seed: of the flips.
        interval: whether to search for the interval (the slow part).
        level: of the interval.
    """
    full = firth(np.column_stack([x, others]), y)
    estimate = float(full.coefficients[0])
    total, sums, information, start = _scores(x, others, y, cluster, 0.0)
    p = flip_test(sums, total, draws, seed)
    error = float(np.sqrt((sums**2).sum()) / information) if information > 0 else np.nan
    if not interval:
        return Coefficient(estimate, np.nan, np.nan, p, error)
    signs = flips(len(sums), draws, seed)

    def excess(beta: float) -> float:
        nonlocal start
        total, sums, _, start = _scores(x, others, y, cluster, beta, start)
        return abs(total) - float(np.quantile(np.abs(signs @ sums), level))

    ends = []
    for side in (-1.0, 1.0):
        reach = 2 * error if np.isfinite(error) and error > 0 else 1.0
        inner, outer = estimate, estimate + side * reach
        while excess(outer) < 0 and abs(outer) < FAR:
            inner, outer, reach = outer, outer + side * reach, 1.6 * reach
        bounded = abs(outer) < FAR and excess(inner) < 0
        ends.append(brentq(excess, inner, outer, xtol=0.01 * min(reach, 1.0)) if bounded else side * np.inf)
    return Coefficient(estimate, float(ends[0]), float(ends[1]), p, error)


def _scores(
    x: NDArray, others: NDArray, y: NDArray, cluster: NDArray, beta: float, start: NDArray | None = None
) -> tuple[float, NDArray[np.float64], float, NDArray[np.float64]]:
    """The score for x at `beta`, what each cluster adds to it, the information of x given the others, and the fit.

    The fit draws residuals towards zero, those of a cluster by its leverage; what the clusters add has that undone in
    the manner of CR2 (Bell and McCaffrey 2002, Survey Methodology 28, equation 12), or the null would be too narrow.
    """
    fit = firth(others, y, offset=beta * x, start=start)
    p = np.clip(fit.probabilities, 1e-9, 1 - 1e-9)
    root = np.sqrt(p * (1 - p))
    own, residual = root * x, (y - p) / root
    total, added, information = project(own, root[:, None] * others, residual, cluster)
    return total, added, information, fit.coefficients


def project(
    x: NDArray, others: NDArray, residual: NDArray, cluster: NDArray
) -> tuple[float, NDArray[np.float64], float]:
    """Sum of products of x, less its projection on `others`, with residuals of a fit on `others`; see `_scores`.

    Args:
        x: [n].
        others: [n, k] of full column rank.
        residual: [n] of least squares (weighted ones, with all rows scaled alike).
        cluster: [n] numbers of the clusters.

    Returns:
        the sum, what each cluster adds to it with its leverage undone, and the sum of squares of the projected x.
    """
    inverse = np.linalg.inv(others.T @ others)
    own = x - others @ (inverse @ (others.T @ x))
    # Clusters side by side, short ones filled up with rows of zeros.
    order = np.argsort(cluster, kind="stable")
    counts = np.bincount(cluster)
    place = np.arange(len(x)) - np.repeat(np.cumsum(counts) - counts, counts)
    at = (cluster[order], place)
    shape = (len(counts), int(counts.max()))
    z, r, w = np.zeros((*shape, others.shape[1])), np.zeros(shape), np.zeros(shape)
    z[at], r[at], w[at] = others[order], residual[order], own[order]
    size, axes = np.linalg.eigh(np.eye(shape[1]) - z @ inverse @ z.transpose(0, 2, 1))
    size[size < 1e-8] = np.inf  # what the fit takes wholly, such as the only scenario of an evaluation
    added = ((w[:, None] @ axes)[:, 0] * (r[:, None] @ axes)[:, 0] / np.sqrt(size)).sum(axis=1)
    return float(own @ residual), added, float((own**2).sum())
