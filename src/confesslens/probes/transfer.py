"""Transfer: a probe fitted on one evaluation or organism, asked of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from confesslens.probes.bootstrap import auroc_interval
from confesslens.probes.cv import MIN_SCENARIOS, TooLittleData, contrast_weights, rarer_scenarios, scenario_folds
from confesslens.probes.estimators import LogisticProbe

COLUMNS = ["train", "test", "held_out", "n_train", "n_test", "n_pos", "auroc", "low", "high"]


@dataclass
class DataSet:
    """Activations with what is known of their rows: one evaluation's, one organism's, or several evaluations'.

    Attributes:
        X: [n, d] activations, or what the estimator takes: [n, layers, d], or n sequences [tokens, d].
        labels: [n] true for the bad act.
        groups: [n] scenarios.
        evals: [n] evaluation names.

    Raises:
        ValueError: lengths that differ.
    """

    X: Any = field(repr=False)
    labels: NDArray[np.bool_]
    groups: NDArray
    evals: NDArray

    def __post_init__(self) -> None:
        self.labels, self.groups = np.asarray(self.labels, dtype=bool), np.asarray(self.groups)
        self.evals = np.asarray(self.evals).astype(str)
        lengths = [len(self.X), len(self.labels), len(self.groups), len(self.evals)]
        if len(set(lengths)) > 1:
            raise ValueError(f"X, labels, groups and evals need one entry a row each, got lengths {lengths}")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray) -> DataSet:
        """The rows of these indices, or of this mask [n]."""
        index = np.arange(len(self))[rows]
        X = self.X[index] if isinstance(self.X, np.ndarray) else [self.X[i] for i in index]
        return DataSet(X, self.labels[index], self.groups[index], self.evals[index])

    def by_eval(self) -> dict[str, DataSet]:
        """One data set an evaluation, by name."""
        return {str(name): self.take(self.evals == name) for name in np.unique(self.evals)}


def transfer_matrix(
    data: DataSet | Mapping[str, DataSet],
    estimator: Any = None,
    folds: int = 5,
    n_boot: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit on each data set, and ask each of the others: the generalisation matrix of Marks and Tegmark 2310.06824.

    The diagonal is cross-validated by scenario. So is a cell off the diagonal whose data sets share scenarios, as those
    of two organisms on one evaluation do: a scenario is never both fitted and scored. Fits weigh rows for the contrast
    inside evaluations (`contrast_weights`) where the estimator takes weights.

    Args:
        data: a data set, to be split by evaluation, or data sets by name, such as one an organism.
        estimator: a scikit-learn classifier with `decision_function`; LogisticProbe() when None. Its penalty is fixed:
            choose it on other data, or give a GridSearchCV.
        folds: most folds where scenarios are shared.
        n_boot: draws of each interval.
        seed: of folds and draws.

    Returns:
        One row a pair: train, test, held_out ("scenarios" where cross-validated, else "all"), n_train (rows of the
        training set), n_test, n_pos, auroc (inside the test's evaluations), low, high (clustered by scenario). NaN
        where either has too little data: fewer than 4 scenarios of the rarer class in evaluations with both.
    """
    sets = data.by_eval() if isinstance(data, DataSet) else dict(data)
    pairs = [(a, b) for a in sets for b in sets]
    rows = [_row(a, b, sets[a], sets[b], estimator, folds, n_boot, seed) for a, b in pairs]
    return pd.DataFrame(rows, columns=COLUMNS)


def leave_one_eval_out(
    data: DataSet | Mapping[str, DataSet],
    estimator: Any = None,
    folds: int = 5,
    n_boot: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit on all evaluations (or data sets) but one, and ask the one that was left out.

    Args:
        data: as `transfer_matrix`; of activations in arrays where several data sets are given.
        estimator: as `transfer_matrix`.
        folds: as `transfer_matrix`.
        n_boot: draws of each interval.
        seed: of folds and draws.

    Returns:
        The columns of `transfer_matrix`, one row a data set left out; train is "all but NAME".

    Raises:
        ValueError: fewer than two data sets.
    """
    sets = data.by_eval() if isinstance(data, DataSet) else dict(data)
    if len(sets) < 2:
        raise ValueError(f"leave_one_eval_out needs two evaluations or data sets or more, got {list(sets)}")
    rows = []
    for name, test in sets.items():
        train = _joined([other for key, other in sets.items() if key != name])
        rows.append(_row(f"all but {name}", name, train, test, estimator, folds, n_boot, seed))
    return pd.DataFrame(rows, columns=COLUMNS)


def transfer_scores(
    train: DataSet, test: DataSet, estimator: Any = None, folds: int = 5, seed: int = 0
) -> NDArray[np.float64]:
    """Scores [n_test] of the test's rows by a fit on the training rows, as in a cell of `transfer_matrix`.

    Where the two share scenarios, each row's fit saw none of its scenario.

    Args:
        train: rows to fit on.
        test: rows to score; their labels decide on nothing but how the folds are balanced.
        estimator: as `transfer_matrix`; of texts, a pipeline that takes a list of them.
        folds: most folds where scenarios are shared.
        seed: of the folds.

    Raises:
        TooLittleData: no evaluation in the training rows has both classes.
    """
    shared = bool(np.isin(test.groups, train.groups).any())
    return _cross_fit(train, test, estimator, folds, seed) if shared else _score(train, test, estimator)


def _row(
    a: str, b: str, train: DataSet, test: DataSet, estimator: Any, folds: int, n_boot: int, seed: int
) -> dict[str, Any]:
    shared = bool(np.isin(test.groups, train.groups).any())
    row: dict[str, Any] = {
        "train": a,
        "test": b,
        "held_out": "scenarios" if shared else "all",
        "n_train": len(train),
        "n_test": len(test),
        "n_pos": int(test.labels.sum()),
        "auroc": np.nan,
        "low": np.nan,
        "high": np.nan,
    }
    if min(rarer_scenarios(part.labels, part.groups, part.evals) for part in (train, test)) < MIN_SCENARIOS:
        return row
    try:
        scores = transfer_scores(train, test, estimator, folds, seed)
    except TooLittleData:
        return row
    area = auroc_interval(test.labels, scores, test.evals, test.groups, n_boot, seed)
    return row | {"auroc": area.estimate, "low": area.low, "high": area.high}


def _cross_fit(train: DataSet, test: DataSet, estimator: Any, folds: int, seed: int) -> NDArray[np.float64]:
    """[n_test] scores, each from a fit that saw none of the row's scenario."""
    labels = np.concatenate([train.labels, test.labels])
    groups = np.concatenate([train.groups, test.groups])
    evals = np.concatenate([train.evals, test.evals])
    scores = np.empty(len(test))
    for _, held in scenario_folds(labels, groups, evals, folds, seed):
        out = np.unique(groups[held])
        rows = np.isin(test.groups, out)
        if rows.any():
            scores[rows] = _score(train.take(~np.isin(train.groups, out)), test.take(rows), estimator)
    return scores


def _score(train: DataSet, test: DataSet, estimator: Any) -> NDArray[np.float64]:
    """[n_test] scores, divided by their spread on the training rows so that those of several folds compare."""
    weights = contrast_weights(train.labels, train.evals)
    if not weights.any():
        raise TooLittleData("Too little data for a probe: no evaluation in the training rows has both classes.")
    train, weights = train.take(weights > 0), weights[weights > 0]
    model = clone(LogisticProbe() if estimator is None else estimator)
    weighted = has_fit_parameter(model, "sample_weight")
    model.fit(train.X, train.labels, **({"sample_weight": weights} if weighted else {}))
    spread = float(np.std(model.decision_function(train.X)))
    return model.decision_function(test.X) / (spread if spread > 0 else 1.0)


def _joined(sets: list[DataSet]) -> DataSet:
    arrays = all(isinstance(s.X, np.ndarray) and s.X.ndim > 1 for s in sets)
    X = np.concatenate([s.X for s in sets]) if arrays else [x for s in sets for x in s.X]
    labels, groups, evals = (np.concatenate([getattr(s, k) for s in sets]) for k in ("labels", "groups", "evals"))
    return DataSet(X, labels, groups, evals)
