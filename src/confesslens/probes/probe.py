"""One linear probe: standardised, L2-penalised logistic regression on raw activations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data


class LogisticProbe(ClassifierMixin, BaseEstimator):
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
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError(_classes_message(self.classes_))
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64)
        if weight is not None and not all((weight[y == label] > 0).any() for label in self.classes_):
            raise ValueError("sample_weight leaves less than one class: each of the 2 classes needs a positive weight")
        scaler = StandardScaler().fit(X, sample_weight=weight)
        scaled = scaler.transform(X)
        basis = None
        if scaled.shape[1] > scaled.shape[0]:
            basis, upper = np.linalg.qr(scaled.T)  # rows of `scaled` are combinations of these n columns
            scaled = upper.T
        inner = LogisticRegression(C=self.C, class_weight=self.class_weight, tol=1e-6, max_iter=5000)
        inner.fit(scaled, y, sample_weight=weight)
        coef = inner.coef_[0] if basis is None else basis @ inner.coef_[0]
        self.direction_ = coef / scaler.scale_
        self.bias_ = float(inner.intercept_[0] - scaler.mean_ @ self.direction_)
        self.n_iter_ = int(inner.n_iter_[0])
        return self

    @property
    def direction(self) -> NDArray[np.float64]:
        """[d] the probe's direction in raw activation units."""
        check_is_fitted(self, "direction_")
        return self.direction_

    @property
    def bias(self) -> float:
        """Offset of the decision function."""
        check_is_fitted(self, "direction_")
        return self.bias_

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores [n] of activations [n, d], in log-odds; above 0 means `classes_[1]`."""
        check_is_fitted(self, "direction_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return X @ self.direction_ + self.bias_

    def predict(self, X: ArrayLike) -> NDArray:
        """Labels [n] of activations [n, d]."""
        bad = self.decision_function(X) > 0
        return self.classes_[bad.astype(int)]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities [n, 2] in the order of `classes_`, under the class weights of the fit (not base rates)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _classes_message(classes: NDArray) -> str:
    names = ", ".join(str(c) for c in classes[:6])
    if len(classes) < 2:
        return f"LogisticProbe needs samples of 2 classes, but the labels hold one class: {names}"
    hint = " Drop the rows labelled 'neither' first." if "neither" in {str(c) for c in classes} else ""
    return (
        f"Only binary classification is supported. The type of the target is multiclass: got {len(classes)} classes "
        f"({names}).{hint}"
    )
