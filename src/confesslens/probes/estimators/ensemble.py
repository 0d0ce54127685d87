"""The layer ensemble: one probe a layer, their log-odds averaged or weighted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from confesslens.probes.estimators.linear import (
    LinearProbe,
    class_weighted,
    sample_weights,
    to_basis,
    two_classes,
)
from confesslens.probes.estimators.logistic import LogisticProbe


class LayerEnsembleProbe(LinearProbe, ClassifierMixin, BaseEstimator):
    """Probes of several layers as one: `decision_function(X) == sum over layers of X[:, l] @ direction[l] + bias`.

    With "mean" the log-odds of the layers are averaged. With "stack" a logistic regression weighs them (stacked
    generalisation, Wolpert 1992), fitted on out-of-fold scores, so that a layer which only fits its own rows gets no
    weight; give the scenarios as `groups`, so that no scenario is in two folds.

    X is [n, layers, d]. A plain [n, d] is one layer: in that form scikit-learn's checks of 2-D estimators hold.

    Args:
        estimator: the probe of one layer, any with `direction` and `bias` on activations [n, d]; LogisticProbe() when
            None.
        combine: "mean" or "stack".
        folds: of the stacking.

    Attributes:
        direction: [layers, d] in raw activation units, pointing to `classes_[1]`: row l steers layer l.
        bias: of the decision function.
        layer_weights_: [layers] what each layer's log-odds are multiplied by.
        probes_: the fitted probe of each layer.
        classes_: [2] sorted labels.
    """

    readout = "score = sum over layers of activation[layer] @ direction[layer], + bias"

    def __init__(self, estimator: Any = None, combine: str = "mean", folds: int = 5) -> None:
        self.estimator = estimator
        self.combine = combine
        self.folds = folds

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> LayerEnsembleProbe:
        """Fit on activations [n, layers, d] and labels [n] of two classes; groups [n] are used by "stack".

        Raises:
            ValueError: for another `combine`, more or fewer than two classes, NaN values, or unequal lengths.
        """
        if self.combine not in ("mean", "stack"):
            raise ValueError(f'combine is {self.combine!r}; expected "mean" or "stack"')
        layers = _read_layers(self, X, reset=True)
        labels = np.asarray(column_or_1d(y, warn=True))
        check_consistent_length(layers, labels)
        self.classes_ = two_classes("LayerEnsembleProbe", labels)
        weight = sample_weights(sample_weight, labels, self.classes_)
        self.probes_ = self._fit_layers(layers, labels, weight)
        self.layer_weights_, offset = np.full(self.n_layers_, 1 / self.n_layers_), 0.0
        if self.combine == "stack":
            self.layer_weights_, offset = self._stack(layers, labels, weight, groups)
        self.direction_ = np.stack([w * p.direction for w, p in zip(self.layer_weights_, self.probes_, strict=True)])
        self.bias_ = float(self.layer_weights_ @ [p.bias for p in self.probes_] + offset)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores [n] of activations [n, layers, d], in log-odds; above 0 means `classes_[1]`."""
        check_is_fitted(self, "direction_")
        return np.einsum("nld,ld->n", _read_layers(self, X), self.direction_) + self.bias_

    def to_basis(self) -> NDArray[np.float32]:
        """[layers, d, 1] a basis of norm 1 a layer, for hooks at the layers: see `confesslens.probes.to_basis`."""
        return np.stack([to_basis([row]) for row in self.direction])

    def _fit_layers(self, layers: NDArray, y: NDArray, weight: NDArray) -> list[Any]:
        base = LogisticProbe() if self.estimator is None else self.estimator
        return [clone(base).fit(layers[:, i], y, sample_weight=weight) for i in range(layers.shape[1])]

    def _stack(
        self, layers: NDArray, y: NDArray, weight: NDArray, groups: ArrayLike | None
    ) -> tuple[NDArray[np.float64], float]:
        """(weights [layers], offset) of a logistic regression on the layers' out-of-fold log-odds."""
        names = np.arange(len(y)) if groups is None else np.asarray(groups)
        if len(names) != len(y):
            raise ValueError(f"groups need one entry a row, got {len(names)} for {len(y)} rows")
        counted = weight > 0
        layers, y, weight, names = layers[counted], y[counted], weight[counted], names[counted]
        fewest = min(len(np.unique(names[y == label])) for label in self.classes_)
        if fewest < 2:
            raise ValueError('"stack" needs 2 groups or more of each class for its folds; use combine="mean"')
        scores = np.empty(layers.shape[:2])
        splitter = StratifiedGroupKFold(min(self.folds, fewest), shuffle=True, random_state=0)
        for train, test in splitter.split(y, y, names):
            for i, probe in enumerate(self._fit_layers(layers[train], y[train], weight[train])):
                scores[test, i] = probe.decision_function(layers[test, i])
        spread = scores.std(axis=0)
        spread[spread == 0] = 1.0
        top = LogisticRegression(C=1.0, max_iter=5000)
        top.fit(scores / spread, y, sample_weight=class_weighted(weight, y, self.classes_, "balanced"))
        return top.coef_[0] / spread, float(top.intercept_[0])


def _read_layers(probe: LayerEnsembleProbe, X: Any, reset: bool = False) -> NDArray[np.float64]:
    """Checked activations [n, layers, d]; [n, d] is one layer."""
    if getattr(X, "ndim", 2) != 3:
        layers = np.asarray(validate_data(probe, X, dtype=np.float64, reset=reset))[:, None]
    else:
        layers = np.asarray(check_array(X, dtype=np.float64, allow_nd=True))
        if reset:
            probe.n_features_in_ = layers.shape[2]
    if reset:
        probe.n_layers_ = layers.shape[1]
    elif layers.shape[1:] != (probe.n_layers_, probe.n_features_in_):
        raise ValueError(
            f"X has [layers, d] {list(layers.shape[1:])}, but the fit had {[probe.n_layers_, probe.n_features_in_]}"
        )
    return layers
