"""A known direction in noise: every estimator finds it, and its AUROC is what theory says."""

import numpy as np
import pytest
from scipy.stats import norm

from confesslens.probes import (
    AttentionProbe,
    CCSProbe,
    LayerEnsembleProbe,
    LogisticProbe,
    MassMeanProbe,
    MaxWindowProbe,
    RidgeProbe,
    auroc,
)

D = 16
ROWS = [LogisticProbe(), RidgeProbe(), MassMeanProbe(), MassMeanProbe(whiten=True), AttentionProbe(), MaxWindowProbe()]


def planted(delta, n=3000, seed=0, scale=1.0):
    """Unit noise times `scale`, the classes `delta` standard deviations apart along a random direction."""
    rng = np.random.default_rng(seed)
    direction = np.random.default_rng(99).normal(size=D)
    direction /= np.linalg.norm(direction)
    y = rng.random(n) < 0.5
    return (rng.normal(size=(n, D)) + delta * np.outer(y, direction)) * scale, y, direction


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.mark.parametrize("probe", ROWS)
@pytest.mark.parametrize("delta", [1.0, 2.0])
def test_direction_and_auroc_are_those_planted(probe, delta):
    X, y, direction = planted(delta)
    more, truth, _ = planted(delta, n=20000, seed=1)
    probe.fit(X, y)
    assert cosine(probe.direction, direction) > 0.97
    assert auroc(truth, probe.decision_function(more)) == pytest.approx(norm.cdf(delta / np.sqrt(2)), abs=0.012)


@pytest.mark.parametrize("probe", [LogisticProbe(C=1e6), RidgeProbe(alpha=0), MassMeanProbe(whiten=True)])
def test_log_odds_are_those_of_the_two_normal_distributions(probe):
    scale = np.geomspace(100, 0.01, D)
    X, y, direction = planted(1.5, n=20000, scale=scale)
    probe.fit(X, y)
    # log N(x; delta u, 1) / N(x; 0, 1) = delta u.x - delta^2 / 2, on features divided by their scale.
    assert probe.direction * scale == pytest.approx(1.5 * direction, abs=0.12)
    assert probe.bias == pytest.approx(-(1.5**2) / 2, abs=0.12)


def test_an_ensemble_adds_up_independent_layers():
    first, y, direction = planted(1.0)
    X = np.stack([first, np.random.default_rng(5).normal(size=first.shape) + np.outer(y, direction)], axis=1)
    probe = LayerEnsembleProbe().fit(X, y)
    for row in probe.direction:
        assert cosine(row, direction) > 0.95
    # Two independent layers of distance 1: together sqrt(2) apart.
    assert auroc(y, probe.decision_function(X)) == pytest.approx(norm.cdf(1.0), abs=0.015)


def test_ccs_reads_pairs_as_theory_says():
    # Halves differ by +-delta along the direction in noise of their own: the difference is 4 delta / sqrt(2) apart.
    rng = np.random.default_rng(0)
    _, y, direction = planted(1.0)
    sign = np.where(y, 1.0, -1.0)[:, None] * direction
    X = np.stack([2 * sign, -2 * sign], axis=1) + rng.normal(size=(len(y), 2, D))
    probe = CCSProbe().fit(X, y)
    assert cosine(probe.direction, direction) > 0.95
    assert auroc(y, probe.decision_function(X)) == pytest.approx(norm.cdf(8 / np.sqrt(2) / np.sqrt(2)), abs=0.01)


@pytest.mark.parametrize("probe", ROWS)
def test_nothing_is_found_in_noise(probe):
    areas = []
    for seed in range(20):
        X, y, _ = planted(0.0, n=80, seed=seed)
        areas.append(auroc(y[40:], probe.fit(X[:40], y[:40]).decision_function(X[40:])))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)  # 3 standard errors of 20 means of 40 rows
