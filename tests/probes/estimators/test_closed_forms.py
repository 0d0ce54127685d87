"""Ridge and mass-mean against scikit-learn, and each other."""

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from confesslens.probes import LogisticProbe, MassMeanProbe, RidgeProbe
from confesslens.probes.estimators.mass_mean import ledoit_wolf_shrinkage


def rows(n=120, d=6, seed=0, share=0.3):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < share
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) * np.geomspace(50, 0.1, d) + 3
    return X + np.outer(y, rng.normal(size=d) * X.std(axis=0)), y


@pytest.mark.parametrize("probe", [RidgeProbe(alpha=0), MassMeanProbe(whiten=True, shrinkage=0)])
def test_without_penalty_is_linear_discriminant_analysis(probe):
    X, y = rows()
    want = LinearDiscriminantAnalysis(solver="lsqr", priors=[0.5, 0.5]).fit(X, y)
    probe.fit(X, y)
    assert probe.decision_function(X) == pytest.approx(want.decision_function(X), rel=1e-6, abs=1e-6)
    assert probe.predict_proba(X) == pytest.approx(want.predict_proba(X), abs=1e-6)


def test_base_rates_count_without_class_weights():
    X, y = rows()
    want = LinearDiscriminantAnalysis(solver="lsqr").fit(X, y)
    got = RidgeProbe(alpha=0, class_weight=None).fit(X, y)
    assert got.decision_function(X) == pytest.approx(want.decision_function(X), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("n, d", [(120, 6), (40, 200)])
def test_ridge_points_where_sklearns_ridge_does(n, d):
    X, y = rows(n, d)
    scaler = StandardScaler().fit(X)
    want = RidgeClassifier(alpha=7.0, class_weight="balanced").fit(scaler.transform(X), y).coef_.ravel() / scaler.scale_
    got = RidgeProbe(alpha=7.0).fit(X, y)
    assert got.direction / np.linalg.norm(got.direction) == pytest.approx(want / np.linalg.norm(want), abs=1e-8)
    assert got.decision_function(X) == pytest.approx(X @ got.direction + got.bias)


def test_the_default_ridge_penalty_pulls_as_the_logistic_one():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 60)) * np.geomspace(3, 0.3, 60) @ rng.normal(size=(60, 60))
    y = X @ rng.normal(size=60) / 30 + 3 * rng.normal(size=400) > 0
    scale = X.std(axis=0)
    logistic = LogisticProbe().fit(X, y).direction * scale
    ridge = {a: RidgeProbe(alpha=a).fit(X, y).direction * scale for a in (8.0, RidgeProbe().alpha, 200.0)}
    alike = {a: np.corrcoef(logistic, direction)[0, 1] for a, direction in ridge.items()}
    assert max(alike, key=alike.__getitem__) == RidgeProbe().alpha
    assert alike[RidgeProbe().alpha] > 0.99


@pytest.mark.parametrize("n, d", [(150, 8), (30, 90)])
def test_shrinkage_is_that_of_ledoit_and_wolf(n, d):
    X = np.random.default_rng(1).normal(size=(n, d)) * np.geomspace(3, 0.5, d)
    X -= X.mean(axis=0)
    want = ledoit_wolf(X, assume_centered=True)[1]
    assert ledoit_wolf_shrinkage(X, np.ones(n), d) == pytest.approx(want)
    basis, upper = np.linalg.qr(X.T)
    assert ledoit_wolf_shrinkage(upper.T, np.ones(n), d) == pytest.approx(want)


@pytest.mark.parametrize("n, d", [(120, 6), (40, 200)])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_whitening_solves_with_the_shrunk_covariance(n, d, share):
    X, y = rows(n, d, share=0.5)
    probe = MassMeanProbe(whiten=True, shrinkage=share, class_weight=None).fit(X, y)
    inside = X - np.where(y[:, None], X[y].mean(axis=0), X[~y].mean(axis=0))
    scaled = inside / inside.std(axis=0)
    covariance = (1 - share) * scaled.T @ scaled / n + share * np.eye(d)
    difference = X[y].mean(axis=0) - X[~y].mean(axis=0)
    want = np.linalg.solve(covariance, difference / inside.std(axis=0)) / inside.std(axis=0)
    cosine = probe.direction @ want / np.linalg.norm(probe.direction) / np.linalg.norm(want)
    assert cosine == pytest.approx(1, abs=1e-8)
    assert probe.shrinkage_ == share


def test_plain_mass_mean_is_the_difference_of_means():
    X, y = rows()
    probe = MassMeanProbe().fit(X, y)
    difference = X[y].mean(axis=0) - X[~y].mean(axis=0)
    assert probe.mean_difference_ == pytest.approx(difference)
    assert np.cross(probe.direction[:3], difference[:3]) == pytest.approx(np.zeros(3), abs=1e-6)
    middle = (X[y].mean(axis=0) + X[~y].mean(axis=0)) / 2
    assert probe.decision_function(middle[None])[0] == pytest.approx(0, abs=1e-8)


def test_a_shrinkage_out_of_range_is_refused():
    X, y = rows()
    with pytest.raises(ValueError, match=r'shrinkage is 2; expected "auto" or a number in 0..1'):
        MassMeanProbe(whiten=True, shrinkage=2).fit(X, y)


@pytest.mark.parametrize("probe", [RidgeProbe(alpha=1e-9), MassMeanProbe(), MassMeanProbe(whiten=True)])
def test_perfect_separation_stays_finite(probe):
    X = np.r_[np.zeros((5, 3)), np.ones((5, 3))]
    scores = probe.fit(X, np.arange(10) > 4).decision_function(X)
    assert np.isfinite(scores).all() and (scores[:5] < 0).all() and (scores[5:] > 0).all()
