import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from confesslens.probes import LogisticProbe


def rows(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * np.geomspace(20, 0.1, d) + 3
    y = X[:, 0] - 3 + 10 * rng.normal(size=n) > 4
    return X, np.where(y, "not_complied", "complied")


@pytest.mark.parametrize("n, d", [(40, 200), (200, 10)])
def test_equals_sklearn_on_standardised_features(n, d):
    X, y = rows(n, d)
    scaler = StandardScaler().fit(X)
    want = LogisticRegression(C=0.1, class_weight="balanced", tol=1e-8, max_iter=5000).fit(scaler.transform(X), y)
    probe = LogisticProbe(C=0.1).fit(X, y)
    assert probe.decision_function(X) == pytest.approx(want.decision_function(scaler.transform(X)), abs=1e-3)
    assert probe.decision_function(X) == pytest.approx(X @ probe.direction + probe.bias)
    assert probe.direction.shape == (d,)


def test_takes_pandas_strings_and_points_to_the_bad_act():
    X, y = rows(80, 5)
    probe = LogisticProbe().fit(pd.DataFrame(X).to_numpy(np.float32), pd.Series(y))
    assert list(probe.classes_) == ["complied", "not_complied"]
    assert probe.direction[0] > 0
    assert set(probe.predict(X)) == {"complied", "not_complied"}
    assert probe.predict_proba(X).sum(axis=1) == pytest.approx(1)


def test_three_classes_are_refused_with_what_to_do():
    X, y = rows(30, 4)
    y = np.r_[y[:-1], ["neither"]]
    with pytest.raises(ValueError, match="3 classes.*Drop the rows labelled 'neither'"):
        LogisticProbe().fit(X, y)
    with pytest.raises(ValueError, match="one class"):
        LogisticProbe().fit(X, np.full(30, "complied"))
