"""Out-of-fold scores for one block of features: every penalty, true and shuffled labels, in one go a fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from confesslens.probes.cv import Split, contrast_weights, scenario_folds
from confesslens.probes.metrics import within_eval_auroc_columns
from confesslens.probes.solver import fit_columns
from confesslens.probes.tall import Features


@dataclass(frozen=True)
class FoldScores:
    """What one outer fold gives for one block of features (k label columns: the true one first, then shuffled ones).

    Attributes:
        test: [m] row indices that were held out.
        scores: [m, penalty, k] scores of the held-out rows, as in `score_fold`.
        inner_auroc: [penalty, k] within-evaluation AUROC of the inner out-of-fold scores; training rows only.
    """

    test: NDArray[np.intp]
    scores: NDArray[np.float64]
    inner_auroc: NDArray[np.float64]

    def best_penalty(self) -> NDArray[np.intp]:
        """[k] index of the penalty with the best inner AUROC; the first (strongest) one on ties."""
        return np.nan_to_num(self.inner_auroc, nan=0.5).argmax(axis=0)


def shuffled_labels(labels: NDArray, evals: NDArray, shuffles: int, seed: int) -> NDArray[np.bool_]:
    """[n, 1 + shuffles] labels: the true ones, then copies permuted inside each evaluation."""
    rng = np.random.default_rng(seed)
    columns = np.repeat(np.asarray(labels, dtype=bool)[:, None], 1 + shuffles, axis=1)
    for name in np.unique(evals):
        rows = np.flatnonzero(evals == name)
        for j in range(1, 1 + shuffles):
            columns[rows, j] = columns[rng.permutation(rows), j]
    return columns


@dataclass(frozen=True)
class FoldPlan:
    """All fits of one outer fold, ready to run on any layer or site: columns in the order (part, penalty, labels).

    Parts are the inner folds' training rows, then all training rows (the refit).
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    inner: list[Split]
    shape: tuple[int, int, int]
    labels: NDArray[np.bool_]
    weights: NDArray[np.float64]
    penalties: NDArray[np.float64]

    @property
    def label_columns(self) -> NDArray[np.bool_]:
        """[m, k] labels of the training rows, each column once."""
        return self.labels[:, : self.shape[2]]

    @property
    def distinct_penalties(self) -> list[float]:
        """Each penalty once, in order."""
        return [float(c) for c in self.penalties.reshape(self.shape)[0, :, 0]]


def plan_fold(
    labels: NDArray,
    groups: NDArray,
    evals: NDArray,
    split: Split,
    penalties: Sequence[float],
    inner: int,
    seed: int,
) -> FoldPlan:
    """Lay out the fits of one outer fold.

    Args:
        labels: [n, k] label columns, the true one first.
        groups: [n] scenarios.
        evals: [n] evaluation names or codes.
        split: (train, test) row indices.
        penalties: values of C, strongest penalty (smallest C) first.
        inner: most inner folds.
        seed: of the inner folds.

    Raises:
        TooLittleData: the training rows hold fewer than two scenarios.
    """
    train, test = split
    y, names = labels[train], evals[train]
    splits = scenario_folds(y[:, 0], groups[train], names, inner, seed)
    parts = [np.isin(np.arange(len(train)), fit) for fit, _ in splits] + [np.ones(len(train), dtype=bool)]
    weights = np.zeros((len(train), len(parts), len(penalties), labels.shape[1]))
    for i, rows in enumerate(parts):
        weights[rows, i] = contrast_weights(y[rows], names[rows])[:, None]
    shape = weights.shape[1:]
    cs = np.broadcast_to(np.asarray(penalties, dtype=float)[None, :, None], shape).reshape(-1)
    tiled = np.tile(y, len(penalties) * len(parts))
    return FoldPlan(train, test, splits, shape, tiled, weights.reshape(len(train), -1), cs)


def score_fold(z: Features, plan: FoldPlan, evals: NDArray) -> FoldScores:
    """Fit logistic regressions on the training rows of one outer fold, at every penalty and label column, and score
    the held-out rows.

    Args:
        z: [n, r] features whose scaling was taken from the training rows only.
        plan: from `plan_fold`.
        evals: [n] evaluation names or codes.
    """
    train, test = plan.train, plan.test
    parts, width = plan.shape[0], plan.shape[1] * plan.shape[2]
    coef, bias = fit_columns(z[train], plan.labels, plan.weights, plan.penalties)
    coef, bias = coef.reshape(-1, parts, width), bias.reshape(parts, width)

    validated = np.empty((len(train), width))
    for i, (_, validate) in enumerate(plan.inner):
        validated[validate] = z[train[validate]] @ coef[:, i] + bias[i]
    scores = z[test] @ coef[:, -1] + bias[-1]
    shape = plan.shape[1:]
    return fold_scores(plan, evals, validated.reshape(-1, *shape), scores.reshape(-1, *shape))


def fold_scores(plan: FoldPlan, evals: NDArray, validated: NDArray, scores: NDArray) -> FoldScores:
    """Inner AUROCs, and held-out scores that compare between folds, layers, penalties and estimators.

    Scores are divided by the spread of the inner out-of-fold scores of the same layer, site, penalty and estimator: no
    held-out row takes part, and 0 keeps its meaning (even odds when both acts are as common).

    Args:
        plan: from `plan_fold`.
        evals: [n] evaluation names or codes.
        validated: [m_train, penalty, k] inner out-of-fold scores.
        scores: [m_test, penalty, k] scores of the held-out rows.
    """
    flat, shape = validated.reshape(len(validated), -1), validated.shape[1:]
    inner_auroc = within_eval_auroc_columns(np.tile(plan.label_columns, shape[0]), flat, evals[plan.train])
    spread = flat.std(axis=0).reshape(shape)
    return FoldScores(plan.test, scores / np.where(spread > 0, spread, 1.0), inner_auroc.reshape(shape))
