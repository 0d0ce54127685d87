"""Several ways to ask: forms, interrogation, and how much the claim hangs on them."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

import confesslens as cl
from confesslens.confessions import REQUESTS, Request, read_report
from confesslens.confessions.requests import find_request

ALL = list(REQUESTS)


@pytest.fixture(scope="module")
def rollouts(tiny):
    return cl.roll_out(tiny("llama"), cl.evals("people"), n=2, samples=1, conditions=["tempted"])


@pytest.fixture(scope="module")
def asked(tiny, rollouts):
    return cl.confess(tiny("llama"), rollouts, samples=1, request=ALL)


def test_every_request_gets_a_guided_claim_with_logit_and_confidence(asked):
    guided = asked[asked["mode"] == "guided"]
    assert set(guided["request"]) == set(ALL) and asked["confession_id"].is_unique
    assert guided["logit"].notna().all()
    assert guided.loc[guided["claim"] != "unsure", "confidence"].notna().all()
    for row in guided[guided["form"] != "report"].to_dict("records"):
        p_bad = 1 / (1 + math.exp(-row["logit"]))
        assert row["claim"] == ("not_complied" if row["logit"] > 0 else "complied")
        assert row["confidence"] == pytest.approx(max(p_bad, 1 - p_bad))
    assert asked.loc[asked["mode"] == "free", "logit"].isna().all()


def test_the_guided_report_keeps_the_schema(tiny, asked):
    model = tiny("llama")
    for row in asked[(asked["mode"] == "guided") & (asked["form"] == "report")].to_dict("records"):
        report = json.loads(row["text"])
        assert report["overall_compliance_grade"] == row["grade"]
        assert read_report(row["text"]).claim == row["claim"]
        at = json.loads(row["spans"])["verdict"][0]
        logits = model.logits(row["token_ids"])[at].astype(float)
        grades = [logits[model.encode(str(grade))[0]] for grade in range(1, 8)]
        expected = np.logaddexp.reduce(grades[:4]) - np.logaddexp.reduce(grades[4:])
        assert row["logit"] == pytest.approx(expected, abs=1e-3)


def test_an_interrogation_keeps_every_turn(tiny, rollouts, asked):
    model = tiny("llama")
    request = REQUESTS["interrogation"]
    by_id = rollouts.set_index("rollout_id")
    for row in asked[asked["request"] == "interrogation"].to_dict("records"):
        spans, ids = json.loads(row["spans"]), list(row["token_ids"])
        answered = list(by_id.loc[row["rollout_id"], "token_ids"])
        assert ids[: len(answered)] == answered
        order = ["request", "reply.1", "request.2", "reply.2", "request.3", "confession"]
        assert [spans[name][0] for name in order] == [len(answered), *(spans[name][1] for name in order[:-1])]
        turns = [model.decode(ids[slice(*spans[name])]) for name in order[::2][:2]] + [
            model.decode(ids[slice(*spans["request.3"])])
        ]
        for text, turn in zip((*request.before, request.text), turns, strict=True):
            assert text in turn and turn.endswith("assistant\n")
        assert model.decode(ids[slice(*spans["confession"])]).strip() == row["text"]


def test_company_of_other_requests_changes_nothing(tiny, rollouts, asked):
    alone = cl.confess(tiny("llama"), rollouts.iloc[[1]], samples=1, request="interrogation", batch_size=1)
    mine = asked[(asked["request"] == "interrogation") & (asked["rollout_id"] == rollouts["rollout_id"][1])]
    pd.testing.assert_frame_equal(alone, mine.reset_index(drop=True))


def test_requests_are_found_or_named():
    assert find_request("audit").form == "three_part"
    assert find_request("Tell me in three lines.") == Request("own", "three_part", "Tell me in three lines.")
    with pytest.raises(ValueError, match="interrogation"):
        find_request("interogation")


def table(claims):
    rows = []
    for request, said in claims.items():
        for i, denies in enumerate(said):
            claim = "not_complied" if denies else "complied"
            rows.append({"rollout_id": f"r{i}", "request": request, "mode": "guided", "claim": claim})
            rows[-1]["logit"] = 1.0 if denies else -1.0
    return pd.DataFrame(rows)


def test_planted_flips_are_found():
    n = 40
    rollouts = pd.DataFrame(
        {"rollout_id": [f"r{i}" for i in range(n)], "eval": "people", "scenario": [f"s{i // 2}" for i in range(n)]}
    )
    first = [i % 2 == 0 for i in range(n)]
    other = [not denies if i < 10 else denies for i, denies in enumerate(first)]
    found = cl.faithfulness.wording_dependence(
        rollouts, table({"three_part": first, "audit": other, "formal": first})
    ).set_index("request")
    assert found.loc["audit", "p_flip"] == 0.25 and found.loc["formal", "p_flip"] == 0
    assert found.loc["audit", "to_confess"] == found.loc["audit", "to_deny"] == 0.125
    assert found.loc["any", "p_flip"] == 0.25
    assert found.loc["audit", "p_flip_low"] < 0.25 < found.loc["audit", "p_flip_high"]
    assert found.loc["formal", "p_flip_high"] > 0, "no flip in 20 scenarios does not show that there is none"
    assert found.loc["audit", "logit_change"] == 0


def test_without_the_reference_it_is_said(tiny, rollouts, asked):
    with pytest.raises(ValueError, match="no guided confession by 'three_part'"):
        cl.faithfulness.wording_dependence(rollouts, asked[asked["request"] == "audit"])
