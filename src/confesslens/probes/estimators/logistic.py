"""The logistic probe: standardised, L2-penalised logistic regression on raw activations."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from confesslens.probes.estimators.linear import LinearProbe, read_rows, sample_weights, span, two_classes


class LogisticProbe(LinearProbe, ClassifierMixin, BaseEstimator):
    """A direction in activation space that tells two classes apart.

    Features are standardised, then L2 logistic regression is fitted (the recipe of Goldowsky-Dill et al. 2025,
    arXiv 2502.03407); the scaling is folded into `direction` and `bias`, so that
    `decision_function(X) == X @ direction + bias` on raw activations. Where there are more features than rows the fit
    runs inside the span of the rows, which gives the same solution.

    Args:
        C: inverse penalty strength.
        class_weight: "balanced" (both classes weigh the same), None, or a dict, as in scikit-learn.

    Attributes:
        direction: [d] in raw activation units, pointing to `classes_[1]`.
        bias: of the decision function.
        classes_: [2] sorted labels; "not_complied" sorts after "complied", so a positive score means the bad act.
    """

    def __init__(self, C: float = 0.1, class_weight: Any = "balanced") -> None:
        self.C = C
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> LogisticProbe:
        """Fit on activations [n, d] and labels [n] of two classes.

        Raises:
            ValueError: for more or fewer than two classes, NaN values, or unequal lengths.
        """
        rows, labels = read_rows(self, X, y)
        self.classes_ = two_classes("LogisticProbe", labels)
        weight = sample_weights(sample_weight, labels, self.classes_)
        scaler = StandardScaler().fit(rows, sample_weight=weight)
        scaled, basis = span(scaler.transform(rows))
        inner = LogisticRegression(C=self.C, class_weight=self.class_weight, tol=1e-6, max_iter=5000)
        inner.fit(scaled, labels, sample_weight=weight)
        coef = inner.coef_[0] if basis is None else basis @ inner.coef_[0]
        self.direction_ = coef / scaler.scale_
        self.bias_ = float(inner.intercept_[0] - scaler.mean_ @ self.direction_)
        self.n_iter_ = int(inner.n_iter_[0])
        return self
