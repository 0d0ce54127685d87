"""Attention and max of windows over sequences of unequal length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.model_selection import cross_val_score

from confesslens.probes import AttentionProbe, LogisticProbe, MaxWindowProbe, auroc
from confesslens.probes.estimators.tokens import windows

BOTH = [AttentionProbe(), MaxWindowProbe(width=3)]


def sequences(n=160, d=12, seed=0, strength=4.0, longest=40):
    """Noise; a bad sequence has three tokens, somewhere, that are shifted along the first axis and marked by the
    second."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2 == 0
    X = [rng.normal(size=(rng.integers(6, longest), d)) for _ in range(n)]
    for x, bad in zip(X, y, strict=True):
        at = rng.integers(len(x) - 3)
        x[at : at + 3, 1] += 4
        x[at : at + 3, 0] += strength * bad
    return X, y


def pad(X, fill=np.nan):
    lengths = np.array([len(x) for x in X])
    out = np.full((len(X), lengths.max(), X[0].shape[1]), fill)
    for row, x in zip(out, X, strict=True):
        row[: len(x)] = x
    return out, lengths


def boxed(X):
    out = np.empty(len(X), dtype=object)
    out[:] = X
    return out


@pytest.mark.parametrize("probe", BOTH)
def test_finds_a_few_telling_tokens_where_the_mean_hardly_does(probe):
    X, y = sequences()
    more, truth = sequences(seed=1)
    got = auroc(truth, probe.fit(X, y).decision_function(more))
    mean = LogisticProbe().fit([x.mean(axis=0) for x in X], y)
    assert got > 0.97
    assert got > auroc(truth, mean.decision_function([x.mean(axis=0) for x in more])) + 0.02
    assert probe.direction[0] > 0.8 * np.linalg.norm(probe.direction)


@pytest.mark.parametrize("probe", BOTH)
def test_finds_nothing_in_noise(probe):
    X, y = sequences(strength=0.0)
    more, truth = sequences(seed=1, strength=0.0)
    assert 0.35 < auroc(truth, probe.fit(X, y).decision_function(more)) < 0.65


@pytest.mark.parametrize("probe", BOTH)
def test_all_forms_of_input_give_the_same_scores(probe):
    X, y = sequences(40)
    padded, lengths = pad(X)
    scores = probe.fit(X, y).decision_function(X)
    assert probe.decision_function(padded, lengths=lengths) == pytest.approx(scores)
    assert probe.decision_function(boxed(X)) == pytest.approx(scores)
    assert probe.decision_function([X[3]])[0] == pytest.approx(scores[3])
    assert probe.fit(padded, y, lengths=lengths).decision_function(X) == pytest.approx(scores)
    assert (probe.predict(padded, lengths=lengths) == (scores > 0)).all()
    assert probe.predict_proba(X)[:, 1] == pytest.approx(1 / (1 + np.exp(-scores)))


@pytest.mark.parametrize("probe", BOTH)
def test_repeated_sequences_count_as_weights(probe):
    X, y = sequences(60, strength=1.0)
    often = np.random.default_rng(0).integers(0, 3, 60)
    again = [x for x, k in zip(X, often, strict=True) for _ in range(k)]
    weighted = probe.fit(X, y, sample_weight=often).decision_function(X)
    assert probe.fit(again, np.repeat(y, often)).decision_function(X) == pytest.approx(weighted, abs=5e-3)


@pytest.mark.parametrize("probe", BOTH)
def test_more_features_than_tokens(probe):
    X, y = sequences(14, d=400, longest=8, strength=30.0)
    got = probe.fit(X, y)
    assert got.direction.shape == (400,)
    assert (got.predict(X) == y).all()


@pytest.mark.parametrize("probe", BOTH)
def test_sklearns_cross_validation_takes_object_arrays(probe):
    X, y = sequences(60)
    assert cross_val_score(probe, boxed(X), y, cv=3, scoring="roc_auc").mean() > 0.9


def test_attention_is_the_softmax_it_says():
    X, y = sequences(60)
    probe = AttentionProbe().fit(X, y)
    for x, weights, score in zip(X, probe.attention(X), probe.decision_function(X), strict=True):
        assert weights == pytest.approx(softmax(x @ probe.query))
        assert score == pytest.approx(weights @ x @ probe.direction + probe.bias)
    marked = np.mean([a[x[:, 1].argmax()] for x, a in zip(X, probe.attention(X), strict=True)])
    assert marked > 2 * np.mean([1 / len(x) for x in X])


def test_the_window_score_is_the_best_window():
    X, y = sequences(40)
    probe = MaxWindowProbe(width=3).fit(X, y)
    for x, each, score in zip(X, probe.window_scores(X), probe.decision_function(X), strict=True):
        means = [x[i : i + 3].mean(axis=0) @ probe.direction + probe.bias for i in range(len(x) - 2)]
        assert each == pytest.approx(means)
        assert score == pytest.approx(max(means))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 5), st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_windows_are_plain_means(sizes, width, seed):
    tokens = np.random.default_rng(seed).normal(size=(sum(sizes), 2)) + 1000
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    got, ends = windows(tokens, bounds, width)
    for i, size in enumerate(sizes):
        x = tokens[bounds[i] : bounds[i + 1]]
        want = [x[j : j + width].mean(axis=0) for j in range(max(size - width, 0) + 1)]
        assert got[ends[i] : ends[i + 1]] == pytest.approx(np.array(want))


@pytest.mark.parametrize("probe", BOTH)
@pytest.mark.parametrize(
    "X, lengths, words",
    [
        ([np.ones((2, 3)), np.ones((0, 3))], None, r"sequence 1 has shape \(0, 3\)"),
        ([np.ones((2, 3)), np.ones((2, 4))], None, r"sequence 1 has shape \(2, 4\); expected \[tokens, 3\]"),
        ([np.ones((2, 3)), np.full((2, 3), np.nan)], None, "NaN or infinite"),
        (np.ones((2, 5, 3)), [5, 6], r"whole numbers in 1..5"),
        (np.ones((2, 5, 3)), [5], "lengths must be 2"),
        ([np.ones((2, 3)), np.ones((2, 3))], [2, 2], "lengths belong to padded"),
    ],
)
def test_bad_sequences_are_named(probe, X, lengths, words):
    with pytest.raises(ValueError, match=words):
        probe.fit(X, [0, 1], lengths=lengths)


def test_other_widths_than_the_fit_are_refused():
    X, y = sequences(20)
    with pytest.raises(ValueError, match="X has 5 features, but AttentionProbe is expecting 12"):
        AttentionProbe().fit(X, y).decision_function([np.ones((3, 5))])
    with pytest.raises(ValueError, match="width is 0"):
        MaxWindowProbe(width=0).fit(X, y)
