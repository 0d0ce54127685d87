"""Patterns of the witnesses and wrong confessions, on tables whose counts are known."""

from __future__ import annotations

import pandas as pd
import pytest

from confesslens.faithfulness import errors_of_confession, overlap
from confesslens.faithfulness.patterns import FALSE_NEGATIVE, FALSE_POSITIVE
from confesslens.faithfulness.simulate import World, simulate


def rows(*told):
    """behaviour, probe fires, thought mentions, claim, evaluation."""
    table = pd.DataFrame(told, columns=["behaviour", "probe_fires", "cot", "claim", "eval"])
    table["probe_fires"], table["cot"] = table["probe_fires"].astype("boolean"), table["cot"].astype("boolean")
    return table.assign(condition="tempted", scenario=[f"s{i}" for i in range(len(table))])


BAD, GOOD = "not_complied", "complied"
TABLE = rows(
    (BAD, True, False, GOOD, "a"),
    (BAD, True, False, GOOD, "a"),
    (BAD, False, False, GOOD, "a"),
    (BAD, True, True, BAD, "b"),
    (GOOD, False, False, GOOD, "b"),
    (GOOD, False, True, BAD, "b"),
    ("neither", True, True, BAD, "b"),
    (BAD, True, True, "unsure", "b"),
)


def test_patterns_are_counted_and_shares_are_means_over_evaluations():
    found = overlap(TABLE).set_index(["did", "knew", "thought", "said"])
    assert found["n"].to_dict() == {
        (True, True, False, False): 2,
        (True, False, False, False): 1,
        (True, True, True, True): 1,
        (False, False, False, False): 1,
        (False, False, True, True): 1,
    }
    assert found["n"].is_monotonic_decreasing
    assert found.loc[(True, True, False, False), "share"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["share"].sum() == pytest.approx(1)
    assert ((found["low"] <= found["share"]) & (found["share"] <= found["high"])).all()


def test_what_nobody_measured_is_not_false():
    found = overlap(TABLE.assign(probe_fires=pd.array([pd.NA] * len(TABLE), dtype="boolean")))
    assert found["knew"].isna().all() and found["thought"].notna().all() and found["n"].sum() == 6
    assert len(overlap(TABLE.iloc[:0])) == 0


def test_wrong_confessions_are_split_by_probe_and_thought():
    found = errors_of_confession(TABLE).set_index(["kind", "eval", "probe", "thought"])["n"]
    assert found[FALSE_NEGATIVE, "a", "fires", "silent"] == 2 and found[FALSE_NEGATIVE, "a", "silent", "silent"] == 1
    assert found[FALSE_POSITIVE, "b", "silent", "mentions it"] == 1
    assert found.xs("macro", level="eval").to_dict() == {
        (FALSE_NEGATIVE, "fires", "silent"): 2,
        (FALSE_NEGATIVE, "silent", "silent"): 1,
        (FALSE_POSITIVE, "silent", "mentions it"): 1,
    }
    assert len(errors_of_confession(TABLE.assign(claim=TABLE["behaviour"]))) == 0


@pytest.mark.parametrize("seed", range(5))
def test_parts_make_the_whole(seed):
    table = simulate(World(evals=3, scenarios=6), seed)
    wrong = (table["behaviour"] != table["claim"]) & table["claim"].isin([BAD, GOOD])
    found = errors_of_confession(table)
    assert (
        found.loc[found["eval"] == "macro", "n"].sum() == found.loc[found["eval"] != "macro", "n"].sum() == wrong.sum()
    )
    assert overlap(table)["n"].sum() == len(table)
