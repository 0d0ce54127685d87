"""The estimators of a sweep, and the probe for release that is fitted where a sweep points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from confesslens.closest import no_such
from confesslens.probes.closed_forms import ridge_alpha
from confesslens.probes.cv import Split, contrast_weights
from confesslens.probes.estimators import LogisticProbe, MassMeanProbe, RidgeProbe

ESTIMATORS = ("logistic", "ridge", "mass_mean")
"""What a sweep sets beside each other: `LogisticProbe`, `RidgeProbe` (linear discriminant analysis with a penalty) and
`MassMeanProbe`."""


def fit_probe(
    X: ArrayLike, labels: ArrayLike, evals: ArrayLike, penalty: float, estimator: str = "logistic"
) -> LogisticProbe | RidgeProbe | MassMeanProbe:
    """The probe for release: fitted on all rows [n, d], weighted for the contrast inside evaluations as in `sweep`.

    Its quality is the sweep's nested AUROC, never its fit to these rows. `classes_` is ["complied", "not_complied"].
    Penalty and estimator are those of `Sweep.best`; mass-mean takes no penalty.
    """
    bad = np.asarray(labels, dtype=bool)
    names = np.where(bad, "not_complied", "complied")
    kinds: dict[str, Callable[[], LogisticProbe | RidgeProbe | MassMeanProbe]] = {
        "logistic": lambda: LogisticProbe(C=penalty, class_weight=None),
        "ridge": lambda: RidgeProbe(alpha=float(ridge_alpha(penalty)), class_weight=None),
        "mass_mean": lambda: MassMeanProbe(class_weight=None),
    }
    if estimator not in kinds:
        raise ValueError(no_such("estimator", estimator, kinds))
    return kinds[estimator]().fit(X, names, sample_weight=contrast_weights(bad, evals))


def out_of_fold_scores(
    X: ArrayLike,
    labels: ArrayLike,
    evals: ArrayLike,
    folds: Sequence[Split],
    penalty: float,
    estimator: str = "logistic",
) -> NDArray[np.float64]:
    """Scores [n] of probes like `fit_probe`'s, each fitted on the other folds: log-odds, in the units of that probe.

    What thresholds are tried on that are set with the probe itself on other data (`operating_points`); the scores of
    `Sweep.nested` have units of their own. Layer, site and penalty were chosen with all rows in view where they are
    `Sweep.best`'s, so that these scores flatter a little; `Sweep.nested` is the honest AUROC.

    Args:
        X: [n, d] activations.
        labels: [n] true for the bad act.
        evals: [n] evaluation names.
        folds: (train, test) pairs of row indices that keep scenarios whole, such as `Sweep.folds`.
        penalty: as `fit_probe`.
        estimator: as `fit_probe`.
    """
    rows, bad, names = np.asarray(X), np.asarray(labels, dtype=bool), np.asarray(evals)
    scores = np.full(len(bad), np.nan)
    for train, test in folds:
        probe = fit_probe(rows[train], bad[train], names[train], penalty, estimator)
        scores[test] = probe.decision_function(rows[test])
    return scores
