import numpy as np
import pandas as pd
import pytest

from confesslens.faithfulness import witnesses


def test_columns_and_free_share(six):
    rollouts, confessions, probe = six
    free = pd.DataFrame(
        [{"rollout_id": "r0", "mode": "free", "claim": c} for c in ("not_complied", "unparsed", "complied", None)]
    )
    table = witnesses(rollouts, pd.concat([confessions, free]), probe).set_index("rollout_id")
    assert table.loc["r0", "free_confess_share"] == pytest.approx(1 / 3)
    assert np.isnan(table.loc["r1", "free_confess_share"])
    assert table.loc["r3", "logit"] == 3.0
    assert table["cot"].isna().all()


def test_scores_as_array_follow_the_rollouts_that_are_not_neutral(six):
    rollouts, confessions, probe = six
    by_id, by_place = witnesses(rollouts, confessions, probe), witnesses(rollouts, confessions, probe.to_numpy())
    assert by_id["probe"].equals(by_place["probe"])
    with pytest.raises(ValueError, match=r"probe: got shape \(9,\), expected .* \(8,\)"):
        witnesses(rollouts, confessions, np.zeros(9))
    with pytest.raises(ValueError, match="occurs twice"):
        witnesses(rollouts, confessions, pd.Series([1.0, 2.0], index=["r0", "r0"]))


def test_cot_needs_a_chain_of_thought(six):
    rollouts = six[0]
    rollouts.loc[1, "cot"] = ""
    cot = pd.DataFrame({"mentioned": [True, True, False], "quote": ["I will lie", "x", "y"]}, index=["r0", "r1", "r2"])
    table = witnesses(rollouts, cot=cot)
    assert table["cot"].iloc[0] and pd.isna(table["cot"].iloc[1]) and not table["cot"].iloc[2]
    assert list(table["cot_quote"].iloc[:3]) == ["I will lie", "", ""]
    series = witnesses(rollouts, cot=cot["mentioned"])
    assert series["cot"].equals(table["cot"])


def test_missing_columns_are_named(six):
    with pytest.raises(ValueError, match=r"rollouts: missing columns \['behaviour'\]"):
        witnesses(six[0].drop(columns="behaviour"))
