"""Folds by scenario, and the weights that make a probe learn the contrast inside each evaluation."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold

from confesslens.probes.metrics import mixed_evals

MIN_SCENARIOS = 4

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


class TooLittleData(ValueError):
    """The rows cannot support a number: one class, or too few scenarios of the rarer class."""


def rarer_scenarios(labels: ArrayLike, groups: ArrayLike, evals: ArrayLike) -> int:
    """How many scenarios show the rarer class, among evaluations that have both classes (0 when none has)."""
    labels, groups, evals = np.asarray(labels, dtype=bool), np.asarray(groups), np.asarray(evals)
    inside = np.isin(evals.astype(str), mixed_evals(labels, evals))
    return min(len(np.unique(groups[inside & labels])), len(np.unique(groups[inside & ~labels])))


def require_enough(labels: ArrayLike, groups: ArrayLike, evals: ArrayLike, least: int = MIN_SCENARIOS) -> None:
    """Raise `TooLittleData`, with a plain sentence, unless at least `least` scenarios show the rarer class."""
    labels = np.asarray(labels, dtype=bool)
    found = rarer_scenarios(labels, groups, evals)
    if found >= least:
        return
    counts = f"{int(labels.sum())} bad and {int((~labels).sum())} complied rollouts"
    if found == 0:
        why = f"no evaluation has both bad and complied rollouts ({counts})"
    else:
        noun = "scenario shows" if found == 1 else "scenarios show"
        why = f"only {found} {noun} the rarer class in evaluations that have both ({counts}); at least {least} needed"
    raise TooLittleData(f"Too little data for a probe: {why}.")


def scenario_folds(
    labels: ArrayLike, groups: ArrayLike, evals: ArrayLike, folds: int = 5, seed: int = 0
) -> list[Split]:
    """Splits that keep every scenario whole, with labels and evaluations spread evenly where possible.

    The number of folds falls to the number of scenarios of the rarer class (never under 2), so that training folds
    keep both classes. The same arguments give the same folds: layers, sites, text baseline and shuffled labels share
    them.

    Args:
        labels: [n] true for the bad act.
        groups: [n] scenarios.
        evals: [n] evaluation names.
        folds: most folds.
        seed: of the shuffle.

    Returns:
        Pairs of row indices (train, test); every row is in exactly one test part.

    Raises:
        TooLittleData: with fewer than two scenarios.
    """
    labels, groups = np.asarray(labels, dtype=bool), np.asarray(groups)
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise TooLittleData(f"Too little data for a probe: {n_groups} scenario cannot be split into folds.")
    count = min(folds, n_groups, max(2, rarer_scenarios(labels, groups, evals)))
    code = np.unique(np.asarray(evals), return_inverse=True)[1] * 2 + labels
    if np.bincount(code).max() < count:
        code = labels.astype(int)
    if np.bincount(code).max() < count:
        code = np.zeros(len(labels), dtype=int)  # too few rows to spread anything but the scenarios
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a stratum rarer than the fold count is expected here
        return list(splitter.split(np.zeros(len(labels)), code, groups))


def contrast_weights(labels: ArrayLike, evals: ArrayLike) -> NDArray[np.float64]:
    """Weight of each row for a fit: twice the share of the other class in the same evaluation.

    Inside every evaluation both classes then weigh the same, so that knowing the evaluation says nothing about the
    label and the probe must learn what differs under the same prompts. An evaluation of one class gets weight 0, and
    no row weighs more than 2. With one evaluation this is scikit-learn's "balanced", up to a constant.

    Args:
        labels: [n] or [n, k] true for the bad act.
        evals: [n] evaluation names.

    Returns:
        weights of the shape of `labels`.
    """
    labels, evals = np.asarray(labels, dtype=bool), np.asarray(evals)
    weights = np.empty(labels.shape)
    for name in np.unique(evals):
        rows = evals == name
        bad = labels[rows].mean(axis=0)
        weights[rows] = np.where(labels[rows], 2 * (1 - bad), 2 * bad)
    return weights
