"""A probe sweep with its permutation test, beside the scikit-learn loops that do the same: one JSON line of ratios.

    uv run python benchmarks/sweep.py

30 layers x 4 sites x 10 penalties x 5 folds, n = 1,000, d = 576, 200 permutations of the labels; synthetic activations
with a few features of fifty times the spread of the others, as language models have, and a signal at half of the cells.

`sweep` does it all once: logistic, ridge and mass-mean with nested choice of the penalty (three inner folds), shuffled
labels off, and the permutation test. The scikit-learn loops are timed on a random subsample of their fits and scaled up
to the whole grid (`*_scaled_seconds`); inner folds are left out of them, in their favour. All seconds are CPU seconds
of the process, so that other work on the machine counts for nobody.

- `ratio`: StandardScaler and LogisticRegression, a fit for each cell, penalty, fold and label column.
- `ratio_ridge`: the same with Ridge, the estimator that `sweep` permutes labels by.
- `ratio_many_targets`: what a careful user writes: logistic for the true labels only (with the inner folds that choose
  the penalty), and one Ridge of 201 targets for each cell, penalty and fold.

`auroc_difference` is the largest difference between the out-of-fold AUROCs of `sweep` and of the loop in the cells that
were redone (same folds, penalty of the fold), `null_difference` that between the mean AUROC of permuted labels by ridge
and by the logistic loop, `null_spread` their two standard deviations.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
import sys
import time

import numpy as np
from measure import PeakMemory
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from confesslens.probes import auroc, permuted_labels, sweep
from confesslens.probes.folds import plan_fold, score_fold
from confesslens.probes.solver import row_space

LAYERS, SITES, N, D, PERMUTATIONS, FITS = 30, 4, 1000, 576, 200, 120
PENALTIES = np.logspace(-4, -0.5, 10)


def main(layers: int = LAYERS, sites: int = SITES, n: int = N, permutations: int = PERMUTATIONS) -> None:
    """Measure and print."""
    rng = np.random.default_rng(0)
    groups, evals = np.arange(n) // 4, np.zeros(n, dtype=int)
    labels = rng.random(n) < 0.5
    values = rng.normal(size=(n, layers, sites, D)).astype(np.float32)
    values[..., :40] += 0.15 * labels[:, None, None, None] * (np.arange(layers) % 2)[:, None, None]
    values[..., 40:43] *= 50
    present = np.ones((n, sites), dtype=bool)
    names = [f"site.{j}" for j in range(sites)]
    with PeakMemory() as memory:
        start, wall = time.process_time(), time.perf_counter()
        found = sweep(
            *(values, present, labels, groups, evals, range(layers), names, PENALTIES),
            shuffles=0,
            permutations=permutations,
        )
        ours, wall = time.process_time() - start, time.perf_counter() - wall
    columns = permuted_labels(labels, groups, evals, permutations, 0)
    with threadpool_limits(1):
        logistic, ridge, many = (
            _seconds(kind, values, labels, columns, found.folds) for kind in ("C", "alpha", "many")
        )
    fits = layers * sites * len(PENALTIES) * len(found.folds)
    peers = {
        "logistic": logistic * fits * (1 + permutations),
        "ridge": ridge * fits * (1 + permutations),
        "many_targets": logistic * fits * 4 + many * fits,
    }
    line = {
        "benchmark": "sweep",
        "shape": f"{layers} layers x {sites} sites x {len(PENALTIES)} penalties x {len(found.folds)} folds",
        "n": n,
        "d": D,
        "permutations": permutations,
        "cpu_seconds": round(ours, 1),
        "wall_seconds_two_threads": round(wall, 1),
        "ratio": round(peers["logistic"] / ours, 1),
        "ratio_ridge": round(peers["ridge"] / ours, 1),
        "ratio_many_targets": round(peers["many_targets"] / ours, 1),
        **{f"{name}_scaled_seconds": round(seconds) for name, seconds in peers.items()},
        "timed_fits_a_peer": FITS,
        **_agreement(values, labels, groups, evals, columns, found),
        "peak_memory_gained_gb": None if memory.gained is None else round(memory.gained / 1e9, 2),
    }
    print(json.dumps(line))


def _logistic(C: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, class_weight="balanced", max_iter=5000))


def _seconds(kind: str, values: np.ndarray, labels: np.ndarray, columns: np.ndarray, folds: list) -> float:
    """Mean CPU seconds of a fit and its held-out scores, over random cells, penalties, folds and label columns."""
    rng = np.random.default_rng(1)
    spent = 0.0
    for _ in range(FITS):
        x = values[:, rng.integers(values.shape[1]), rng.integers(values.shape[2])]
        train, test = folds[rng.integers(len(folds))]
        C, column = rng.choice(PENALTIES), columns[:, rng.integers(columns.shape[1])]
        start = time.process_time()
        if kind == "C":
            model = _logistic(C).fit(x[train], column[train])
            model.decision_function(x[test])
        else:
            y = column if kind == "alpha" else np.column_stack([labels, columns])
            model = make_pipeline(StandardScaler(), Ridge(alpha=4 / C)).fit(x[train], y[train].astype(float))
            model.predict(x[test])
        spent += time.process_time() - start
    return spent / FITS


def _agreement(values, labels, groups, evals, columns, found) -> dict:  # type: ignore[no-untyped-def]
    """How near sweep and loop are: the first two cells, the penalty of each fold as sweep chose it."""
    table = found.table[found.table["estimator"] == "logistic"].set_index(["layer", "site"])
    worst, nulls = 0.0, []
    for layer in (0, 1):
        x = values[:, layer, 0].astype(np.float64)
        scores, spread = np.empty(len(labels)), np.empty(len(labels))
        null = np.empty((len(labels), 20))
        for train, test in found.folds:
            plan = plan_fold(labels[:, None], groups, evals, (train, test), sorted(PENALTIES), 3, 0)
            fold = score_fold(row_space(x, train), plan, evals)
            best = int(fold.best_penalty()[0])
            model = _logistic(sorted(PENALTIES)[best])
            scores[test] = model.fit(x[train], labels[train]).decision_function(x[test])
            spread[test] = scores[test].std() / fold.scores[:, best, 0].std()
            for j in range(null.shape[1]):
                null[test, j] = model.fit(x[train], columns[train, j]).decision_function(x[test])
        area = auroc(labels, scores / spread)
        worst = max(worst, abs(area - table.loc[(layer, "site.0"), "auroc"]))
        nulls.append([auroc(columns[:, j], null[:, j]) for j in range(null.shape[1])])
    ridge = found.test.table["estimator"] == "ridge"
    by_ridge = found.test.statistics[ridge][:2, 1:21]
    return {
        "auroc_difference": round(worst, 5),
        "null_difference": round(float(abs(by_ridge.mean() - np.mean(nulls))), 4),
        "null_spread": [round(float(by_ridge.std()), 3), round(float(np.std(nulls)), 3)],
    }


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
