"""The max-of-windows probe: a sequence is as bad as its worst few tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from confesslens.probes.estimators.linear import (
    LinearProbe,
    class_weighted,
    labels_of,
    probabilities,
    sample_weights,
    span,
    two_classes,
)
from confesslens.probes.estimators.tokens import read_tokens, sums, windows


class MaxWindowProbe(LinearProbe, ClassifierMixin, BaseEstimator):
    """Logistic regression on the window of tokens that scores highest.

    The score of a sequence is the maximum over windows of `width` consecutive tokens of mean(x_t) @ direction + bias:
    the "max of rolling means" of McKenzie et al. 2025 (arXiv 2506.10805). The fit goes in turns, as in
    multiple-instance learning (Andrews, Tsochantaridis and Hofmann 2003): a logistic regression on one window a
    sequence, then each sequence takes the window that it scores highest, until none changes. It starts from the mean
    of all windows and keeps the turn with the least loss; the optimum found may be a local one. Windows are
    standardised (each sequence weighs the same) and the scaling is folded into `direction` and `bias`.

    X is a list or object array of [tokens, d], or padded [n, t, d] with `lengths`; a sequence shorter than `width` is
    one window. A plain [n, d] is n sequences of one token, where the probe is logistic regression: in that form
    scikit-learn's checks of 2-D estimators hold. Its tools that index X (cross_val_score) take the object array.

    Args:
        width: tokens in a window; 1 is the maximum over tokens.
        C: inverse penalty strength.
        class_weight: "balanced" (both classes weigh the same), None, or a dict, as in scikit-learn.
        max_iter: most turns.

    Attributes:
        direction: [d] in raw activation units, pointing to `classes_[1]`.
        bias: of the decision function.
        classes_: [2] sorted labels.
        n_iter_: turns taken.
    """

    readout = "score = max over windows of tokens of mean(window) @ direction + bias"
    reads = "tokens"

    def __init__(self, width: int = 8, C: float = 0.1, class_weight: Any = "balanced", max_iter: int = 30) -> None:
        self.width = width
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, lengths: ArrayLike | None = None
    ) -> MaxWindowProbe:
        """Fit on ragged activations of n sequences and labels [n] of two classes.

        Raises:
            ValueError: for a width below 1, more or fewer than two classes, an empty sequence, NaN values, or unequal
                lengths.
        """
        if self.width < 1:
            raise ValueError(f"width is {self.width}; expected 1 token or more")
        tokens, bounds = read_tokens(self, X, lengths, reset=True)
        labels = np.asarray(column_or_1d(y, warn=True))
        check_consistent_length(bounds[1:], labels)
        self.classes_ = two_classes("MaxWindowProbe", labels)
        weight = sample_weights(sample_weight, labels, self.classes_)
        parts, bounds = windows(tokens, bounds, self.width)
        scaler = StandardScaler().fit(parts, sample_weight=np.repeat(weight / np.diff(bounds), np.diff(bounds)))
        rows, basis = span(scaler.transform(parts))
        weight = class_weighted(weight, labels, self.classes_, self.class_weight)
        coef, bias, self.n_iter_ = _fit(rows, bounds, labels == self.classes_[1], weight, self.C, self.max_iter)
        self.direction_ = (coef if basis is None else basis @ coef) / scaler.scale_
        self.bias_ = float(bias - scaler.mean_ @ self.direction_)
        return self

    def window_scores(self, X: Any, lengths: ArrayLike | None = None) -> list[NDArray[np.float64]]:
        """For each sequence the score of each of its windows, in log-odds; window i begins at token i."""
        check_is_fitted(self, "direction_")
        parts, bounds = windows(*read_tokens(self, X, lengths), self.width)
        return np.split(parts @ self.direction_ + self.bias_, bounds[1:-1])

    def decision_function(self, X: Any, lengths: ArrayLike | None = None) -> NDArray[np.float64]:
        """Scores [n] of n sequences, in log-odds; above 0 means `classes_[1]`."""
        check_is_fitted(self, "direction_")
        parts, bounds = windows(*read_tokens(self, X, lengths), self.width)
        return np.maximum.reduceat(parts @ self.direction_, bounds[:-1]) + self.bias_

    def predict(self, X: Any, lengths: ArrayLike | None = None) -> NDArray:
        """Labels [n] of n sequences."""
        return labels_of(self.decision_function(X, lengths), self.classes_)

    def predict_proba(self, X: Any, lengths: ArrayLike | None = None) -> NDArray[np.float64]:
        """Probabilities [n, 2] in the order of `classes_`, under the class weights of the fit (not base rates)."""
        return probabilities(self.decision_function(X, lengths))


def _fit(
    rows: NDArray, bounds: NDArray[np.intp], positive: NDArray, weight: NDArray, C: float, max_iter: int
) -> tuple[NDArray[np.float64], float, int]:
    """Coefficients [d], bias and turns on standardised windows [total, d]."""
    features = sums(rows, bounds) / np.diff(bounds)[:, None]
    best: tuple[float, NDArray, float] | None = None
    seen: set[bytes] = set()
    turns = 0
    for _ in range(max_iter):
        inner = LogisticRegression(C=C, tol=1e-6, max_iter=5000).fit(features, positive, sample_weight=weight)
        coef, bias = inner.coef_[0], float(inner.intercept_[0])
        window = rows @ coef
        chosen = np.array([a + window[a:b].argmax() for a, b in zip(bounds[:-1], bounds[1:], strict=True)])
        score = window[chosen] + bias
        loss = weight @ (np.logaddexp(0, score) - positive * score) + coef @ coef / (2 * C)
        if best is None or loss < best[0]:
            best = (loss, coef, bias)
        turns += 1
        if chosen.tobytes() in seen:  # nothing changes any more, or the turns go round in a circle
            break
        seen.add(chosen.tobytes())
        features = rows[chosen]
    if best is None:
        raise ValueError(f"max_iter is {max_iter}; expected 1 turn or more")
    return best[1], best[2], turns
