import numpy as np
import pandas as pd
import pytest

from confesslens.faithfulness import World, cells, errors_of, probe_errors, simulate, sweep
from confesslens.faithfulness.simulate import simulate_errors

WORLD = World(evals=2, scenarios=30, rollouts=2)


@pytest.fixture(scope="module")
def drawn():
    return simulate(WORLD, 1)


def at(table, name, cell, threshold=0.0):
    rows = table[(table["eval"] == name) & (table["cell"] == cell) & (table["threshold"] == threshold)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_correction_is_rogan_and_gladens(drawn):
    table = sweep(drawn, {"sensitivity": (32, 40), "specificity": (0.9, 50)}, thresholds=[0.0])
    own = drawn[drawn["eval"] == "e0"]
    fires, silent = ((own["cell"] == cell).mean() for cell in ("B1P1C0", "B1P0C0"))
    row = at(table, "e0", "B1P1C0")
    assert row["share"] == fires
    assert row["uncut"] == pytest.approx((fires - (1 - 0.9) * (fires + silent)) / (0.8 + 0.9 - 1))
    other = at(table, "e0", "B1P0C0")
    assert row["uncut"] + other["uncut"] == pytest.approx(fires + silent)
    means = [at(table, name, "B1P1C0")["uncut"] for name in WORLD.names()]
    assert at(table, "macro", "B1P1C0")["uncut"] == pytest.approx(np.mean(means))
    assert at(table, "e0", "B0C1")["corrected"] == at(table, "e0", "B0C1")["share"]
    assert (table["corrected_low"] <= table["corrected"]).all() and (
        table["corrected"] <= table["corrected_high"]
    ).all()


def test_a_perfect_probe_needs_no_correction_and_observed_shares_are_those_of_cells(drawn):
    table = sweep(drawn, {"sensitivity": (10**7, 10**7), "specificity": (10**7, 10**7)}, thresholds=[0.0])
    np.testing.assert_allclose(table["corrected"], table["share"])
    plain = cells(drawn)
    pd.testing.assert_frame_equal(table[plain.columns], plain, check_dtype=False)
    np.testing.assert_allclose(table["corrected_low"], table["share_low"], atol=0.03)


def test_doubt_about_the_probe_widens_the_interval(drawn):
    few, many = (
        sweep(drawn, {"sensitivity": (0.8, n), "specificity": (0.85, n)}, thresholds=[0.0]) for n in (15, 10**6)
    )
    row, sure = (at(table, "macro", "B1P1C0") for table in (few, many))
    assert row["corrected"] == pytest.approx(sure["corrected"])
    assert row["corrected_high"] - row["corrected_low"] > 1.2 * (sure["corrected_high"] - sure["corrected_low"])


def test_what_is_not_identified_is_said(drawn):
    blind = sweep(drawn, {"sensitivity": (10, 40), "specificity": (20, 40)}, thresholds=[0.0])
    row = at(blind, "macro", "B1P1C0")
    assert np.isnan(row["corrected"]) and row["note"].startswith("not identified")
    nothing = at(sweep(drawn, None, thresholds=[0.0]), "macro", "B1P1C0")
    assert np.isnan(nothing["corrected"]) and "no sensitivity" in nothing["note"] and nothing["share"] > 0
    weak = at(sweep(drawn, {"sensitivity": (11, 20), "specificity": (11, 20)}, thresholds=[0.0]), "e0", "B1P1C0")
    assert "all that is possible" in weak["note"] and weak["corrected_low"] == 0


def test_an_impossible_estimate_is_cut_and_said(drawn):
    row = at(sweep(drawn, {"sensitivity": (400, 400), "specificity": (210, 400)}, thresholds=[0.0]), "e0", "B1P1C0")
    if row["uncut"] < 0:
        assert row["corrected"] == 0
    assert row["corrected"] == row["uncut"] or "cut to what is possible" in row["note"]


def test_thresholds_and_errors_for_each(drawn):
    scores = np.r_[np.ones(20), -np.ones(20)] + np.linspace(-1.5, 1.5, 40)
    errors = errors_of(scores, np.arange(40) < 20, thresholds=(-0.5, 0.0, 0.5))
    assert errors["sensitivity"].is_monotonic_decreasing and errors["specificity"].is_monotonic_increasing
    assert errors.loc[1, "sensitivity"] == (scores[:20] > 0).mean()
    table = sweep(drawn, errors)
    known = table[table["threshold"].isin([-0.5, 0.0, 0.5])]
    assert known["corrected"].notna().all() and table["threshold"].nunique() == 3 + 9
    fires = [at(table, "macro", "B1P1C0", t)["share"] for t in (-0.5, 0.0, 0.5)]
    assert fires == sorted(fires, reverse=True)


def test_row_order_changes_nothing(drawn):
    errors = simulate_errors(WORLD, 60)
    one = sweep(drawn, errors, thresholds=[0.0])
    mixed = drawn.sample(frac=1, random_state=3).sort_values("eval", kind="stable")
    pd.testing.assert_frame_equal(one, sweep(mixed, errors, thresholds=[0.0]))


def test_errors_per_evaluation_and_their_mistakes():
    table = probe_errors({"a": {"sensitivity": (3, 4), "specificity": (0.5, 10)}})
    assert table.loc[0, ["eval", "sensitivity", "n_sensitivity", "specificity"]].tolist() == ["a", 0.75, 4, 0.5]
    assert len(probe_errors(None)) == 0
    for wrong, words in [
        ({"sensitivity": (5, 4), "specificity": (1, 2)}, "share in 0..1"),
        ({"sensitivity": (3, 4)}, "specificity of all evaluations"),
        (3, "got int"),
        (pd.DataFrame({"sensitivity": [1]}), "missing columns"),
    ]:
        with pytest.raises(ValueError, match=words):
            probe_errors(wrong)
