"""Paired changes and trends: planted effects are found, nothing is found in nothing, intervals cover."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from confesslens.interventions.effects import macro_change, macro_mean, macro_ratio, row_slopes, sign_flip_p


def clusters(n=30, per=4):
    groups = np.repeat([f"s{i}" for i in range(n)], per)
    return np.where(np.arange(n * per) < n * per / 3, "a", "b"), groups


def draw(seed, shift=0.0):
    evals, groups = clusters()
    rng = np.random.default_rng(seed)
    return shift + np.repeat(rng.normal(size=30), 4) + rng.normal(size=120), evals, groups


def test_the_mean_is_over_evaluations():
    evals = np.array(["a"] * 2 + ["b"] * 6)
    values = np.array([1, 3] + [0] * 6)
    assert macro_mean(values, evals, np.arange(8)).estimate == 1.0


def test_intervals_cover_and_the_test_keeps_its_level():
    covered, rejected = [], []
    for seed in range(200):
        data = draw(seed)
        interval = macro_mean(*data, n_boot=300, seed=seed)
        covered.append(interval.low < 0 < interval.high)
        rejected.append(sign_flip_p(*data, draws=300, seed=seed) < 0.05)
    assert 0.88 <= np.mean(covered) <= 0.99
    assert 0.01 <= np.mean(rejected) <= 0.10


def test_a_shift_is_found():
    data = draw(0, shift=1.0)
    assert sign_flip_p(*data) < 0.01
    assert macro_mean(*data).low > 0


def test_no_change_in_few_scenarios_proves_little():
    evals, groups = clusters(n=5)
    none = macro_change(np.ones(20), np.ones(20), evals, groups)
    assert none.estimate == 0 and none.low < -0.3 and none.high > 0.3
    nobody = macro_mean(np.zeros(20), evals, groups)
    assert nobody.low == 0 and nobody.high > 0.3
    everyone = macro_mean(np.ones(20), evals, groups)
    assert everyone.estimate == 1 and everyone.low < 0.6


def test_a_change_in_every_rollout_is_a_change():
    n, names, groups = 20, ["a"] * 20, np.arange(20) // 2
    assert macro_change(np.ones(n), np.zeros(n), names, groups, 100).low > 0


def test_a_ratio_is_found_where_there_is_something_below():
    rng = np.random.default_rng(0)
    evals, groups = clusters()
    below = 3 + draw(1)[0]
    found = macro_ratio(0.5 * below + 0.3 * rng.normal(size=120), below, evals, groups)
    assert found.low < 0.5 < found.high and found.high - found.low < 0.2
    assert np.isnan(macro_ratio(below, draw(2)[0], evals, groups).estimate)
    assert np.isnan(macro_ratio(below[:1], below[:1], evals[:1], groups[:1]).estimate)
    holes = np.where(np.arange(120) == 60, np.nan, below)
    assert macro_ratio(holes, below, evals, groups).estimate == pytest.approx(1.0)


def test_missing_rows_are_left_out():
    assert macro_mean([1.0, np.nan, 3.0], ["a"] * 3, ["x", "y", "z"]).estimate == 2.0
    assert np.isnan(macro_mean([np.nan], ["a"], ["x"]).estimate)
    assert np.isnan(sign_flip_p([1.0, 2.0], ["a"] * 2, ["x", "x"]))


def test_slopes_of_each_row():
    table = pd.DataFrame(
        [(r, s, k * s + 5) for r, k in (("a", 2.0), ("b", -1.0)) for s in (-1.0, 0.0, 1.0, 2.0)] + [("c", 0.0, 1.0)],
        columns=["rollout_id", "strength", "value"],
    )
    table.loc[1, "value"] = np.nan
    slopes = row_slopes(table)
    assert slopes["a"] == pytest.approx(2) and slopes["b"] == pytest.approx(-1) and np.isnan(slopes["c"])
