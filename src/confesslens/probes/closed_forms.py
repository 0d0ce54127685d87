"""Out-of-fold scores of estimators that are linear in the labels: ridge and mass-mean, all label columns at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from confesslens.probes.cv import contrast_weights
from confesslens.probes.folds import FoldPlan, FoldScores, fold_scores
from confesslens.probes.tall import Features, TallRows, gram, less, means_of, transposed_times

Array = NDArray[np.float64]


def centred(x: Features, labels: NDArray, code: NDArray) -> tuple[Features, Array, Array]:
    """Features and labels less their mean in their evaluation: what is left is the contrast inside evaluations.

    Args:
        x: [m, d] training rows.
        labels: [m, k] label columns.
        code: [m] number of each row's evaluation.

    Returns:
        features [m, d], labels [m, k] and the means [evaluations, d] (0 for one that has no rows).
    """
    y, means = np.asarray(labels, dtype=np.float64), means_of(x, code)
    return less(x, means, code), y - means_of(y, code)[code], means


def ridge_alpha(C: float | NDArray) -> float | NDArray:
    """The ridge penalty that pulls about as much as L2 logistic regression with this C: near 0 the logistic loss bends
    by a quarter, and ridge's by 1 on labels -1 and 1."""
    return 4.0 / C


def ridge_fold(z: Features, plan: FoldPlan, evals: NDArray) -> FoldScores:
    """One outer fold of ridge regression, with an intercept for each evaluation, at `ridge_alpha` of each penalty.

    Args:
        z: [n, r] standardised features (or coordinates of them), from `linear_features`.
        plan: from `plan_fold`.
        evals: [n] evaluation codes.
    """

    def directions(x: Features, y: NDArray) -> list[Array]:
        matrix, aim = gram(x), transposed_times(x, y)
        diagonal = np.diag(matrix).copy()
        found = []
        for C in plan.distinct_penalties:
            np.fill_diagonal(matrix, diagonal + ridge_alpha(C))
            found.append(cho_solve(cho_factor(matrix, check_finite=False), aim, check_finite=False))
        return found

    return _fold(z, plan, evals, directions)


def mass_mean_fold(x: Features, plan: FoldPlan, evals: NDArray) -> FoldScores:
    """One outer fold of the difference of the class means inside evaluations, in raw space; there is no penalty.

    Args:
        x: [n, d] activations.
        plan: from `plan_fold`.
        evals: [n] evaluation codes.
    """
    wide = x if isinstance(x, TallRows) else np.asarray(x, dtype=np.float64)
    found = _fold(wide, plan, evals, lambda x, y: [transposed_times(x, y)])
    width = len(plan.distinct_penalties)  # the same at every penalty
    scores, inner = found.scores.repeat(width, axis=1), found.inner_auroc.repeat(width, axis=0)
    return FoldScores(found.test, scores, inner)


def _fold(
    z: Features, plan: FoldPlan, evals: NDArray, directions: Callable[[Features, NDArray], list[Array]]
) -> FoldScores:
    train, labels = plan.train, plan.label_columns
    code = evals[train]

    def score(fit: NDArray | slice, ask: Features) -> Array:
        """[ask, penalty, k]: 0 is half way between the classes, which weigh the same in every evaluation."""
        rows, y, name = z[train][fit], labels[fit], code[fit]
        x, aim, _ = centred(rows, y, name)
        weight = contrast_weights(y, name)
        out = []
        for direction in directions(x, aim):
            at = rows @ direction
            middle = [
                np.divide((w * at).sum(axis=0), w.sum(axis=0), out=np.zeros(at.shape[1]), where=w.sum(axis=0) > 0)
                for w in (weight * y, weight * ~y)
            ]
            out.append(ask @ direction - (middle[0] + middle[1]) / 2)
        return np.stack(out, axis=1)

    scores = score(slice(None), z[plan.test])
    validated = np.zeros((len(train), *scores.shape[1:]))
    for fit, validate in plan.inner:
        validated[validate] = score(fit, z[train[validate]])
    return fold_scores(plan, evals, validated, scores)
