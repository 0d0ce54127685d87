"""How long each estimator takes to fit, beside scikit-learn on raw activations: one JSON line of medians in seconds.

    uv run python benchmarks/probe_fits.py

Synthetic activations with three features of fifty times the spread of the others, as language models have (one
thread; n = 400 rows, d = 576; ragged tokens: 200 sequences of 20 to 120 tokens). `auroc` is on as many rows not fitted.
The last entry is a permutation test of 20 cells by 999 permutations.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
import statistics
import sys
import time
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

import confesslens.probes as probes

N, D, ROUNDS = 400, 576, 5


def main(n: int = N, d: int = D, rounds: int = ROUNDS, permutations: int = 999) -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore", category=UserWarning)  # scikit-learn on raw activations stops at its limit
    rng = np.random.default_rng(0)
    y = rng.random(2 * n) < 0.5
    direction = rng.normal(size=d) / np.sqrt(d)
    scale = np.where(np.arange(d) < 3, 50.0, 1.0)
    rows = (rng.normal(size=(2 * n, d)) + 2 * np.outer(y, direction)) * scale
    pairs = np.stack([rows, rows - 4 * np.outer(np.where(y, 1, -1), direction) * scale], axis=1)
    ragged = np.empty(n, dtype=object)
    for i in range(n):
        ragged[i] = rng.normal(size=(rng.integers(20, 121), d))
        ragged[i][:5, 3:] += 3 * y[i] * direction[3:]
    layers = np.repeat(rows[:, None], 4, axis=1) + rng.normal(size=(2 * n, 4, d))
    work = {
        "sklearn raw, C=1": (LogisticRegression(max_iter=1000), rows, n),
        "logistic": (probes.LogisticProbe(), rows, n),
        "ridge": (probes.RidgeProbe(), rows, n),
        "mass_mean": (probes.MassMeanProbe(), rows, n),
        "mass_mean whitened": (probes.MassMeanProbe(whiten=True), rows, n),
        "ccs": (probes.CCSProbe(), pairs, n),
        "attention": (probes.AttentionProbe(), ragged, n // 2),
        "max_window": (probes.MaxWindowProbe(), ragged, n // 2),
        "ensemble of 4 layers": (probes.LayerEnsembleProbe(), layers, n),
    }
    found = {}
    for name, (estimator, X, half) in work.items():
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            estimator.fit(X[:half], y[:half])
            seconds.append(time.perf_counter() - start)
        area = probes.auroc(y[half : 2 * half], estimator.decision_function(X[half : 2 * half]))
        found[name] = {"seconds": round(statistics.median(seconds), 4), "auroc": round(area, 3)}
    grid = rng.normal(size=(n, 10, 2, d))
    start = time.perf_counter()
    probes.permutation_test(grid, y[:n], np.arange(n) // 2, np.repeat(["a", "b"], n // 2), permutations=permutations)
    found[f"permutation_test, 20 cells, {permutations}"] = {"seconds": round(time.perf_counter() - start, 2)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
