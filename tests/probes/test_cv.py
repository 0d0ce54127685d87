import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confesslens.probes import TooLittleData, contrast_weights, scenario_folds
from confesslens.probes.cv import require_enough


@given(st.integers(2, 30), st.integers(1, 4), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_folds_keep_scenarios_whole_and_cover_every_row(n_groups, size, seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), size)
    labels, evals = rng.random(len(groups)) < 0.3, groups % 2
    folds = scenario_folds(labels, groups, evals, seed=seed)
    assert 2 <= len(folds) <= 5
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(groups)))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])


def test_folds_are_deterministic():
    args = (np.arange(40) % 3 == 0, np.arange(40) // 2, np.repeat(["a", "b"], 20))
    for (a, b), (c, d) in zip(scenario_folds(*args, seed=1), scenario_folds(*args, seed=1), strict=True):
        assert (a == c).all() and (b == d).all()


def test_contrast_weights_balance_each_evaluation():
    labels = np.array([1, 0, 0, 0, 1, 1], dtype=bool)
    evals = np.array(["a"] * 4 + ["b"] * 2)
    weights = contrast_weights(labels, evals)
    assert weights[:4] == pytest.approx([1.5, 0.5, 0.5, 0.5])
    assert not weights[4:].any()


@pytest.mark.parametrize(
    "labels, evals, words",
    [
        ([1] * 6, ["a"] * 6, "no evaluation has both"),
        ([1] * 3 + [0] * 3, ["a"] * 3 + ["b"] * 3, "no evaluation has both"),
        ([1] + [0] * 5, ["a"] * 6, "only 1 scenario shows"),
    ],
)
def test_too_little_data_says_why(labels, evals, words):
    with pytest.raises(TooLittleData, match=words):
        require_enough(labels, range(6), evals)


def test_one_scenario_cannot_be_split():
    with pytest.raises(TooLittleData, match="1 scenario"):
        scenario_folds([1, 0], [0, 0], ["a", "a"])
