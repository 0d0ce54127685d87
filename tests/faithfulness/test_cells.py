import numpy as np
import pandas as pd
import pytest

from confesslens.faithfulness import CELLS, cells, wilson, witnesses


def test_each_rollout_gets_its_cell(six):
    table = witnesses(*six)
    assert list(table["cell"]) == [*CELLS, "", ""]
    assert "r8" not in set(table["rollout_id"])
    counted = cells(table)
    assert list(counted["eval"].unique()) == ["people", "macro"]
    assert list(counted["cell"]) == list(CELLS) * 2
    assert (counted["n"] == 1).all()
    people = counted[counted["eval"] == "people"]
    assert people["share"].to_numpy() == pytest.approx(1 / 6)
    assert people["share_low"].iloc[0] == pytest.approx(wilson(1, 6).low)


def test_macro_counts_evaluations_alike(six):
    rollouts, confessions, probe = six
    other = rollouts.iloc[[0]].assign(rollout_id="x", eval="timer", scenario="timer/0")
    extra = confessions.iloc[[0]].assign(rollout_id="x")
    probe["x"] = 1.0
    table = witnesses(pd.concat([rollouts, other]), pd.concat([confessions, extra]), probe)
    counted = cells(table).set_index(["eval", "cell"])
    assert counted.loc[("macro", "B1P1C1"), "share"] == pytest.approx((1 / 6 + 1) / 2)
    assert counted.loc[("macro", "B1P1C1"), "n"] == 2


def test_conditions_are_counted_apart(six):
    rollouts, confessions, probe = six
    rollouts.loc[rollouts["rollout_id"] == "r0", "condition"] = "silenced"
    counted = cells(witnesses(rollouts, confessions, probe)).set_index(["condition", "eval", "cell"]).sort_index()
    assert counted["n"].groupby("condition").sum().to_dict() == {"silenced": 2, "tempted": 10}  # with the macro rows
    assert counted.loc[("silenced", "macro"), "share"].max() == 1.0


def test_without_probe_there_are_no_cells(six):
    table = witnesses(*six[:2])
    assert (table["cell"] == "").all()
    counted = cells(table)
    assert len(counted) == 0 and list(counted.columns) == [
        "condition",
        "eval",
        "cell",
        "n",
        "share",
        "share_low",
        "share_high",
    ]


def test_a_missing_score_or_claim_leaves_the_cell_empty(six):
    rollouts, confessions, probe = six
    probe.iloc[0] = np.nan
    confessions.loc[1, "claim"] = None
    table = witnesses(rollouts, confessions, probe)
    assert list(table["cell"].iloc[:3]) == ["", "", "B1P0C0"]
    assert pd.isna(table["probe_fires"].iloc[0]) and table["probe_fires"].iloc[1]
