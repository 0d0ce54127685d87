"""The chain of thought is changed as said, and the rest of the rollout stays as it was."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import confesslens as cl
from confesslens.interventions import rethink, thought_effects
from confesslens.interventions.thoughts import HONEST


@pytest.fixture(scope="module")
def rollouts(tiny):
    return cl.roll_out(tiny("llama"), cl.evals("people", "word_count"), n=3, samples=2, conditions=["tempted"])


def thought(row):
    start, end = json.loads(row["spans"]).get("cot", (0, 0))
    return [int(token) for token in row["token_ids"][start:end]]


def test_thoughts_are_changed_and_prompts_are_not(tiny, rollouts):
    model = tiny("llama")
    rollouts = rollouts.copy()
    rollouts.loc[1, "behaviour"] = "complied"  # of the first scenario: honest for its other rollout
    tables = rethink(model, rollouts)
    for i, row in enumerate(rollouts.to_dict("records")):
        own, prompt = thought(row), json.loads(row["spans"])["prompt"][1]
        new = {change: table.iloc[i] for change, table in tables.items()}
        assert thought(new["none"]) == own and thought(new["cut"]) == own[: len(own) // 2]
        assert len(thought(new["filler"])) == len(own) and set(new["filler"]["cot"]) <= {".", " "}
        for one in new.values():
            assert list(one["token_ids"][:prompt]) == list(row["token_ids"][:prompt])
            assert one["rollout_id"] == row["rollout_id"] and one["knowledge"] == row["knowledge"]
            answer = json.loads(one["spans"]).get("answer", (0, 0))
            assert model.decode(one["token_ids"][slice(*answer)]).strip() == one["answer"]
    honest = tables["honest"]
    assert thought(honest.iloc[0]) == thought(rollouts.iloc[1])
    assert honest["cot"].tolist()[1] == HONEST


def test_the_same_thought_gives_the_same_answer_in_any_company(tiny, rollouts):
    model = tiny("llama")
    whole = rethink(model, rollouts, ["none", "cut"], seed=3)["none"]
    alone = pd.concat([rethink(model, rollouts.iloc[[i]], ["none"], seed=3, batch_size=1)["none"] for i in range(3)])
    pd.testing.assert_frame_equal(whole.iloc[:3], alone.reset_index(drop=True))


def test_the_table_pairs_each_change_with_none(tiny, rollouts):
    seen = []

    def score(table, confessions):
        seen.append((len(table), confessions["mode"].eq("guided").all()))
        return pd.Series(table["cot"].str.len().to_numpy(float), index=table["rollout_id"])

    found = thought_effects(tiny("llama"), rollouts, ["cut"], score=score, n_boot=200).set_index(["change", "outcome"])
    assert seen == [(len(rollouts), True)] * 2
    none = found.loc["none"]
    assert (none["difference"] == 0).all()
    cut = found.loc["cut"]
    assert cut.loc["probe", "difference_high"] < 0, "half a thought is shorter"
    shift = cut["value"] - none["value"]
    assert cut.loc["logit", "difference"] == pytest.approx(shift["logit"])
    assert cut.loc["logit", "difference_low"] <= shift["logit"] <= cut.loc["logit", "difference_high"]


def test_nothing_to_change_is_said(tiny, rollouts):
    with pytest.raises(ValueError, match="nothing to change"):
        rethink(tiny("llama"), rollouts.assign(cot=""))
    with pytest.raises(ValueError, match="filler"):
        rethink(tiny("llama"), rollouts, ["fill"])
