"""The attention probe: a learned query says which tokens count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit
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
from confesslens.probes.estimators.tokens import read_tokens, sequence_of, sums


class AttentionProbe(LinearProbe, ClassifierMixin, BaseEstimator):
    """Logistic regression on an attention-weighted mean of the tokens, the attention learned with it.

    The score of a sequence is sum_t a_t (x_t @ direction) + bias with a = softmax(x_t @ query): one head of the
    attention probe of McKenzie et al. 2025 (arXiv 2506.10805). Tokens are standardised (each sequence weighs
    the same), direction and query have an L2 penalty, and the scaling is folded into both. Fitted by L-BFGS from the
    mean-pooled logistic regression and a query of 0, so that a fit is deterministic; the loss is not convex, and the
    optimum found may be a local one.

    X is a list or object array of [tokens, d], or padded [n, t, d] with `lengths`. A plain [n, d] is n sequences of
    one token, where the probe is logistic regression: in that form scikit-learn's checks of 2-D estimators hold.
    scikit-learn's tools that index X (cross_val_score, GridSearchCV) take the object array.

    Args:
        C: inverse penalty strength, of direction and query alike.
        class_weight: "balanced" (both classes weigh the same), None, or a dict, as in scikit-learn.
        max_iter: most steps of L-BFGS.

    Attributes:
        direction: [d] in raw activation units, pointing to `classes_[1]`.
        query: [d] in raw activation units; the attention of a token before the softmax is `x @ query`.
        bias: of the decision function.
        classes_: [2] sorted labels.
        n_iter_: steps taken.
    """

    readout = "score = sum over tokens of softmax(token @ query) * (token @ direction), + bias"
    reads = "tokens"

    def __init__(self, C: float = 0.1, class_weight: Any = "balanced", max_iter: int = 500) -> None:
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, lengths: ArrayLike | None = None
    ) -> AttentionProbe:
        """Fit on ragged activations of n sequences and labels [n] of two classes.

        Raises:
            ValueError: for more or fewer than two classes, an empty sequence, NaN values, or unequal lengths.
        """
        tokens, bounds = read_tokens(self, X, lengths, reset=True)
        labels = np.asarray(column_or_1d(y, warn=True))
        check_consistent_length(bounds[1:], labels)
        self.classes_ = two_classes("AttentionProbe", labels)
        weight = sample_weights(sample_weight, labels, self.classes_)
        share = np.repeat(weight / np.diff(bounds), np.diff(bounds))
        scaler = StandardScaler().fit(tokens, sample_weight=share)
        rows, basis = span(scaler.transform(tokens))
        weight = class_weighted(weight, labels, self.classes_, self.class_weight)
        coef, query, bias, self.n_iter_ = _fit(rows, bounds, labels == self.classes_[1], weight, self.C, self.max_iter)
        if basis is not None:
            coef, query = basis @ coef, basis @ query
        self.direction_, self.query_ = coef / scaler.scale_, query / scaler.scale_
        self.bias_ = float(bias - scaler.mean_ @ self.direction_)
        return self

    @property
    def query(self) -> NDArray[np.float64]:
        """[d] what a token is attended by, in raw activation units."""
        check_is_fitted(self, "direction_")
        return self.query_

    def attention(self, X: Any, lengths: ArrayLike | None = None) -> list[NDArray[np.float64]]:
        """For each sequence the weight of each of its tokens, summing to 1."""
        check_is_fitted(self, "direction_")
        tokens, bounds = read_tokens(self, X, lengths)
        return np.split(_softmax(tokens @ self.query_, bounds), bounds[1:-1])

    def decision_function(self, X: Any, lengths: ArrayLike | None = None) -> NDArray[np.float64]:
        """Scores [n] of n sequences, in log-odds; above 0 means `classes_[1]`."""
        check_is_fitted(self, "direction_")
        tokens, bounds = read_tokens(self, X, lengths)
        attention = _softmax(tokens @ self.query_, bounds)
        return sums(attention * (tokens @ self.direction_), bounds) + self.bias_

    def predict(self, X: Any, lengths: ArrayLike | None = None) -> NDArray:
        """Labels [n] of n sequences."""
        return labels_of(self.decision_function(X, lengths), self.classes_)

    def predict_proba(self, X: Any, lengths: ArrayLike | None = None) -> NDArray[np.float64]:
        """Probabilities [n, 2] in the order of `classes_`, under the class weights of the fit (not base rates)."""
        return probabilities(self.decision_function(X, lengths))


def _softmax(logits: NDArray, bounds: NDArray[np.intp]) -> NDArray[np.float64]:
    of = sequence_of(bounds)
    power = np.exp(logits - np.maximum.reduceat(logits, bounds[:-1])[of])
    return power / sums(power, bounds)[of]


def _fit(
    rows: NDArray, bounds: NDArray[np.intp], positive: NDArray, weight: NDArray, C: float, max_iter: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, int]:
    """Coefficients [d], query [d], bias and steps on standardised tokens [total, d]."""
    of, d = sequence_of(bounds), rows.shape[1]
    pooled = sums(rows, bounds) / np.diff(bounds)[:, None]
    start = LogisticRegression(C=C, tol=1e-6, max_iter=5000).fit(pooled, positive, sample_weight=weight)

    def loss(theta: NDArray) -> tuple[float, NDArray]:
        coef, query, bias = theta[:d], theta[d:-1], theta[-1]
        value, logit = (rows @ np.column_stack([coef, query])).T
        attention = _softmax(logit, bounds)
        mean = sums(attention * value, bounds)
        score = mean + bias
        size = weight @ (np.logaddexp(0, score) - positive * score) + (theta[:-1] ** 2).sum() / (2 * C)
        slope = weight * (expit(score) - positive)
        pull = attention * slope[of]
        gradient = rows.T @ np.column_stack([pull, pull * (value - mean[of])])
        return float(size), np.concatenate([gradient.T.ravel() + theta[:-1] / C, [slope.sum()]])

    theta = np.concatenate([start.coef_[0], np.zeros(d), start.intercept_])
    found = minimize(loss, theta, jac=True, method="L-BFGS-B", options={"maxiter": max_iter, "gtol": 1e-6})
    return found.x[:d], found.x[d:-1], float(found.x[-1]), max(1, int(found.nit))
