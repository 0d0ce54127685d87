import numpy as np
import pytest

from confesslens.probes import LayerEnsembleProbe, LogisticProbe, RidgeProbe, auroc


def layers(n=200, count=4, d=10, seed=0, telling=(1, 2), strength=1.2):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.5
    X = rng.normal(size=(n, count, d))
    for layer in telling:
        X[:, layer, 0] += strength * y
    return X, y


@pytest.mark.parametrize("combine", ["mean", "stack"])
def test_the_score_is_one_direction_a_layer(combine):
    X, y = layers()
    probe = LayerEnsembleProbe(combine=combine).fit(X, y)
    assert probe.direction.shape == (4, 10)
    assert probe.decision_function(X) == pytest.approx((X * probe.direction).sum(axis=(1, 2)) + probe.bias)
    assert (probe.predict(X) == (probe.decision_function(X) > 0)).all()


def test_the_mean_averages_the_log_odds_of_its_probes():
    X, y = layers()
    probe = LayerEnsembleProbe(RidgeProbe()).fit(X, y)
    each = [RidgeProbe().fit(X[:, i], y).decision_function(X[:, i]) for i in range(4)]
    assert probe.decision_function(X) == pytest.approx(np.mean(each, axis=0))


def test_two_telling_layers_beat_one_and_stacking_drops_the_rest():
    X, y = layers(count=8, n=800)
    more, truth = layers(count=8, seed=1, n=1000)
    stack = LayerEnsembleProbe(combine="stack").fit(X, y)
    single = LogisticProbe().fit(X[:, 1], y)
    assert auroc(truth, stack.decision_function(more)) > auroc(truth, single.decision_function(more[:, 1])) + 0.04
    share = np.linalg.norm(stack.direction, axis=1)
    assert share[[1, 2]].min() > 4 * share[[0, 3, 4, 5, 6, 7]].max()


def test_stacking_keeps_groups_whole():
    # Rows of a scenario are copies and the label goes with the scenario: layer 0 identifies scenarios exactly, so only
    # folds that keep them whole see that it says nothing of other scenarios.
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 5)
    y = (rng.permutation(40) < 20)[groups]
    X = np.stack([rng.normal(size=(40, 60))[groups], rng.normal(size=(200, 60))], axis=1)
    X[:, 1, 0] += 1.5 * y
    whole = LayerEnsembleProbe(combine="stack").fit(X, y, groups=groups).layer_weights_
    torn = LayerEnsembleProbe(combine="stack").fit(X, y).layer_weights_
    assert torn[0] > torn[1]
    assert abs(whole[0]) < whole[1] / 2


def test_what_does_not_fit_is_refused():
    X, y = layers(40)
    probe = LayerEnsembleProbe().fit(X, y)
    with pytest.raises(ValueError, match=r"\[layers, d\] \[3, 10\], but the fit had \[4, 10\]"):
        probe.decision_function(X[:, :3])
    with pytest.raises(ValueError, match='expected "mean" or "stack"'):
        LayerEnsembleProbe(combine="median").fit(X, y)
    with pytest.raises(ValueError, match="groups need one entry a row, got 3 for 40"):
        LayerEnsembleProbe(combine="stack").fit(X, y, groups=[1, 2, 3])
    with pytest.raises(ValueError, match="2 groups or more of each class"):
        LayerEnsembleProbe(combine="stack").fit(X, y, groups=y)
