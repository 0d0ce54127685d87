import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from confesslens.probes.solver import fit_columns, row_space


@pytest.mark.parametrize("n, d", [(30, 100), (120, 8)])
def test_fits_all_columns_as_sklearn_does(n, d):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)) * np.geomspace(30, 0.1, d)
    train = np.arange(n - 6)
    z = row_space(X, train)
    labels = rng.random((len(train), 4)) < 0.4
    weights = rng.random((len(train), 4)) * (rng.random((len(train), 4)) < 0.8)
    penalties = np.array([1e-3, 1e-2, 1e-1, 1.0])
    coef, bias = fit_columns(z[train], labels.astype(float), weights, penalties)
    scaled = StandardScaler().fit(X[train]).transform(X)
    for j, c in enumerate(penalties):
        want = LogisticRegression(C=c, tol=1e-9, max_iter=10000).fit(scaled[train], labels[:, j], weights[:, j])
        # Held-out rows too: the row space is exact, not an approximation.
        assert z @ coef[:, j] + bias[j] == pytest.approx(want.decision_function(scaled), abs=2e-3)


def test_row_space_ignores_held_out_rows_and_constant_features():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(20, 40)), np.ones(20)])
    other = X.copy()
    other[15:] += 100 * rng.normal(size=(5, 41))
    a, b = row_space(X, np.arange(15)), row_space(other, np.arange(15))
    assert a[:15] @ a[:15].T == pytest.approx(b[:15] @ b[:15].T)
    assert a.shape == (20, 14)


def test_a_column_without_weight_stays_zero():
    coef, bias = fit_columns(np.eye(3), np.ones((3, 1)), np.zeros((3, 1)), np.array([0.1]))
    assert not coef.any() and not bias.any()
