"""Many L2 logistic fits at once on shared rows: what makes sweeps over layers and sites cheap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from confesslens.probes.tall import Features, TallRows, covariance, standardised, transposed_times

Array = NDArray[np.float64]


def linear_features(x: Features, train: NDArray) -> Features:
    """What linear fits with an L2 penalty are made of: `row_space`, or rows too many to be copied standardised."""
    return standardised(x, train) if isinstance(x, TallRows) else row_space(x, train)


def row_space(values: NDArray, train: NDArray, scale: bool = True) -> Array:
    """Coordinates of all rows in the space that the training rows span: exact for any L2-penalised linear fit.

    The solution of such a fit is a combination of training rows, so directions outside of their span never matter
    (the representer theorem). Columns are ordered by falling variance and orthogonal on the training rows.

    Args:
        values: [n, d] raw activations.
        train: [m] indices of the training rows, the only ones that scaling and span are taken from.
        scale: standardise the features (else only centre them).

    Returns:
        [n, r] coordinates, r <= min(m - 1, d).
    """
    x = np.asarray(values, dtype=np.float64)
    x = x - x[train].mean(axis=0)
    if scale:
        sd = x[train].std(axis=0)
        x /= np.where(sd > 0, sd, 1.0)
    if len(train) < x.shape[1]:
        inner = x @ x[train].T
        power, basis = np.linalg.eigh(inner[train])
    else:
        inner = x
        power, basis = np.linalg.eigh(x[train].T @ x[train])
    keep = power > max(power[-1], 0.0) * 1e-10
    power, basis = power[keep][::-1], basis[:, keep][:, ::-1]
    return inner @ (basis / np.sqrt(power)) if len(train) < x.shape[1] else inner @ basis


class _Design(Protocol):
    """Rows and an intercept in front: what Newton steps need of them."""

    shape: tuple[int, int]

    def times(self, b: Array) -> Array:
        """[n, k] x b."""

    def transposed_times(self, y: Array) -> Array:
        """[1 + r, k] x' y."""

    def nearly_solve(self, curvature: Array, ridge: Array) -> Callable[[Array], Array]:
        """About the inverse of x' diag(curvature) x + ridge, for each column."""


class _Dense:
    """An array whose columns are nearly orthogonal, as `row_space` makes them: the diagonal is enough."""

    def __init__(self, z: Array) -> None:
        self.x = np.column_stack([np.ones(len(z)), z])
        self.shape = self.x.shape

    def times(self, b: Array) -> Array:
        return self.x @ b

    def transposed_times(self, y: Array) -> Array:
        return self.x.T @ y

    def nearly_solve(self, curvature: Array, ridge: Array) -> Callable[[Array], Array]:
        diagonal = (self.x**2).T @ curvature + ridge
        diagonal[diagonal <= 0] = 1.0
        return lambda residual: residual / diagonal


class _Tall:
    """Standardised rows in blocks: their covariance, times each column's mean curvature, stands for the weighted one.

    With many more rows than features the two are close. One factorisation serves all columns of a penalty.
    """

    def __init__(self, z: TallRows) -> None:
        self.z = z
        self.shape = (len(z), 1 + z.shape[1])
        self.covariance = covariance(z)
        self.factors: dict[float, tuple[float, Any]] = {}  # penalty -> mean curvature, and the factorisation at it

    def times(self, b: Array) -> Array:
        return self.z @ b[1:] + b[0]

    def transposed_times(self, y: Array) -> Array:
        return np.vstack([y.sum(axis=0), transposed_times(self.z, y)])

    def nearly_solve(self, curvature: Array, ridge: Array) -> Callable[[Array], Array]:
        total, penalty = np.maximum(curvature.sum(axis=0), 1e-12), ridge[-1]
        own = [(np.flatnonzero(penalty == value), float(value)) for value in np.unique(penalty)]
        factors = [(of, self._factor(value, float(total[of].mean()))) for of, value in own]

        def solve(residual: Array) -> Array:
            out = residual / total
            for of, factor in factors:
                out[1:, of] = cho_solve(factor, residual[1:, of].astype(np.float32), check_finite=False)
            return out

        return solve

    def _factor(self, penalty: float, curvature: float) -> Any:
        """Of covariance * curvature + penalty; one of before, where the curvature has not moved by a fifth."""
        at, factor = self.factors.get(penalty, (0.0, None))
        if factor is None or not 0.8 < curvature / at < 1.25:
            matrix = self.covariance * np.float32(curvature)
            np.fill_diagonal(matrix, matrix.diagonal() + np.float32(penalty))
            factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
            self.factors[penalty] = curvature, factor
        return factor


def fit_columns(
    z: Features, labels: NDArray, weights: NDArray, penalties: NDArray, tol: float | None = None, max_steps: int = 50
) -> tuple[Array, Array]:
    """Fit k weighted L2 logistic regressions that share their rows, by Newton steps with conjugate gradients.

    Column j minimises sum_i weights[i, j] * log-loss(i, j) + |coef_j|^2 / (2 * penalties[j]), scikit-learn's objective
    with C = penalties[j] and an unpenalised intercept. A row of weight 0 is left out of that column, which is how
    inner folds share one array. All columns advance together, as matrix products.

    Args:
        z: [n, r] features, from `linear_features`.
        labels: [n, k] in {0, 1}.
        weights: [n, k], at least 0; an all-zero column gives coefficients of 0.
        penalties: [k] inverse strengths C.
        tol: stop when each gradient has fallen to this share of its first norm; default 1e-5, of `TallRows` 1e-3, where
            that changes coefficients by less than a thousandth and each step takes long.
        max_steps: most Newton steps.

    Returns:
        coefficients [r, k] and intercepts [k].
    """
    x: _Design = _Tall(z) if isinstance(z, TallRows) else _Dense(z)
    ridge = np.vstack([np.zeros(len(penalties)), np.repeat(1 / np.asarray(penalties)[None], z.shape[1], axis=0)])
    tol = (1e-3 if isinstance(z, TallRows) else 1e-5) if tol is None else tol
    beta, all_logits = np.zeros((x.shape[1], len(penalties))), np.zeros(labels.shape)
    active = np.flatnonzero(weights.any(axis=0))
    first = None
    for _ in range(max_steps):
        if not len(active):
            break
        y, w, lam, b = labels[:, active], weights[:, active], ridge[:, active], beta[:, active]
        logits = all_logits[:, active]
        p = expit(logits)
        gradient = x.transposed_times(w * (p - y)) + lam * b
        size = np.linalg.norm(gradient, axis=0)
        if first is None:
            first = dict(zip(active.tolist(), size.tolist(), strict=True))
        moving = size > tol * np.array([first[j] for j in active.tolist()])
        if not moving.all():
            y, w, lam, b, logits, p, gradient, size = (
                a[..., moving] for a in (y, w, lam, b, logits, p, gradient, size)
            )
            active = active[moving]
            if not len(active):
                break
        step, move = _newton_step(x, w * p * (1 - p), lam, gradient)
        length = _step_lengths(y, w, lam, b, logits, step, move, gradient)
        beta[:, active] = b + length * step
        all_logits[:, active] = logits + length * move
    return beta[1:], beta[0]


def _newton_step(
    x: _Design, curvature: Array, ridge: Array, gradient: Array, rtol: float = 0.05
) -> tuple[Array, Array]:
    """Solve (x' diag(curvature) x + ridge) step = -gradient for each column by preconditioned conjugate gradients.

    Returns the step and x step, which comes with it at no product more.
    """
    nearly_solved = x.nearly_solve(curvature, ridge)
    step, move = np.zeros_like(gradient), np.zeros_like(curvature)
    residual = -gradient
    direction = nearly_solved(residual)
    rho = (residual * direction).sum(axis=0)
    goal = rtol**2 * rho
    for _ in range(x.shape[1]):
        moved = x.times(direction)
        image = x.transposed_times(curvature * moved) + ridge * direction
        bend = (direction * image).sum(axis=0)
        alpha = np.divide(rho, bend, out=np.zeros_like(rho), where=bend > 0)
        step += alpha * direction
        move += alpha * moved
        residual -= alpha * image
        scaled = nearly_solved(residual)
        new = (residual * scaled).sum(axis=0)
        if (new <= goal).all():
            break
        direction = scaled + np.divide(new, rho, out=np.zeros_like(rho), where=rho > 0) * direction
        rho = new
    return step, move


def _step_lengths(
    y: Array, w: Array, ridge: Array, b: Array, logits: Array, step: Array, move: Array, gradient: Array
) -> Array:
    """Halve the steps of those columns whose loss would not fall (Armijo rule); mostly all stay 1."""
    slope = (gradient * step).sum(axis=0)

    def loss(t: Array) -> Array:
        f = logits + t * move
        return (w * (np.logaddexp(0, f) - y * f)).sum(axis=0) + (ridge * (b + t * step) ** 2).sum(axis=0) / 2

    length = np.ones(step.shape[1])
    start = loss(np.zeros_like(length))
    for _ in range(30):
        bad = loss(length) > start + 1e-4 * length * slope + 1e-12 * np.abs(start)
        if not bad.any():
            break
        length[bad] /= 2
    return length
