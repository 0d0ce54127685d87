"""What the estimators share: one linear readout, checks of the labels, weights, the span of the rows, log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from confesslens.probes.place import place_of


class LinearProbe:
    """The readout of a fitted probe with one direction: `decision_function(X) == X @ direction + bias`.

    A mixin: `fit` of the estimator sets `direction_` [d], `bias_` and `classes_`. Scores are log-odds in every
    estimator, so that 0 is the threshold and `expit(score)` the probability.
    """

    readout = "score = activation @ direction + bias"
    reads: ClassVar[str] = "site"  # a row is what a site holds, the "tokens" of a span, or a "pair" of statements
    direction_: NDArray[np.float64]
    bias_: float
    classes_: NDArray

    @property
    def direction(self) -> NDArray[np.float64]:
        """[d] the probe's direction in raw activation units, pointing to `classes_[1]`; a steering vector."""
        check_is_fitted(self, "direction_")
        return self.direction_

    @property
    def bias(self) -> float:
        """Offset of the decision function, in log-odds."""
        check_is_fitted(self, "direction_")
        return self.bias_

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores [n] of activations [n, d], in log-odds; above 0 means `classes_[1]`."""
        check_is_fitted(self, "direction_")
        rows = np.asarray(validate_data(self, X, dtype=np.float64, reset=False))
        return rows @ self.direction_ + self.bias_

    def predict(self, X: ArrayLike) -> NDArray:
        """Labels [n] of activations [n, d]."""
        return labels_of(self.decision_function(X), self.classes_)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities [n, 2] in the order of `classes_`, under the class weights of the fit (not base rates)."""
        return probabilities(self.decision_function(X))

    @property
    def card(self) -> dict[str, Any]:
        """What is known of a probe that was loaded: model, layer, site, metrics; empty for one just fitted."""
        return getattr(self, "card_", {})

    def score_activations(self, acts: Any, layer: int | None = None, site: str | None = None) -> NDArray[np.float64]:
        """Scores [item] of captured activations at the probe's own layer, site and stream; NaN where an item has none.

        Args:
            acts: from `confesslens.capture`.
            layer: of a probe without a card, where to read; with one it may be left out.
            site: as `layer`.

        Raises:
            ValueError: activations of another model than the card's, another layer or site, or ones that lack them.
        """
        place = place_of(self, acts.model, layer, site)
        missing = place.missing_of(acts)
        if missing:
            raise ValueError(f"the probe reads {place}, but {missing}: capture that")
        here = acts.present[:, acts.sites.index(place.site)]
        scores = np.full(len(here), np.nan)
        ids = [name for name, there in zip(acts.item_ids, here, strict=True) if there]
        if ids:
            scores[here] = self.decision_function(acts.select(ids).at(place.layer, place.site, place.stream))
        return scores

    def score_tokens(self, model: Any, messages: Any, layer: int | None = None) -> Any:
        """Scores of every token of a chat (a list of messages) or a text: see `confesslens.activations.score_tokens`.

        Shows itself as coloured text in a notebook.
        """
        from confesslens.activations.token_scores import score_tokens  # needs a model; probes alone do not

        return score_tokens(self, model, messages, layer)

    def to_basis(self) -> NDArray[np.float32]:
        """The direction as a basis [d, 1] of norm 1: see `confesslens.probes.to_basis`."""
        return to_basis([self.direction])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.classifier_tags.multi_class = False
        return tags


def to_basis(directions: Sequence[ArrayLike | LinearProbe]) -> NDArray[np.float32]:
    """An orthonormal basis of the span of some directions, as TransformerLens' interchange tools take it.

    TransformerLens 4.3 (`transformer_lens.tools.analysis.interchange`) writes a subspace of activations as a float32
    tensor [d_model, rank] of orthonormal columns. `torch.from_numpy(to_basis([probe]))` is one: its swap, ablation and
    placebo hooks take it as it is. Column 0 points along the first direction; each further column is what the next
    direction adds (Gram and Schmidt).

    Args:
        directions: k vectors [d] in raw activation space, or fitted probes that have one direction.

    Returns:
        [d, k] orthonormal columns, float32.

    Raises:
        ValueError: no direction, unequal lengths, values that are not finite, or directions that depend on each other.
    """
    vectors = [np.asarray(getattr(v, "direction", v), dtype=np.float64) for v in directions]
    shapes = [v.shape for v in vectors]
    if not vectors or vectors[0].ndim != 1 or len(set(shapes)) > 1:
        raise ValueError(f"to_basis needs vectors [d] of one length, got shapes {shapes}; one basis a layer")
    columns = np.stack(vectors, axis=1)
    norms = np.linalg.norm(columns, axis=0)
    if not np.isfinite(norms).all() or not norms.all():
        raise ValueError(f"to_basis needs finite directions other than 0, got norms {norms.tolist()}")
    basis, upper = np.linalg.qr(columns / norms)
    added = np.diag(upper)
    if len(added) < len(vectors) or (np.abs(added) < 1e-6).any():
        raise ValueError(f"the {len(vectors)} directions depend on each other: leave out those that add nothing")
    return (basis * np.sign(added)).astype(np.float32)


def labels_of(scores: NDArray, classes: NDArray) -> NDArray:
    """Labels [n] for log-odds [n]: `classes[1]` above 0."""
    return classes[(scores > 0).astype(int)]


def probabilities(scores: NDArray) -> NDArray[np.float64]:
    """[n, 2] probabilities for log-odds [n]."""
    p = expit(scores)
    return np.column_stack([1 - p, p])


def read_rows(estimator: Any, X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray]:
    """Checked activations [n, d] and labels [n], in a fit: `n_features_in_` of the estimator is set."""
    rows, labels = validate_data(estimator, X, y, dtype=np.float64)
    return np.asarray(rows), np.asarray(labels)


def two_classes(name: str, y: NDArray) -> NDArray:
    """The two sorted classes of labels [n].

    Raises:
        ValueError: for more or fewer than two, saying which there are and what to do.
    """
    check_classification_targets(y)
    classes = np.unique(y)
    if len(classes) == 2:
        return classes
    names = ", ".join(str(c) for c in classes[:6])
    if len(classes) < 2:
        raise ValueError(f"{name} needs samples of 2 classes, but the labels hold one class: {names}")
    hint = " Drop the rows labelled 'neither' first." if "neither" in {str(c) for c in classes} else ""
    raise ValueError(
        f"Only binary classification is supported. The type of the target is multiclass: got {len(classes)} classes "
        f"({names}).{hint}"
    )


def sample_weights(sample_weight: ArrayLike | None, y: NDArray, classes: NDArray) -> NDArray[np.float64]:
    """Weights [n] of the rows as given, ones for None.

    Raises:
        ValueError: a class is left without weight.
    """
    weight = _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
    if not all((weight[y == label] > 0).any() for label in classes):
        raise ValueError("sample_weight leaves less than one class: each of the 2 classes needs a positive weight")
    return weight


def class_weighted(weight: NDArray, y: NDArray, classes: NDArray, class_weight: Any) -> NDArray[np.float64]:
    """Row weights [n] times scikit-learn's `class_weight`: "balanced", None, or a dict."""
    of_class = compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weight)
    return weight * of_class[(y == classes[1]).astype(int)]


def span(rows: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Coordinates of rows [n, d] in the space that they span, for fits whose solution lies there.

    The solution of an L2-penalised linear fit is a combination of rows (the representer theorem).

    Returns:
        (coordinates [n, n], basis [d, n]) where d > n, else (rows, None). `basis @ coef` leads back.
    """
    if rows.shape[1] <= rows.shape[0]:
        return rows, None
    basis, upper = np.linalg.qr(rows.T)
    return upper.T, basis


def gaussian_log_odds(scores: NDArray, positive: NDArray, weight: NDArray) -> tuple[float, float]:
    """Slope and offset that turn scores into log-odds: linear discriminant analysis of one variable.

    Two normal distributions of one spread have log-odds linear in the score, (m1 - m0) / s^2 * (score - (m0 + m1) / 2)
    plus the log ratio of the classes' weights (Hastie, Tibshirani and Friedman 2009, eq. 4.9). Scores of rows that
    were fitted separate the classes too well where features outnumber rows; the log-odds are then too large, and
    `confesslens.probes.calibrate` on other rows mends that.

    Args:
        scores: [n].
        positive: [n] booleans.
        weight: [n] row weights, some in each class.
    """
    shares = np.array([weight[~positive].sum(), weight[positive].sum()])
    low = weight[~positive] @ scores[~positive] / shares[0]
    high = weight[positive] @ scores[positive] / shares[1]
    gap = high - low
    inside = weight @ (scores - np.where(positive, high, low)) ** 2 / shares.sum()
    variance = max(inside, 1e-8 * gap**2, np.finfo(float).tiny)  # perfect separation keeps finite log-odds
    slope = gap / variance
    return float(slope), float(np.log(shares[1] / shares[0]) - slope * (low + high) / 2)
