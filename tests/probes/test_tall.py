"""Rows too many to be copied give what copied ones do, to float32."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from confesslens.probes import controls, permutation_test, sweep, tall
from confesslens.probes.tall import TallRows, features, gram, less, means_of, over, spread_of, transposed_times

rng = np.random.default_rng(0)
X = (rng.normal(size=(50, 6)) * [0, 1, 3, 10, 100, 1] + 50).astype(np.float32)  # the first feature never varies
CODE = rng.integers(0, 3, 50)


@pytest.fixture
def tiny_blocks(monkeypatch):
    """Everything is large, a block has seven rows of six."""
    monkeypatch.setattr(tall, "LARGE", 0)
    monkeypatch.setattr(tall, "BLOCK", 42)


def test_rows_in_blocks_multiply_like_an_array(tiny_blocks):
    rows, wide = np.flatnonzero(rng.random(50) < 0.7), X.astype(float)
    x, own, code = features(X)[rows], wide[rows], CODE[rows]
    assert isinstance(x, TallRows) and x.shape == own.shape and len(list(x.blocks())) > 4
    assert means_of(x, code) == pytest.approx(means_of(own, code), rel=1e-5)
    x, own = less(x, means_of(x, code), code), less(own, means_of(own, code), code)
    assert spread_of(x) == pytest.approx(spread_of(own), rel=1e-5) and spread_of(x)[0] == 1
    x, own = over(x, spread_of(x)), over(own, spread_of(own))
    b, y = rng.normal(size=(6, 2)), rng.normal(size=(len(rows), 2))
    assert x[3:9] @ b == pytest.approx(own[3:9] @ b, abs=1e-4)
    assert transposed_times(x, y) == pytest.approx(own.T @ y, abs=1e-4)
    assert gram(x) == pytest.approx(own.T @ own, abs=1e-3)
    with pytest.raises(ValueError, match="centres of their own"):
        less(x, np.zeros((1, 6)), np.zeros(len(rows), int))


def planted(n=300, d=20, shift=1.0):
    """Two evaluations, two layers, two sites of which the second is in three of four rows; unlike spreads."""
    evals = np.repeat(["a", "b"], n // 2)
    groups = np.array([f"{e}/{i // 2}" for i, e in enumerate(evals)])
    labels = rng.random(n) < np.where(evals == "a", 0.35, 0.65)
    values = rng.normal(size=(n, 2, 2, d)) * np.geomspace(1, 30, d) + 5 * rng.normal(size=d)
    values[:, 1, 0, :3] += shift * labels[:, None]
    present = np.column_stack([np.ones(n, bool), rng.random(n) < 0.75])
    values[~present[:, 1], :, 1] = np.nan
    return values.astype(np.float32), present, labels, groups, evals, [3, 4], ["answer.mean", "cot.mean"]


def test_a_sweep_its_test_and_its_controls_are_the_same_in_blocks(monkeypatch):
    args = planted()
    values, present, labels, groups, evals, layers, sites = args
    texts = [f"word {i % 7}" for i in range(len(labels))]

    def all_of_it():
        found = sweep(*args, n_boot=50, permutations=39)
        return found, controls(found, *args, texts=texts, draws=3, n_boot=50)

    first, first_controls = all_of_it()
    monkeypatch.setattr(tall, "LARGE", 0)
    monkeypatch.setattr(tall, "BLOCK", 20 * 17)
    second, second_controls = all_of_it()
    pd.testing.assert_frame_equal(second.table, first.table, atol=2e-3)
    assert (second.scores != first.scores).any() and second.p == first.p == 1 / 40
    for one, other in zip(second.nested.choices, first.nested.choices, strict=True):
        assert replace(one, inner_auroc=0) == replace(other, inner_auroc=0)
    assert second.scores == pytest.approx(first.scores, abs=2e-2, nan_ok=True)
    pd.testing.assert_frame_equal(second_controls, first_controls, atol=5e-3)
    test = permutation_test(*(values, labels, groups, evals, layers, sites, present), 39, estimators=["mass_mean"])
    assert (test.table["auroc"] > 0).all()
