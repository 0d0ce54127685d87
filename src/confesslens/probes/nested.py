"""The headline score: layer, site, estimator and penalty all chosen inside each training fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from confesslens.probes.bootstrap import Interval, auroc_interval
from confesslens.probes.folds import FoldScores
from confesslens.probes.metrics import within_eval_auroc_columns

NO_PENALTY = float("nan")
"""The penalty of an estimator that has none."""


@dataclass(frozen=True)
class Choice:
    """What one fold chose from its training rows, and the inner AUROC that spoke for it."""

    fold: int
    layer: int
    site: str
    penalty: float
    inner_auroc: float
    estimator: str = "logistic"


@dataclass(frozen=True)
class Nested:
    """Nested cross-validation (Varma and Simon 2006): choosing never sees the rows that are scored.

    Attributes:
        score: [n] out-of-fold scores, comparable between folds; NaN where the chosen site is absent.
        choices: one a fold.
        auroc: within-evaluation AUROC with its scenario-clustered interval.
        shuffled_score: [n, shuffles] the same procedure on labels shuffled inside evaluations.
        shuffled_auroc: mean over the shuffles of the AUROC of `shuffled_score` for its own shuffled labels.
        shuffled_labels: [n, shuffles] those labels.
    """

    score: NDArray[np.float64]
    choices: list[Choice]
    auroc: Interval
    shuffled_score: NDArray[np.float64]
    shuffled_auroc: float
    shuffled_labels: NDArray[np.bool_]

    @property
    def fires(self) -> NDArray[np.bool_]:
        """[n] whether the probe says "bad": a score above 0 (false where the score is NaN)."""
        return np.nan_to_num(self.score, nan=-1.0) > 0


def choose_nested(
    cells: Sequence[tuple[int, str, str, list[FoldScores]]],
    labels: NDArray,
    evals: NDArray,
    groups: NDArray,
    penalties: Sequence[float],
    weights: NDArray,
) -> Nested:
    """Choose in every fold the layer, site, estimator and penalty with the best inner AUROC, and take their scores.

    The shuffled labels go through the very same choice, each column for itself.

    Args:
        cells: (layer, site, estimator, folds) of every candidate, all over the same outer folds.
        labels: [n, k] true labels first, then shuffled ones.
        evals: [n] evaluation names.
        groups: [n] scenarios.
        penalties: values of C.
        weights: [n, n_boot] bootstrap weights.
    """
    n, k = labels.shape
    out = np.full((n, k), np.nan)
    choices = []
    for fold in range(len(cells[0][3])):
        inner = np.stack([folds[fold].inner_auroc for *_, folds in cells])  # [cell, penalty, k]
        best = np.nan_to_num(inner, nan=0.5).reshape(-1, k).argmax(axis=0)
        for j in range(k):
            cell, penalty = divmod(int(best[j]), len(penalties))
            layer, site, estimator, folds = cells[cell]
            out[folds[fold].test, j] = folds[fold].scores[:, penalty, j]
            if j == 0:
                C = penalties[penalty] if estimator != "mass_mean" else NO_PENALTY
                choices.append(Choice(fold, layer, site, C, float(inner[cell, penalty, 0]), estimator))
    interval = auroc_interval(labels[:, 0], out[:, 0], evals, groups, weights=weights)
    chance = [
        float(within_eval_auroc_columns(labels[keep, j, None], out[keep, j, None], evals[keep])[0])
        for j in range(1, k)
        for keep in [~np.isnan(out[:, j])]
    ]
    return Nested(
        out[:, 0], choices, interval, out[:, 1:], float(np.mean(chance)) if chance else float("nan"), labels[:, 1:]
    )
