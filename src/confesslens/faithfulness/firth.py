"""Logistic regression that stays finite where classes separate or are rare: Firth's penalty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit


class Fit(NamedTuple):
    """Coefficients [k] and probabilities [n] of a fit; `converged` is false where it gave up."""

    coefficients: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    converged: bool


def firth(
    x: NDArray[np.float64], y: NDArray, offset: NDArray | None = None, steps: int = 60, start: NDArray | None = None
) -> Fit:
    """Penalised maximum likelihood of Firth (1993, Biometrika 80), by Newton's method with steps halved where needed.

    The penalty is half the log determinant of the information; it takes the first-order bias away, and gives finite
    estimates under separation (Heinze and Schemper 2002, Statistics in Medicine 21). statsmodels has no such fit.

    Args:
        x: [n, k] design of full column rank, with its constants.
        y: [n] labels.
        offset: [n] known part of the log-odds.
        steps: most Newton steps.
        start: [k] to begin from.
    """
    y = np.asarray(y, dtype=float)
    known = np.zeros(len(y)) if offset is None else offset
    beta = np.zeros(x.shape[1]) if start is None else start
    p, value, information = _state(x, y, known, beta)
    for _ in range(steps):
        root = np.sqrt(p * (1 - p))[:, None] * x
        inverse = np.linalg.inv(information)
        leverage = ((root @ inverse) * root).sum(axis=1)
        step = inverse @ (x.T @ (y - p + leverage * (0.5 - p)))
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-12))
        for _ in range(20):
            p, new, information = _state(x, y, known, beta + step)
            if new >= value - 1e-10:
                break
            step /= 2
        beta, value = beta + step, new
        if np.abs(step).max() < 1e-6:
            return Fit(beta, p, True)
    return Fit(beta, p, False)


def _state(x: NDArray, y: NDArray, offset: NDArray, beta: NDArray) -> tuple[NDArray, float, NDArray]:
    eta = x @ beta + offset
    p = np.clip(expit(eta), 1e-10, 1 - 1e-10)
    information = x.T @ ((p * (1 - p))[:, None] * x)
    sign, log_det = np.linalg.slogdet(information)
    likelihood = (y * eta - np.logaddexp(0, eta)).sum()
    return p, float(likelihood + log_det / 2) if sign > 0 else -np.inf, information
