import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from confesslens.probes import (
    Interval,
    auroc,
    auroc_difference,
    auroc_interval,
    clustered_bootstrap,
    resample_weights,
    within_eval_auroc,
)
from confesslens.probes.bootstrap import auroc_draws

ROWS = st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40)


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_auroc_agrees_with_sklearn_and_is_symmetric(rows):
    y, scores = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=float)
    if y.all() or not y.any():
        assert np.isnan(auroc(y, scores))
        return
    assert auroc(y, scores) == pytest.approx(roc_auc_score(y, scores))
    assert auroc(~y, scores) == pytest.approx(1 - auroc(y, scores))
    assert auroc(y, np.exp(scores)) == pytest.approx(auroc(y, scores))


def test_within_eval_auroc_is_never_pooled():
    # Simpson: the score is useless or reversed inside each evaluation, but base rates make the pooled AUROC high.
    evals = np.repeat(["rare", "common"], 20)
    y = np.r_[np.arange(20) < 2, np.arange(20) < 18]
    scores = np.r_[np.zeros(20), np.full(20, 5.0)] - 0.1 * y
    assert auroc(y, scores) > 0.75
    assert within_eval_auroc(y, scores, evals) == 0.0


def test_within_eval_auroc_averages_mixed_evaluations_only():
    y = [1, 0, 1, 0, 1, 1]
    scores = [2, 1, 1, 2, 9, np.nan]
    assert within_eval_auroc(y, scores, ["a", "a", "b", "b", "c", "c"]) == 0.5
    assert np.isnan(within_eval_auroc([1, 1], [0, 1], ["a", "a"]))


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        auroc([0, 1], [1, 2, 3])


def test_weighted_draws_equal_repeated_rows():
    rng = np.random.default_rng(0)
    n = 60
    y, scores = rng.random(n) < 0.4, rng.integers(0, 6, n).astype(float)
    evals, groups = np.repeat(["a", "b", "c"], 20), np.arange(n) // 2
    weights = resample_weights(groups, evals, 25, seed=3)
    fast = auroc_draws(y, scores, evals, weights)
    for b in range(25):
        rows = np.repeat(np.arange(n), weights[:, b].astype(int))
        assert fast[b] == pytest.approx(within_eval_auroc(y[rows], scores[rows], evals[rows]))


def test_fast_interval_equals_the_general_bootstrap():
    rng = np.random.default_rng(1)
    y, evals, groups = rng.random(48) < 0.5, np.repeat(["a", "b"], 24), np.arange(48) // 3
    scores = y + rng.normal(size=48)

    def statistic(i):
        return within_eval_auroc(y[i], scores[i], evals[i])

    slow = clustered_bootstrap(statistic, groups, evals, n_boot=200, seed=5)
    fast = auroc_interval(y, scores, evals, groups, n_boot=200, seed=5)
    assert (fast.estimate, fast.low, fast.high) == pytest.approx((slow.estimate, slow.low, slow.high))
    assert fast.low < fast.estimate < fast.high


def test_clusters_are_resampled_whole_inside_their_stratum():
    weights = resample_weights([0, 0, 1, 1, 2, 3], ["a"] * 4 + ["b"] * 2, n_boot=50)
    assert (weights[0] == weights[1]).all() and (weights[2] == weights[3]).all()
    assert (weights[[0, 2]].sum(axis=0) == 2).all() and (weights[4:].sum(axis=0) == 2).all()


def test_clusters_widen_the_interval():
    values = np.repeat(np.random.default_rng(0).normal(size=20), 10)
    alone = clustered_bootstrap(lambda i: values[i].mean(), np.arange(200), n_boot=300)
    shared = clustered_bootstrap(lambda i: values[i].mean(), np.repeat(np.arange(20), 10), n_boot=300)
    assert shared.high - shared.low > 2 * (alone.high - alone.low)


def test_perfect_separation_keeps_an_honest_interval():
    y = np.arange(12) % 2 == 0
    got = auroc_interval(y, y.astype(float), np.full(12, "a"), np.arange(12), n_boot=50)
    assert got.estimate == got.high == 1.0
    assert got.low == pytest.approx(0.025 ** (1 / 6))


def test_interval_of_nothing_is_nan():
    got = auroc_interval([True, False], [np.nan, np.nan], ["a", "a"], [0, 1], n_boot=10)
    assert np.isnan([got.estimate, got.low, got.high]).all()
    assert str(Interval(0.612, 0.48, 0.74)) == "0.61 (0.48–0.74)"


def test_two_scores_that_both_separate_perfectly_have_no_interval_of_their_difference():
    y, groups, evals = np.arange(24) % 2 == 0, np.arange(24) // 2, np.repeat("a", 24)
    weights = resample_weights(groups, evals, 200, 0)
    gap = auroc_difference(y, y.astype(float), y + np.linspace(0, 0.5, 24), evals, weights)
    assert gap.estimate == 0.0 and np.isnan([gap.low, gap.high]).all()
    worse = auroc_difference(y, y.astype(float), y + np.random.default_rng(0).normal(size=24), evals, weights)
    assert worse.low < worse.estimate < worse.high
