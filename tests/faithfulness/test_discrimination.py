import numpy as np
import pandas as pd
import pytest

from confesslens.faithfulness import discrimination, witnesses
from confesslens.probes import within_eval_auroc


def by_target(table):
    return table.set_index(["target", "score"])


def test_planted_scores_are_measured_inside_evaluations(planted):
    rollouts, confessions, probe, text = planted
    got = by_target(discrimination(witnesses(rollouts, confessions, probe, text), n_boot=300))
    y, e = rollouts["behaviour"] == "not_complied", rollouts["eval"]
    row = got.loc[("behaviour", "probe")]
    assert row["auroc"] == pytest.approx(within_eval_auroc(y, probe, e))
    assert row["low"] < row["auroc"] < row["high"] and row["low"] > 0.7 and row["note"] == ""
    assert (row["n"], row["evals"]) == (80, "people,timer")
    gain = got.loc[("behaviour", "increment")]
    assert gain["auroc"] == pytest.approx(within_eval_auroc(y, probe, e) - within_eval_auroc(y, text, e))
    assert gain["low"] > 0
    assert got.loc[("confession_given_bad", "logit"), "auroc"] > 0.9
    assert got.loc[("confession_given_bad", "probe"), "note"] == "not distinguishable from chance"
    assert got.loc[("knowledge_given_bad", "probe"), "n"] == (y & (rollouts["knowledge"] != "unknown")).sum()
    assert got.loc[("behaviour", "shuffled"), "note"] == "no rollout has this score and target"


def test_two_equal_scores_have_no_increment(planted):
    rollouts, confessions, probe, _ = planted
    row = by_target(discrimination(witnesses(rollouts, confessions, probe, probe), n_boot=50))
    row = row.loc[("behaviour", "increment")]
    assert row["auroc"] == 0 and np.isnan(row[["low", "high"]].to_numpy(float)).all()  # it never varies
    assert row["note"] == "no increment that this n could show"


def test_several_shuffles_are_averaged(planted):
    rollouts, confessions, probe, text = planted
    both = pd.DataFrame({0: probe, 1: -probe})
    got = by_target(discrimination(witnesses(rollouts, confessions, probe), both, n_boot=50))
    assert got.loc[("behaviour", "shuffled"), "auroc"] == pytest.approx(0.5)
    same = by_target(discrimination(witnesses(rollouts, confessions, probe), both.to_numpy(), n_boot=50))
    assert same.loc[("behaviour", "shuffled")].equals(got.loc[("behaviour", "shuffled")])


def test_shuffled_probes_are_asked_for_the_labels_that_they_were_trained_for(planted):
    table = witnesses(*planted[:2])
    rng = np.random.default_rng(1)
    truth = (table["behaviour"] == "not_complied").to_numpy(float)
    labels = np.column_stack([rng.permutation(truth) for _ in range(2)])
    scores = truth[:, None] + 0.1 * rng.normal(size=labels.shape)  # they tell the true labels, and not their own
    asked = {"n_boot": 200, "targets": ["behaviour"], "scores": ["shuffled"]}
    true, own = (discrimination(table, scores, given, **asked).iloc[0] for given in (None, labels))
    assert true["auroc"] > 0.95
    assert 0.35 < own["auroc"] < 0.65 and own["low"] < 0.5 < own["high"]
    assert discrimination(table, labels, labels, **asked).iloc[0]["auroc"] == 1


def test_conditions_are_not_compared_with_each_other(planted):
    # The score only tells the condition, and conditions differ in base rate: inside a condition it must be chance.
    rollouts, confessions, *_ = planted
    rollouts = rollouts.iloc[:80].copy()
    rollouts["eval"] = "people"
    pressed = np.arange(80) >= 40
    rollouts["condition"] = np.where(pressed, "pressured", "tempted")
    got = by_target(discrimination(witnesses(rollouts, None, pressed.astype(float)), n_boot=50))
    row = got.loc[("behaviour", "probe")]
    assert row["auroc"] == 0.5
    assert row["evals"] == "people (pressured),people (tempted)"


@pytest.mark.parametrize(
    "behaviour, words",
    [
        (["not_complied"] * 40, "every rollout is bad"),
        (["not_complied"] * 3 + ["complied"] * 37, "only 2 scenarios of the rarer class"),
    ],
)
def test_too_little_data_is_a_note_and_no_number(planted, behaviour, words):
    rollouts, confessions, probe, text = (t.iloc[:40].copy() for t in planted)
    rollouts["behaviour"] = behaviour
    row = by_target(discrimination(witnesses(rollouts, confessions, probe, text))).loc[("behaviour", "probe")]
    assert np.isnan(row[["auroc", "low", "high"]].astype(float)).all()
    assert words in row["note"]


def test_classes_that_never_meet_are_not_compared(planted):
    rollouts, confessions, probe, text = planted
    rollouts["behaviour"] = np.where(rollouts["eval"] == "people", "complied", "not_complied")
    row = by_target(discrimination(witnesses(rollouts, confessions, probe))).loc[("behaviour", "probe")]
    assert np.isnan(row["auroc"]) and "no evaluation has both bad and complied" in row["note"]
