import numpy as np
import pytest

from confesslens.probes import CCSProbe, auroc


def pairs(n=300, d=30, seed=0, strength=3.0, wording=5.0):
    """Pairs that hold what is true along one direction, and the wording (put as true or false) along another."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.5
    direction = np.zeros(d)
    direction[0] = 1
    shared = rng.normal(size=(n, d))
    sign = np.where(truth, 1.0, -1.0)[:, None] * strength * direction
    true = shared + sign + 0.5 * rng.normal(size=(n, d))
    false = shared - sign + 0.5 * rng.normal(size=(n, d))
    true[:, 1] += wording
    return np.stack([true, false], axis=1), truth, direction


def test_finds_what_is_true_without_labels():
    X, truth, direction = pairs()
    probe = CCSProbe().fit(X)
    area = auroc(truth, probe.decision_function(X))
    assert max(area, 1 - area) > 0.99
    assert abs(probe.direction @ direction) / np.linalg.norm(probe.direction) > 0.8
    assert not probe.sign_fixed_ and list(probe.classes_) == [False, True]
    assert probe.loss_ < 0.1


def test_finds_nothing_in_noise():
    X, truth, _ = pairs(strength=0.0)
    assert 0.4 < auroc(truth, CCSProbe().fit(X).decision_function(X)) < 0.6


def test_labels_fix_the_sign_and_nothing_else():
    X, truth, _ = pairs(n=80)
    one, other, bare = CCSProbe().fit(X, truth), CCSProbe().fit(X, ~truth), CCSProbe().fit(X)
    assert auroc(truth, one.decision_function(X)) > 0.95
    assert other.direction == pytest.approx(-one.direction)
    assert np.abs(bare.direction) == pytest.approx(np.abs(one.direction))
    assert one.sign_fixed_


def test_swapped_halves_swap_the_answer():
    X, truth, _ = pairs(n=60, wording=0.0)
    probe = CCSProbe().fit(X, truth)
    assert probe.decision_function(X[:, ::-1]) == pytest.approx(2 * probe.bias - probe.decision_function(X))
    assert probe.decision_function(X) == pytest.approx((X[:, 0] - X[:, 1]) @ probe.direction + probe.bias)


def test_sides_with_the_paper_on_every_pair():
    X, truth, _ = pairs(n=100, strength=0.7)
    probe = CCSProbe().fit(X, truth)
    # The paper's rule: p_true + (1 - p_false) > 1, with p = sigmoid(z @ theta + b) of halves centred on their own.
    theta = 2 * probe.direction
    p_true, p_false = (1 / (1 + np.exp(-((half - half.mean(axis=0)) @ theta))) for half in (X[:, 0], X[:, 1]))
    assert (probe.predict(X) == (p_true + 1 - p_false > 1)).all()


def test_more_features_than_rows_and_flat_pairs():
    X, truth, _ = pairs(n=20, d=100)
    flat = CCSProbe().fit(X.reshape(20, -1), truth)
    assert flat.direction == pytest.approx(CCSProbe().fit(X, truth).direction)
    assert flat.direction.shape == (100,)


def test_what_is_no_pair_is_refused():
    with pytest.raises(ValueError, match="odd number of columns: n_features = 3"):
        CCSProbe().fit(np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"got shape \(4, 3, 2\)"):
        CCSProbe().fit(np.ones((4, 3, 2)))
