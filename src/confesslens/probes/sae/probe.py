"""A probe on the features of a sparse autoencoder, that takes raw activations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from confesslens.probes.estimators import LogisticProbe
from confesslens.probes.estimators.linear import LinearProbe, labels_of, probabilities
from confesslens.probes.sae.autoencoder import SparseAutoencoder


class FeatureProbe(LinearProbe, ClassifierMixin, BaseEstimator):
    """Any probe with one direction, fitted to an autoencoder's features of raw activations.

    `decision_function(X) == encode(X) @ weights + offset`. With stage "linear" what is gated to be the features is read
    in place of them; that is affine in the activations, so that the probe has an exact `direction` and `bias` in raw
    activation space, for steering and for `save_probe` (`fold`). With stage "features" it has none, and says so.

    Args:
        sae: from `load_sae`.
        probe: the probe to fit to features; default `LogisticProbe()`.
        stage: "features" or "linear".

    Attributes:
        weights: [feature], pointing to `classes_[1]`.
        offset: of the decision function.
        classes_: [2] sorted labels.
    """

    readout = "score = features of the activation @ weights + offset"

    def __init__(self, sae: SparseAutoencoder, probe: Any = None, stage: str = "features") -> None:
        self.sae = sae
        self.probe = probe
        self.stage = stage

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> FeatureProbe:
        """Fit on raw activations [n, d_model] and labels [n] of two classes.

        Raises:
            ValueError: activations of another width than the autoencoder's, or what the probe's own `fit` refuses.
        """
        features = self.sae._stage(self.stage)(X)
        inner = LogisticProbe() if self.probe is None else clone(self.probe)
        self.probe_ = inner.fit(features, y, sample_weight=sample_weight)
        self.classes_ = self.probe_.classes_
        self.n_features_in_ = self.sae.d_model
        return self

    @property
    def weights(self) -> NDArray[np.float64]:
        """[feature] of the probe on features."""
        check_is_fitted(self, "probe_")
        return self.probe_.direction

    @property
    def offset(self) -> float:
        """Of the probe on features, in log-odds."""
        check_is_fitted(self, "probe_")
        return self.probe_.bias

    @property
    def direction(self) -> NDArray[np.float64]:
        """[d_model] in raw activation units, where there is one. Raises ValueError where there is none."""
        matrix, _ = self._affine()
        return matrix @ self.weights

    @property
    def bias(self) -> float:
        """Offset of the decision function on raw activations; ValueError where that is not linear in them."""
        _, offset = self._affine()
        return float(offset @ self.weights + self.offset)

    def fold(self) -> LogisticProbe:
        """The same scores as a probe on raw activations, that can be saved.

        Raises:
            ValueError: the scores are not linear in raw activations.
        """
        folded = LogisticProbe()
        folded.direction_, folded.bias_, folded.classes_ = self.direction, self.bias, self.classes_
        folded.n_features_in_ = self.sae.d_model
        return folded

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores [n] of raw activations [n, d_model], in log-odds; above 0 means `classes_[1]`."""
        check_is_fitted(self, "probe_")
        return self.probe_.decision_function(self.sae._stage(self.stage)(X))

    def predict(self, X: ArrayLike) -> NDArray:
        """Labels [n] of raw activations [n, d_model]."""
        return labels_of(self.decision_function(X), self.classes_)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities [n, 2] in the order of `classes_`."""
        return probabilities(self.decision_function(X))

    def score_activations(self, acts: Any, layer: int | None = None, site: str | None = None) -> NDArray[np.float64]:
        """Scores [item] of captured activations where the autoencoder reads; NaN where an item has no such site.

        Raises:
            ValueError: activations that are not those that the autoencoder reads, or no site.
        """
        self.sae.check(acts)
        if layer not in (None, self.sae.layer):
            raise ValueError(f"the autoencoder reads layer {self.sae.layer}, not {layer!r}: leave layer out")
        if site not in acts.sites:
            raise ValueError(f"site {site!r}: give one of the sites that were captured, {', '.join(acts.sites)}")
        here = acts.present[:, acts.sites.index(site)]
        scores = np.full(len(here), np.nan)
        ids = [name for name, there in zip(acts.item_ids, here, strict=True) if there]
        if ids:
            scores[here] = self.decision_function(acts.select(ids).at(self.sae.layer, site, self.sae.stream))
        return scores

    def _affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        check_is_fitted(self, "probe_")
        if self.stage == "features":
            raise ValueError(
                "a probe on an autoencoder's features has no direction in raw activation space: which features are on"
                " depends on the activation. Fit FeatureProbe(sae, stage='linear') for an exact one, or steer along"
                " the decoder's row of one feature, sae.W_dec[feature]"
            )
        return self.sae.affine()
