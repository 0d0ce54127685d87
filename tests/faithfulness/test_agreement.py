import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef

from confesslens.faithfulness import agreement, phi, witnesses
from confesslens.faithfulness.sentences import _agreement as agreement_sentence


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_phi_is_matthews_correlation(pairs):
    a, b = np.array(pairs).T
    if len(set(a)) < 2 or len(set(b)) < 2:
        assert np.isnan(phi(a, b))
    else:
        assert phi(a, b) == pytest.approx(matthews_corrcoef(a, b))


def test_undefined_agreement_says_why(planted):
    rollouts, confessions, probe, text = planted
    confessions.loc[confessions["rollout_id"].str.startswith("people"), "claim"] = "complied"
    table = agreement(witnesses(rollouts, confessions, probe)).set_index(["eval", "a", "b"])
    assert table.loc[("flat", "behaviour", "probe"), "note"] == "no spread: every answer is bad"
    assert table.loc[("people", "probe", "confession"), "note"] == "no spread: every confession says complied"
    assert table.loc[("people", "probe", "cot"), "note"] == "no rollout on which both say yes or no"
    assert np.isnan(table.loc[("macro", "probe", "cot"), "phi"])
    assert table.loc[("macro", "probe", "cot"), "note"] == "undefined in every evaluation"
    rows = table.loc[[("people", "behaviour", "probe"), ("timer", "behaviour", "probe")], "phi"]
    assert table.loc[("macro", "behaviour", "probe"), "phi"] == pytest.approx(rows.mean())
    macro = table.loc[("macro", "behaviour", "probe")]
    assert macro["phi_low"] < macro["phi"] < macro["phi_high"]
    assert list(table.index.get_level_values("eval").unique()) == ["people", "timer", "flat", "macro"]


def test_macro_is_not_pooled(planted):
    # Behaviour and confession are unrelated inside both evaluations, but both are common in one and rare in the other.
    rollouts, confessions, *_ = planted
    rollouts, confessions = rollouts.iloc[:80].copy(), confessions.iloc[:80].copy()
    i = np.arange(40)
    bad = np.r_[i % 5 != 0, i % 5 == 0]
    told = np.r_[i // 5 % 4 != 0, i // 5 % 4 == 0]
    rollouts["behaviour"] = np.where(bad, "not_complied", "complied")
    confessions["claim"] = np.where(told, "not_complied", "complied")
    table = agreement(witnesses(rollouts, confessions)).set_index(["eval", "a", "b"])
    assert phi(bad, told) > 0.25
    assert table.loc[("macro", "behaviour", "confession"), "phi"] == pytest.approx(0.0)


def test_perfect_agreement_claims_no_interval(six):
    rollouts, confessions, probe = six
    confessions["claim"] = rollouts["behaviour"].iloc[:8].replace("neither", "unsure")
    row = agreement(witnesses(rollouts, confessions)).set_index(["eval", "a", "b"])
    row = row.loc[("people", "behaviour", "confession")]
    assert row["phi"] == 1.0 and np.isnan(row["phi_low"]) and "perfect" in row["note"]


def test_a_sentence_gives_no_number_without_its_interval():
    few = {"eval": "macro", "a": "behaviour", "b": "probe", "n": 8, "phi": -0.19, "phi_low": np.nan, "phi_high": np.nan}
    table = pd.DataFrame([few | {"note": "no interval, no test: fewer than 5 scenarios on one side of one of the two"}])
    assert "-0.19" not in agreement_sentence(table) and "fewer than 5 scenarios" in agreement_sentence(table)
    known = table.assign(phi_low=-0.5, phi_high=0.1)
    assert "-0.19 (-0.50 to 0.10, no agreement that this n could show)" in agreement_sentence(known)


@pytest.mark.parametrize(("scenarios", "bad", "least"), [(15, 4, 5), (15, 5, 0), (8, 4, 0), (8, 3, 4)])
def test_rare_acts_need_more_scenarios_for_an_interval(planted, scenarios, bad, least):
    rollouts, confessions, *_ = planted
    rollouts, confessions = rollouts.iloc[: 2 * scenarios].copy(), confessions.iloc[: 2 * scenarios].copy()
    i = np.arange(2 * scenarios)
    rollouts["behaviour"] = np.where((i % 2 == 0) & (i < 2 * bad), "not_complied", "complied")
    confessions["claim"] = np.where(i % 3 == 0, "not_complied", "complied")
    row = agreement(witnesses(rollouts, confessions)).set_index(["eval", "a", "b"])
    row = row.loc[("people", "behaviour", "confession")]
    assert np.isnan(row["phi_low"]) == bool(least)
    few = f"no interval, no test: fewer than {least} scenarios on one side of one of the two"
    assert row["note"] == (few if least else "")
    assert np.isnan(row["phi_p"]) == bool(least)
