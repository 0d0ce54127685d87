"""The mass-mean probe: the difference of the class means, plain or whitened."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import StandardScaler

from confesslens.probes.estimators.linear import (
    LinearProbe,
    class_weighted,
    gaussian_log_odds,
    read_rows,
    sample_weights,
    span,
    two_classes,
)


class MassMeanProbe(LinearProbe, ClassifierMixin, BaseEstimator):
    """The difference of the class means (Marks and Tegmark, arXiv 2310.06824).

    Plain, the direction is mean_1 - mean_0. Whitened, it is the inverse of the pooled within-class covariance times
    that difference, which is linear discriminant analysis. The paper inverts the covariance as it is; here it is
    shrunk towards a multiple of the identity after standardising, as in scikit-learn's LinearDiscriminantAnalysis, for
    activations have more features than rows. The paper scores by sigmoid(direction @ x); here direction and bias are
    scaled so that scores are log-odds, with the threshold half way between the means.

    Args:
        whiten: whether to whiten by the pooled covariance.
        shrinkage: of the covariance, 0 (none) to 1 (only the variances), or "auto" for Ledoit and Wolf (2004).
        class_weight: "balanced" (both classes weigh the same), None, or a dict, as in scikit-learn.

    Attributes:
        direction: [d] in raw activation units, pointing to `classes_[1]`.
        bias: of the decision function.
        mean_difference_: [d] mean_1 - mean_0 in raw activation units: the steering vector of natural length.
        shrinkage_: the share used, NaN without whitening.
        classes_: [2] sorted labels.
    """

    def __init__(self, whiten: bool = False, shrinkage: float | str = "auto", class_weight: Any = "balanced") -> None:
        self.whiten = whiten
        self.shrinkage = shrinkage
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> MassMeanProbe:
        """Fit on activations [n, d] and labels [n] of two classes.

        Raises:
            ValueError: for more or fewer than two classes, NaN values, unequal lengths, or a shrinkage that is neither
                "auto" nor in 0..1.
        """
        rows, labels = read_rows(self, X, y)
        self.classes_ = two_classes("MassMeanProbe", labels)
        weight = sample_weights(sample_weight, labels, self.classes_)
        weight = class_weighted(weight, labels, self.classes_, self.class_weight)
        positive = labels == self.classes_[1]
        low, high = (np.average(rows[of], axis=0, weights=weight[of]) for of in (~positive, positive))
        self.mean_difference_ = high - low
        self.shrinkage_ = float("nan")
        coef = self.mean_difference_
        if self.whiten:
            coef, self.shrinkage_ = _whitened(
                rows, np.where(positive[:, None], high, low), coef, weight, self.shrinkage
            )
        centre = (low + high) / 2
        slope, offset = gaussian_log_odds((rows - centre) @ coef, positive, weight)
        self.direction_ = slope * coef
        self.bias_ = float(offset - centre @ self.direction_)
        return self


def ledoit_wolf_shrinkage(rows: NDArray, weight: NDArray, d: int) -> float:
    """Ledoit and Wolf's shrinkage of a covariance with row weights, 0..1 (scikit-learn's takes no weights).

    Args:
        rows: [n, r] centred rows, or their coordinates in a space that holds them all.
        weight: [n] how often each row counts.
        d: number of features, r or more.
    """
    n = weight.sum()
    covariance = (rows.T * weight) @ rows / n
    mean_variance = np.trace(covariance) / d
    distance = (covariance**2).sum() - d * mean_variance**2
    noise = (weight @ (rows**2).sum(axis=1) ** 2 / n - (covariance**2).sum()) / n
    return 0.0 if distance <= 0 else float(np.clip(noise / distance, 0, 1))


def _whitened(
    X: NDArray, means: NDArray, difference: NDArray, weight: NDArray, shrinkage: float | str
) -> tuple[NDArray[np.float64], float]:
    """(covariance^-1 difference [d], the shrinkage used), the covariance being that of X - means, shrunk."""
    if shrinkage != "auto" and not (isinstance(shrinkage, int | float) and 0 <= shrinkage <= 1):
        raise ValueError(f'shrinkage is {shrinkage!r}; expected "auto" or a number in 0..1')
    scale = StandardScaler(with_mean=False).fit(X - means, sample_weight=weight).scale_
    inside, goal = (X - means) / scale, difference / scale
    d = len(goal)
    if not inside.any():  # no variance to whiten by
        return difference, float("nan")
    # The difference is the last row, so that the space that the rows span holds the solution too.
    coordinates, basis = span(np.vstack([inside, goal]))
    rows, target = coordinates[:-1], coordinates[-1]
    share = ledoit_wolf_shrinkage(rows, weight, d) if shrinkage == "auto" else float(shrinkage)
    covariance = (rows.T * weight) @ rows / weight.sum()
    variance = (weight @ (inside**2).sum(axis=1)) / weight.sum() / d
    power, axes = np.linalg.eigh((1 - share) * covariance)
    power = power + share * variance
    keep = power > max(power[-1], 0.0) * 1e-12  # without shrinkage: the pseudo-inverse, as in the paper's code
    coef = axes[:, keep] @ ((axes[:, keep].T @ target) / power[keep])
    return (coef if basis is None else basis @ coef) / scale, share
