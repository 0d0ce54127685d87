"""The CCS probe: contrast-consistent search, a direction from pairs of statements without labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from confesslens.probes.estimators.linear import LinearProbe, read_rows, span, two_classes
from confesslens.probes.metrics import auroc


class CCSProbe(LinearProbe, ClassifierMixin, BaseEstimator):
    """Contrast-consistent search (Burns et al. 2022, arXiv 2212.03827).

    Each row is a pair: the activations of a statement put as true and of the same statement put as false. Both halves
    are centred on their own, so that the wording of true and false drops out, and p = sigmoid(z @ theta + b) is to be
    consistent, (p_true + p_false - 1)^2, and confident, min(p_true, p_false)^2. The best of several random starts is
    kept.

    Three things differ from the paper. Both halves share one spread a feature, so that one direction serves both. The
    decay of the weights is a penalty, l2 |theta|^2 on standardised features. The log-odds of a pair are the mean of
    those of its halves, (logit p_true - logit p_false) / 2, where the paper averages probabilities: both are on the
    same side of even odds, always. So
    `decision_function == (X_true - X_false) @ direction + bias`.

    Labels only fix the sign (above 0 means `classes_[1]`); without them classes are False and True, and the sign is
    arbitrary: the largest entry of theta is positive.

    X is [n, 2, d] or [n, 2 d], true halves first. Of scikit-learn's checks those that give an odd number of columns
    cannot apply.

    Args:
        l2: penalty on the standardised direction.
        restarts: random starts (the paper's 10).
        max_iter: most steps of L-BFGS a start.
        random_state: seed of the starts.

    Attributes:
        direction: [d] in raw activation units.
        bias: of the decision function.
        classes_: [2] sorted labels.
        loss_: of the start kept: 0 is consistent and confident everywhere, 0.25 says nothing.
        sign_fixed_: whether labels fixed the sign.
        n_iter_: steps of the start kept.
    """

    readout = "score = (activation put as true - activation put as false) @ direction + bias"
    reads = "pair"

    def __init__(self, l2: float = 0.01, restarts: int = 10, max_iter: int = 500, random_state: int = 0) -> None:
        self.l2 = l2
        self.restarts = restarts
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> CCSProbe:
        """Fit on pairs [n, 2, d] or [n, 2 d]; labels [n] of two classes fix the sign only.

        Raises:
            ValueError: for an odd number of columns, more or fewer than two classes, NaN values, or unequal lengths.
        """
        if y is None:
            pairs = np.asarray(validate_data(self, _flat(X), dtype=np.float64))
            self.classes_ = np.array([False, True])
        else:
            pairs, y = read_rows(self, _flat(X), y)
            self.classes_ = two_classes("CCSProbe", y)
        true, false = _halves(pairs)
        means = np.stack([true.mean(axis=0), false.mean(axis=0)])
        scale = np.sqrt((true.var(axis=0) + false.var(axis=0)) / 2)
        scale[scale == 0] = 1.0
        rows, basis = span(np.vstack([(true - means[0]) / scale, (false - means[1]) / scale]))
        theta, self.loss_, self.n_iter_ = self._search(rows)
        theta = theta if basis is None else basis @ theta
        if y is None:
            sign = 1.0 if theta[np.abs(theta).argmax()] >= 0 else -1.0
        else:
            sign = 1.0 if auroc(np.asarray(y) == self.classes_[1], (true - false) @ (theta / scale)) >= 0.5 else -1.0
        self.sign_fixed_ = y is not None
        self.direction_ = sign * theta / scale / 2
        self.bias_ = float((means[1] - means[0]) @ self.direction_)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores [n] of pairs [n, 2, d] or [n, 2 d], in log-odds; above 0 means `classes_[1]`."""
        check_is_fitted(self, "direction_")
        true, false = _halves(np.asarray(validate_data(self, _flat(X), dtype=np.float64, reset=False)))
        return (true - false) @ self.direction_ + self.bias_

    def _search(self, rows: NDArray) -> tuple[NDArray[np.float64], float, int]:
        """(theta [r], loss, steps) of the best start, on standardised halves [2 n, r], the true ones first."""
        n, r = len(rows) // 2, rows.shape[1]

        def loss(point: NDArray) -> tuple[float, NDArray]:
            theta, bias = point[:-1], point[-1]
            p = expit(rows @ theta + bias)
            excess, least = p[:n] + p[n:] - 1, np.minimum(p[:n], p[n:])
            slope = np.concatenate([excess, excess]) + np.concatenate(
                [least * (p[:n] <= p[n:]), least * (p[n:] < p[:n])]
            )
            slope = 2 * slope * p * (1 - p) / n
            size = (excess**2 + least**2).mean() + self.l2 * theta @ theta
            return float(size), np.append(rows.T @ slope + 2 * self.l2 * theta, slope.sum())

        rng = np.random.default_rng(self.random_state)
        options = {"maxiter": self.max_iter}
        starts = [np.append(rng.normal(size=r) / np.sqrt(r), 0.0) for _ in range(self.restarts)]
        found = [minimize(loss, start, jac=True, method="L-BFGS-B", options=options) for start in starts]
        best = min(found, key=lambda result: result.fun)
        theta = best.x[:-1]
        return theta, float(best.fun - self.l2 * theta @ theta), max(1, int(best.nit))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.classifier_tags.poor_score = True  # unsupervised: blobs that are no pairs are not told apart
        return tags


def _flat(X: Any) -> Any:
    array = X if hasattr(X, "ndim") else None
    if array is None or array.ndim != 3:
        return X
    if array.shape[1] != 2:
        raise ValueError(f"CCSProbe needs pairs [n, 2, d] or [n, 2 d], got shape {tuple(array.shape)}")
    return np.asarray(array).reshape(len(array), -1)


def _halves(pairs: NDArray) -> tuple[NDArray, NDArray]:
    if pairs.shape[1] % 2:
        raise ValueError(
            f"CCSProbe needs pairs [n, 2, d] or [n, 2 d], got an odd number of columns: n_features = {pairs.shape[1]}"
        )
    d = pairs.shape[1] // 2
    return pairs[:, :d], pairs[:, d:]
