"""Many L2 logistic fits at once on shared rows: what makes sweeps over layers and sites cheap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Array = NDArray[np.float64]


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
        gram = x @ x[train].T
        power, basis = np.linalg.eigh(gram[train])
    else:
        gram = x
        power, basis = np.linalg.eigh(x[train].T @ x[train])
    keep = power > max(power[-1], 0.0) * 1e-10
    power, basis = power[keep][::-1], basis[:, keep][:, ::-1]
    return gram @ (basis / np.sqrt(power)) if len(train) < x.shape[1] else gram @ basis


def fit_columns(
    z: Array, labels: NDArray, weights: NDArray, penalties: NDArray, tol: float = 1e-5, max_steps: int = 50
) -> tuple[Array, Array]:
    """Fit k weighted L2 logistic regressions that share their rows, by Newton steps with conjugate gradients.

    Column j minimises sum_i weights[i, j] * log-loss(i, j) + |coef_j|^2 / (2 * penalties[j]), scikit-learn's objective
    with C = penalties[j] and an unpenalised intercept. A row of weight 0 is left out of that column, which is how
    inner folds share one array. All columns advance together, as matrix products.

    Args:
        z: [n, r] features.
        labels: [n, k] in {0, 1}.
        weights: [n, k], at least 0; an all-zero column gives coefficients of 0.
        penalties: [k] inverse strengths C.
        tol: stop when each gradient has fallen to this share of its first norm.
        max_steps: most Newton steps.

    Returns:
        coefficients [r, k] and intercepts [k].
    """
    x = np.column_stack([np.ones(len(z)), z])
    ridge = np.vstack([np.zeros(len(penalties)), np.repeat(1 / np.asarray(penalties)[None], z.shape[1], axis=0)])
    beta = np.zeros((x.shape[1], len(penalties)))
    active = np.flatnonzero(weights.any(axis=0))
    first = None
    for _ in range(max_steps):
        if not len(active):
            break
        y, w, lam, b = labels[:, active], weights[:, active], ridge[:, active], beta[:, active]
        logits = x @ b
        p = expit(logits)
        gradient = x.T @ (w * (p - y)) + lam * b
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
        step = _newton_step(x, w * p * (1 - p), lam, gradient)
        beta[:, active] = b + step * _step_lengths(x, y, w, lam, b, logits, step, gradient)
    return beta[1:], beta[0]


def _newton_step(x: Array, curvature: Array, ridge: Array, gradient: Array, rtol: float = 0.05) -> Array:
    """Solve (x' diag(curvature) x + ridge) step = -gradient for each column by preconditioned conjugate gradients."""
    diagonal = (x**2).T @ curvature + ridge
    diagonal[diagonal <= 0] = 1.0
    step = np.zeros_like(gradient)
    residual = -gradient
    direction = residual / diagonal
    rho = (residual * direction).sum(axis=0)
    goal = rtol**2 * rho
    for _ in range(x.shape[1]):
        image = x.T @ (curvature * (x @ direction)) + ridge * direction
        bend = (direction * image).sum(axis=0)
        alpha = np.divide(rho, bend, out=np.zeros_like(rho), where=bend > 0)
        step += alpha * direction
        residual -= alpha * image
        scaled = residual / diagonal
        new = (residual * scaled).sum(axis=0)
        if (new <= goal).all():
            break
        direction = scaled + np.divide(new, rho, out=np.zeros_like(rho), where=rho > 0) * direction
        rho = new
    return step


def _step_lengths(
    x: Array, y: Array, w: Array, ridge: Array, b: Array, logits: Array, step: Array, gradient: Array
) -> Array:
    """Halve the steps of those columns whose loss would not fall (Armijo rule); mostly all stay 1."""
    move = x @ step
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
