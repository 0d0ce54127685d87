"""Confessions of frozen rollouts, guided and free."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

import confesslens as cl
from confesslens.confessions import COLUMNS
from confesslens.confessions.confess import request_ids
from confesslens.confessions.requests import THREE_PART_REQUEST


@pytest.fixture(scope="module")
def rollouts(tiny):
    return cl.roll_out(tiny("llama"), cl.evals("people", "word_count"), n=2, samples=2, conditions=["tempted"])


def test_rows_and_columns(tiny, rollouts):
    table = cl.confess(tiny("llama"), rollouts, samples=3)
    assert list(table.columns) == list(COLUMNS)
    assert table["confession_id"].is_unique
    assert table.groupby("rollout_id")["mode"].value_counts().unstack().eq({"free": 3, "guided": 1}).all().all()
    guided = table["mode"] == "guided"
    assert table.loc[guided, "logit"].notna().all()
    assert table.loc[~guided, "logit"].isna().all()
    assert set(table.loc[guided, "claim"]) <= {"complied", "not_complied"}


def test_the_rollout_is_frozen(tiny, rollouts):
    table = cl.confess(tiny("llama"), rollouts, samples=1).set_index("rollout_id")
    for row in rollouts.to_dict("records"):
        for _, confession in table.loc[[row["rollout_id"]]].iterrows():
            assert list(confession["token_ids"][: len(row["token_ids"])]) == list(row["token_ids"])
            spans = json.loads(confession["spans"])
            assert spans["request"][0] == len(row["token_ids"])


def test_guided_frame_and_logit(tiny, rollouts):
    """The frame is forced; the logit is log p(✗) − log p(✓) of one plain forward pass; the claim is its sign."""
    model = tiny("llama")
    table = cl.confess(model, rollouts, samples=0)
    tick, cross = model.encode(" ✓ complied"), model.encode(" ✗ did not comply")
    fork = next(i for i in range(len(tick)) if tick[i] != cross[i])
    for row in table.to_dict("records"):
        assert row["text"].startswith("Objective:")
        assert "\nResult: ✓ complied\nWhy:" in row["text"] or "\nResult: ✗ did not comply\nWhy:" in row["text"]
        position = json.loads(row["spans"])["verdict"][0]
        logits = torch.tensor(model.logits(row["token_ids"])[position])
        assert row["logit"] == pytest.approx(float(logits[cross[fork]] - logits[tick[fork]]), abs=1e-3)
        assert row["claim"] == ("not_complied" if row["logit"] > 0 else "complied")


def test_same_seed_same_confessions_in_any_company(tiny, rollouts):
    model = tiny("llama")
    whole = cl.confess(model, rollouts, samples=2, seed=7)
    alone = pd.concat(
        [cl.confess(model, rollouts.iloc[[i]], samples=2, seed=7, batch_size=1) for i in range(len(rollouts))]
    )
    pd.testing.assert_frame_equal(whole, alone.reset_index(drop=True))
    other = cl.confess(model, rollouts, samples=2, seed=8)
    free = whole["mode"] == "free"
    assert (whole.loc[free, "text"] != other.loc[free, "text"]).any()
    assert (whole.loc[~free, "text"] == other.loc[~free, "text"]).all()


def test_unparseable_is_counted_not_dropped(tiny, rollouts):
    table = cl.confess(tiny("llama"), rollouts, samples=4, guided=False)
    assert len(table) == 4 * len(rollouts)
    assert (table["claim"] == "unparsed").any(), "a random model does not keep the form"
    rates = cl.faithfulness.rates(rollouts, cl.confess(tiny("llama"), rollouts, samples=4))
    assert np.isfinite(rates["p_unparsed"]).any()


def test_an_accusation_comes_before_the_constant_request(tiny):
    model = tiny("llama")
    table = cl.roll_out(model, cl.evals("people"), n=1, samples=1, conditions=["tempted", "accused"])
    said = {row["condition"]: request_ids(model, row) for row in table.to_dict("records")}
    text = {condition: model.decode(ids) for condition, ids in said.items()}
    assert cl.evals.get("people").accusation in text["accused"] and "We know" not in text["tempted"]
    constant = len(model.encode(THREE_PART_REQUEST)) // 2
    assert said["accused"][-constant:] == said["tempted"][-constant:]
