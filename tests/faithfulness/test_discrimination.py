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
