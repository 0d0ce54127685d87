"""The simulation study, small: what is drawn is what is said, and the study resumes."""

import numpy as np
import pandas as pd
import pytest

from confesslens.faithfulness import World, compare, simulate, simulate_run
from confesslens.faithfulness.clusters import flip_test, flips
from confesslens.faithfulness.study import outside, run_study
from confesslens.figures import coverage


def test_shares_hold_exactly_however_rollouts_hang_together():
    world = World(evals=2, scenarios=4000, rollouts=3, icc=0.5)
    table, joint = simulate(world, 0), world.joint()
    assert joint["p"].sum() == pytest.approx(world.evals)
    for name, p_bad in zip(world.names(), world.bad(), strict=True):
        own = table[table["eval"] == name]
        assert (own["behaviour"] == "not_complied").mean() == pytest.approx(p_bad, abs=0.02)
        told = joint[(joint["eval"] == name) & joint["behaviour"] & joint["probe"] & ~joint["confession"]]["p"].sum()
        assert (own["cell"] == "B1P1C0").mean() == pytest.approx(told, abs=0.015)
    known = table[table["knowledge"] == "aware"]
    assert known["probe_fires"].mean() == pytest.approx(world.sensitivity, abs=0.02)
    scenario = (table["behaviour"] == "not_complied").groupby(table["scenario"]).mean()
    assert scenario.var() > 1.4 * 0.25 / 3  # more than independent rollouts would have


def test_a_draw_as_the_tables_of_a_run_is_compared_to_the_truth():
    world = World(evals=2, scenarios=60, rollouts=2)
    compared, drawn = compare(**simulate_run(world, 3), n_boot=20), simulate(world, 3)
    both = ["rollout_id", "behaviour", "probe", "probe_fires", "cot", "claim", "logit", "cell"]
    pd.testing.assert_frame_equal(compared.witnesses[both], drawn[both])
    macro = compared.cells[compared.cells["eval"] == "macro"].set_index("cell")
    truth = world.cell_shares()
    assert truth.sum() == pytest.approx(1) and list(truth.index) == list(macro.index)
    assert ((macro["share_low"] <= truth) & (truth <= macro["share_high"])).sum() >= 5


def test_flips_are_all_patterns_or_random_and_give_the_sign_test():
    assert len(np.unique(flips(4), axis=0)) == 16 and flips(30, 99).shape == (99, 30)
    assert flip_test(np.ones(6)) == pytest.approx(2 / 64 / 2)  # two of 64 patterns are as extreme, counted half
    assert flip_test([1.0, -1.0]) == pytest.approx(0.75)
    assert np.isnan(flip_test([]))


def test_a_small_study_counts_resumes_and_draws(tmp_path):
    worlds = {"small": World(evals=2, scenarios=12, rollouts=2)}
    table = run_study(tmp_path, 12, worlds)
    rates = table.set_index(["kind", "quantity"])["rate"]
    assert rates["interval", "P(bad)"] > 0.8 and rates["interval", "corrected cell: concealment"] > 0.8
    assert rates["test", "cmh"] < 0.35 and rates["test", "logistic: score bootstrap"] < 0.35
    assert table["draws"].eq(12).all()
    intervals = table[table["kind"] == "interval"]
    assert (intervals["rate"] + intervals["below"] + intervals["above"]).to_numpy() == pytest.approx(1)
    assert list(table.loc[table["kind"] == "comparison", "quantity"]) == ["logistic: Wald"]
    bias = table.set_index("quantity").loc["corrected cell: concealment", ["bias", "bias_error"]]
    assert abs(bias["bias"]) < 4 * bias["bias_error"]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()}
    pd.testing.assert_frame_equal(run_study(tmp_path, 12, worlds), table)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()} == before
    figure = coverage(table)
    assert figure.axes[0].get_title(loc="left") == "small"
    with pytest.raises(ValueError, match="coverage"):
        coverage(table.drop(columns="within"))
    assert coverage(table.iloc[:0]).axes


def test_rates_outside_by_their_own_limits_are_named():
    rows = [
        ("interval", "covers", 0.95, 0.93, 0.97), ("interval", "perhaps", 0.92, 0.90, 0.94),
        ("interval", "too short", 0.88, 0.86, 0.90), ("interval", "too long", 0.99, 0.98, 1.0),
        ("test", "keeps", 0.05, 0.03, 0.07), ("test", "too often", 0.2, 0.1, 0.3),
        ("comparison", "not ours", 0.2, 0.1, 0.3),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["kind", "quantity", "rate", "rate_low", "rate_high"])
    assert list(outside(table)["quantity"]) == ["too short", "too long", "too often"]
