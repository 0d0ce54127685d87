"""A probe beside its controls: each control is at chance, or not, for the reason that its name says."""

import numpy as np
import pytest

from confesslens.probes import auroc, auroc_difference, controls, resample_weights, sweep, text_baseline

SITES = ["answer.mean", "request.last"]
LAYERS = [3, 7]


def data(n=240, d=24, shift=1.2, seed=0, per_scenario=3):
    rng = np.random.default_rng(seed)
    evals = np.repeat(["a", "b"], n // 2)
    groups = np.array([f"{e}/{i // per_scenario}" for i, e in enumerate(evals)])
    labels = rng.random(n) < np.where(evals == "a", 0.4, 0.6)
    scenario = np.unique(groups, return_inverse=True)[1]
    values = rng.normal(size=(n, 2, 2, d)) + 1.5 * rng.normal(size=(scenario.max() + 1, 2, 2, d))[scenario]
    values[:, 1, 0, :6] += shift * labels[:, None]
    return values, np.ones((n, 2), dtype=bool), labels, groups, evals, LAYERS, SITES


@pytest.fixture(scope="module")
def table():
    args = data()
    values, _, labels, groups, evals, *_ = args
    rng = np.random.default_rng(1)
    texts = [f"so {'bad' if y != (rng.random() < 0.3) else 'good'} it is" + " word" * rng.integers(9) for y in labels]
    found = sweep(*args, n_boot=50, shuffles=3)
    made = controls(
        *(found, *args, texts),
        yes_no=labels + rng.normal(size=len(labels)),
        embedding=rng.normal(size=values[:, 0].shape),
        random_model=rng.normal(size=values.shape),
        draws=10,
        n_boot=300,
    )
    return made.set_index("control"), found, args


def test_every_control_has_its_interval(table):
    rows, found, _ = table
    assert list(rows.index) == [
        *("probe", "text", "probe + text", "length", "yes_no", "shuffled labels", "labels by scenario"),
        *("labels by scenario, seen", "random direction", "embedding", "random model"),
    ]
    assert rows.loc["probe", "auroc"] == pytest.approx(found.nested.auroc.estimate)
    assert (rows["low"] <= rows["auroc"]).all() and (rows["auroc"] <= rows["high"]).all()
    rest = rows.drop("probe")
    assert (rest["increment_low"] <= rest["increment"]).all() and (rest["increment"] <= rest["increment_high"]).all()
    assert (rows["n"] == 240).all() and rows["what"].str.len().gt(10).all()


def test_what_is_no_signal_is_at_chance(table):
    rows, *_ = table
    assert rows.loc["probe", "low"] > 0.75
    for name in ("length", "shuffled labels", "labels by scenario", "random direction", "embedding", "random model"):
        assert 0.35 < rows.loc[name, "auroc"] < 0.65, name
        assert rows.loc[name, "increment_low"] > 0.1, name


def test_scenarios_can_be_remembered_when_their_rows_are_in_the_fit(table):
    rows, *_ = table
    assert rows.loc["labels by scenario, seen", "auroc"] > 0.65
    assert rows.loc["labels by scenario, seen", "auroc"] > rows.loc["labels by scenario", "high"]


def test_increments_are_paired_differences(table):
    rows, found, (_, _, labels, groups, evals, *_) = table
    others = rows.drop(["probe", "probe + text"])
    assert others["increment"].to_numpy() == pytest.approx(rows.loc["probe", "auroc"] - others["auroc"].to_numpy())
    both, text = rows.loc["probe + text"], rows.loc["text"]
    assert both["increment"] == pytest.approx(both["auroc"] - text["auroc"]) and both["increment_low"] > 0
    # The paired interval is narrower than that of two independent numbers.
    weights = resample_weights(groups, evals, 500, 1)
    score = found.nested.score
    near = auroc_difference(labels, score, score + 1e-3 * np.random.default_rng(0).normal(size=240), evals, weights)
    assert near.high - near.low < 0.02 and abs(near.estimate) < 0.01


def test_only_what_is_given_is_there_and_absent_sites_are_left_out():
    values, present, labels, groups, evals, layers, sites = data(n=120, per_scenario=1)
    present[::10] = False
    values[::10] = np.nan
    found = sweep(values, present, labels, groups, evals, layers, sites, n_boot=20)
    made = controls(found, values, present, labels, groups, evals, layers, sites, n_boot=50, draws=4)
    assert list(made["control"]) == ["probe", "shuffled labels", "labels by scenario", "random direction"]
    assert (made["n"] == 108).all()


def test_an_embedding_that_never_differs_is_at_chance():
    args = data(n=120)
    found = sweep(*args, n_boot=20)
    made = controls(found, *args, embedding=np.ones((120, 2, 24)), n_boot=50, draws=4).set_index("control")
    assert made.loc["embedding", "auroc"] == pytest.approx(0.5, abs=0.04)


def test_the_text_scores_of_before_are_taken_as_they_are():
    args = data(n=120)
    _, _, labels, groups, evals, *_ = args
    texts = ["yes" if y else "no" for y in labels]
    found = sweep(*args, n_boot=20)
    text = text_baseline(texts, labels, groups, evals)
    made = controls(found, *args, text_scores=text, n_boot=50, draws=4).set_index("control")
    assert made.loc["text", "auroc"] == 1.0 == auroc(labels[:60], text[:60])
    assert "length" not in made.index
