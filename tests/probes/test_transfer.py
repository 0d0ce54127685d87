import numpy as np
import pytest
from scipy.stats import norm

from confesslens.probes import (
    AttentionProbe,
    DataSet,
    MassMeanProbe,
    auroc,
    leave_one_eval_out,
    sweep,
    transfer_matrix,
)

D = 12


def data(signs, n=240, delta=2.0, seed=0, names=None, offset=0):
    """One evaluation a sign: the bad act is shifted along the first axis, towards + or -, or along the second for 0."""
    rng = np.random.default_rng(seed)
    names = names or [chr(97 + i) for i in range(len(signs))]
    evals = np.repeat(names, n)
    groups = np.array([f"{e}/{offset + i // 2}" for i, e in enumerate(evals)])
    labels = rng.random(len(evals)) < 0.5
    X = rng.normal(size=(len(evals), D))
    axis = np.array([[s, s == 0] for s in signs], dtype=float)
    X[:, :2] += delta * labels[:, None] * np.repeat(axis, n, axis=0)
    return DataSet(X, labels, groups, evals)


def cell(table, train, test):
    return table.set_index(["train", "test"]).loc[(train, test)]


def test_the_matrix_shows_what_transfers():
    table = transfer_matrix(data([1, 1, -1, 0]), n_boot=100)
    assert len(table) == 16 and list(table.columns[:3]) == ["train", "test", "held_out"]
    theory = norm.cdf(2 / np.sqrt(2))
    for train, test, want in [
        ("a", "a", theory),
        ("a", "b", theory),
        ("a", "c", 1 - theory),
        ("a", "d", 0.5),
        ("d", "d", theory),
    ]:
        found = cell(table, train, test)
        assert found["auroc"] == pytest.approx(want, abs=0.08)
        assert found["low"] < found["auroc"] < found["high"]
        assert found["held_out"] == ("scenarios" if train == test else "all")
        assert (found["n_train"], found["n_test"]) == (240, 240)


def test_the_diagonal_is_cross_validated_by_scenario():
    # Activations only identify the scenario, and the label goes with it.
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 4)
    labels = (rng.permutation(40) < 20)[groups]
    X = rng.normal(size=(40, 60))[groups] + 0.01 * rng.normal(size=(160, 60))
    one = DataSet(X, labels, groups, np.full(160, "a"))
    assert transfer_matrix(one, n_boot=50)["auroc"].item() < 0.7
    # Two organisms on the same scenarios: fitting one and asking the other leaks just as well.
    other = DataSet(X + 0.01 * rng.normal(size=X.shape), labels, groups, np.full(160, "a"))
    table = transfer_matrix({"one": one, "other": other}, n_boot=50)
    assert (table["held_out"] == "scenarios").all()
    assert table["auroc"].max() < 0.7


def test_organisms_of_other_scenarios_are_asked_whole():
    sets = {"confessor": data([1], names=["a"]), "concealer": data([1], names=["a"], offset=1000, seed=1)}
    table = transfer_matrix(sets, n_boot=50)
    assert list(table["held_out"]) == ["scenarios", "all", "all", "scenarios"]
    assert (table["auroc"] > 0.85).all()


def test_leave_one_eval_out_asks_the_evaluation_that_was_left_out():
    table = leave_one_eval_out(data([1, 1, 1, -1]), n_boot=100).set_index("test")
    assert list(table["train"]) == [f"all but {e}" for e in "abcd"]
    assert (table["n_train"] == 720).all()
    assert table.loc["d", "auroc"] < 0.2
    assert table.loc["a", "auroc"] > 0.8
    with pytest.raises(ValueError, match=r"two evaluations or data sets or more, got \['a'\]"):
        leave_one_eval_out(data([1]))


def test_base_rates_of_the_training_evaluations_are_not_learned():
    both = data([1, 1, 1], delta=1.0)
    rare = both.evals == "a"
    keep = ~rare | (np.random.default_rng(0).random(len(both)) < np.where(both.labels, 0.1, 1.0))
    marked = both.take(keep)
    marked.X[marked.evals == "b", 5] += 10  # tells b, where bad is common, from a, where it is rare
    test = leave_one_eval_out(marked, MassMeanProbe(), n_boot=50).set_index("test")
    assert test.loc["c", "auroc"] == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.08)


def test_too_little_data_gives_a_row_without_a_number():
    both = data([1, 1])
    few = both.take(~((both.evals == "b") & both.labels & (np.arange(480) > 243)))
    table = transfer_matrix(few, n_boot=20)
    assert cell(table, "a", "a")["auroc"] > 0.8
    for pair in [("a", "b"), ("b", "a"), ("b", "b")]:
        assert np.isnan(cell(table, *pair)[["auroc", "low", "high"]].astype(float)).all()
    assert cell(table, "a", "b")["n_test"] == len(few) - 240


def test_ragged_tokens_and_any_classifier():
    source = data([1, 1], n=60, delta=4.0)
    rng = np.random.default_rng(0)
    ragged = [np.vstack([x, rng.normal(size=(rng.integers(0, 4), D))]) for x in source.X]
    sets = DataSet(ragged, source.labels, source.groups, source.evals)
    assert (transfer_matrix(sets, AttentionProbe(), n_boot=20)["auroc"] > 0.85).all()
    assert (leave_one_eval_out(sets, AttentionProbe(), n_boot=20)["auroc"] > 0.85).all()


def test_agrees_with_the_sweep_on_one_evaluation():
    one = data([1])
    swept = sweep(
        *(one.X[:, None, None], np.ones((240, 1)), one.labels, one.groups, one.evals, [0], ["s"], [0.1]),
        estimators=["logistic"],
        n_boot=20,
    ).table["auroc"]
    assert transfer_matrix(one, n_boot=20)["auroc"].item() == pytest.approx(swept.item(), abs=0.01)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"lengths \[3, 2, 3, 3\]"):
        DataSet(np.ones((3, 2)), [0, 1], [0, 1, 2], ["a"] * 3)


def test_take_keeps_rows_together():
    part = data([1, 1]).take(np.arange(480) % 7 == 0)
    assert len(part) == 69 and part.X.shape == (69, D)
    assert auroc(part.labels, part.X[:, 0]) > 0.8
