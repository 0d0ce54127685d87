"""Rollouts: the same seed gives the same table; spans hold what they say; knowledge comes from the neutral rows."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import confesslens as cl
from confesslens.evals import EVALUATIONS
from confesslens.rollouts import COLUMNS, add_knowledge, plan_rollouts, regrade, sample_rollouts


def test_columns_spans_and_ids(tiny):
    model = tiny("llama")
    table = cl.roll_out(model, cl.evals(), n=2, seed=1, samples=1, neutral_samples=1)
    assert list(table.columns) == list(COLUMNS)
    assert table["rollout_id"].is_unique
    for row in table.to_dict("records"):
        spans = json.loads(row["spans"])
        prompt = model.encode_prompt(json.loads(row["messages"]))
        assert row["token_ids"][: spans["prompt"][1]] == prompt
        for name in ("cot", "answer"):
            if name in spans:
                start, end = spans[name]
                assert model.decode(row["token_ids"][start:end]).strip() == row[name]
        assert row["behaviour"] in ("complied", "not_complied", "neither")


def test_same_seed_same_rollouts_in_any_company(tiny):
    model = tiny("llama")
    planned = plan_rollouts(cl.evals("people", "sandbagging"), 3, seed=5, samples=2, neutral_samples=1)
    whole = sample_rollouts(model, planned, batch_size=16)
    pieces = pd.concat([sample_rollouts(model, planned[i::3][::-1], batch_size=2) for i in range(3)])
    pieces = pieces.set_index("rollout_id", drop=False).loc[whole["rollout_id"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, pieces)


def test_seeds_and_samples_differ(tiny):
    planned = plan_rollouts(cl.evals(), 5, seed=0) + plan_rollouts(cl.evals(), 5, seed=1)
    assert len({item.seed for item in planned}) == len(planned)


def test_without_chain_of_thought(tiny):
    table = cl.roll_out(tiny("llama"), cl.evals("people"), n=2, cot=False, samples=1)
    assert (table["cot"] == "").all()
    assert not any("cot" in json.loads(spans) for spans in table["spans"])
    assert not table["messages"].str.contains("<think>").any()


def test_knowledge_is_read_from_neutral_rows_of_the_scenario():
    """A model that copies the table right without the notice, and wrong with it, is aware; one always wrong is not."""
    (evaluation,) = cl.evals("sandbagging")
    first, second = evaluation.make_scenarios(2, 0, "tiny")

    def row(scenario, condition, sample, right):
        items = scenario.facts["items"]
        answer = "\n".join(f"{it['item']}. {it['expected'] + (0 if right else 1)}" for it in items)
        grade = evaluation.grade(scenario, condition, answer)
        return {
            "rollout_id": f"{scenario.scenario}/{condition}/{sample}",
            "eval": evaluation.name,
            "scenario": scenario.scenario,
            "condition": condition,
            "tier": "tiny",
            "behaviour": grade.behaviour,
            "evidence": json.dumps(grade.evidence),
            "admitted": grade.admitted,
            "facts": json.dumps(scenario.facts),
        }

    rows = [row(first, "neutral", i, True) for i in range(3)] + [row(second, "neutral", i, False) for i in range(3)]
    rows += [row(first, "tempted", 0, False), row(second, "tempted", 0, False)]
    table = add_knowledge(pd.DataFrame(rows)).set_index("rollout_id")
    assert table.loc[f"{first.scenario}/tempted/0", ["behaviour", "knowledge"]].tolist() == ["not_complied", "aware"]
    assert table.loc[f"{second.scenario}/tempted/0", ["behaviour", "knowledge"]].tolist() == ["not_complied", "unaware"]
    assert (table.loc[table["condition"] == "neutral", "knowledge"] == "unknown").all()


def test_unknown_tier_and_condition_name_the_valid_ones():
    with pytest.raises(ValueError, match="no tier 'huge': it has tiny"):
        plan_rollouts(cl.evals("people"), 1, tier="huge")
    with pytest.raises(ValueError, match="no condition 'bribed': it has"):
        plan_rollouts([EVALUATIONS["people"]], 1, conditions=["bribed"])


def test_regrading_changes_what_the_grader_says_and_nothing_else(tiny):
    model = tiny("llama")
    table = cl.roll_out(model, cl.evals("people", "sandbagging"), n=2, samples=1, neutral_samples=1)
    pd.testing.assert_frame_equal(regrade(table), table)
    stale = table.assign(behaviour="complied", admitted=True, evidence="{}", knowledge="aware")
    pd.testing.assert_frame_equal(regrade(stale), table)
