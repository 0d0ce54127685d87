"""Given rollouts: tokens and spans of transcripts from elsewhere, as capture and confessions read them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import confesslens as cl
from confesslens.evals.hard_negatives import KINDS, make_hard_negatives
from confesslens.rollouts import COLUMNS, given_rollouts, hard_negative_rollouts

TRANSCRIPTS = [
    ([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}], "Hello! ✓ ünïcode"),
    ([{"role": "user", "content": "Where is Lima?"}], "  In Peru.\n"),
    (
        [
            {"role": "user", "content": "Hi."},
            {"role": "assistant", "content": "Hi!"},
            {"role": "user", "content": "A story, please.", "thought": "not for the model"},
        ],
        "Once upon a time.\n\nThe end.",
    ),
]


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "gpt2"])
def test_spans_decode_to_prompt_and_answer(tiny, architecture):
    model = tiny(architecture)
    table = given_rollouts(model, TRANSCRIPTS)
    assert list(table.columns) == list(COLUMNS) and table["rollout_id"].is_unique
    for row, (messages, answer) in zip(table.to_dict("records"), TRANSCRIPTS, strict=True):
        spans = json.loads(row["spans"])
        assert set(spans) == {"prompt", "answer"} and spans["prompt"] == [0, spans["answer"][0]]
        start, end = spans["answer"]
        assert model.decode(row["token_ids"][start:end]) == answer.strip() == row["answer"]
        assert row["token_ids"][:start] == model.encode_prompt(messages) and end == len(row["token_ids"])
        assert [m["content"] for m in json.loads(row["messages"])] == [m["content"] for m in messages]
        assert "thought" not in row["messages"]
    assert set(table["knowledge"]) == {"unknown"} and set(table["behaviour"]) == {"neither"}


def test_the_columns_are_those_of_sampled_rollouts_of_the_same_kind(tiny, tmp_path):
    model = tiny("llama")
    given = given_rollouts(model, TRANSCRIPTS)
    sampled = cl.roll_out(model, cl.evals("people"), n=1, samples=1, neutral_samples=1, cot=False)
    assert [type(v) for v in given.iloc[0]] == [type(v) for v in sampled.iloc[0]]
    given.to_parquet(tmp_path / "given.parquet")


def test_capture_reads_the_answers_and_the_confession_is_asked_for(tiny):
    model = tiny("llama")
    table = given_rollouts(model, TRANSCRIPTS)
    acts = cl.capture(model, table, sites=["prompt.last", "answer.mean", "answer.last", "request.last", "cot.mean"])
    assert acts.rollout_ids == table["rollout_id"].tolist()
    assert acts.present.tolist() == [[True, True, True, True, False]] * len(table)
    other = given_rollouts(model, [(messages, f"{answer.strip()[:3]} changed") for messages, answer in TRANSCRIPTS])
    changed = cl.capture(model, other, sites=["prompt.last", "answer.last"])
    for layer in acts.layers:
        np.testing.assert_allclose(changed.at(layer, "prompt.last"), acts.at(layer, "prompt.last"), atol=1e-4)
        apart = np.abs(changed.at(layer, "answer.last") - acts.at(layer, "answer.last")).max(axis=1)
        assert (apart > 1e-2).all()
    confessions = cl.confess(model, table, samples=1)
    assert confessions["rollout_id"].nunique() == len(table)


def test_columns_of_its_own_and_several_of_one_scenario(tiny):
    table = given_rollouts(
        tiny("llama"),
        TRANSCRIPTS,
        eval_name="mine",
        conditions=["a", "a", "b"],
        behaviours=["complied", "not_complied", "neither"],
        scenarios=["mine/x", "mine/x", "mine/x"],
    )
    assert table["rollout_id"].tolist() == ["mine/x/a/0", "mine/x/a/1", "mine/x/b/0"]
    assert table["sample"].tolist() == [0, 1, 0] and set(table["eval"]) == {"mine"}
    assert table["behaviour"].tolist() == ["complied", "not_complied", "neither"]


def test_what_cannot_be_a_transcript_is_named(tiny):
    model = tiny("llama")
    asked = [{"role": "user", "content": "Hello?"}]
    with pytest.raises(ValueError, match="transcript 1: the messages have to end with the user's turn"):
        given_rollouts(model, [(asked, "Hi."), ([*asked, {"role": "assistant", "content": "Hi."}], "Hi.")])
    with pytest.raises(ValueError, match="transcript 0: the messages"):
        given_rollouts(model, [([], "Hi.")])
    with pytest.raises(ValueError, match="transcript 0 has no answer"):
        given_rollouts(model, [(asked, " \n")])
    with pytest.raises(ValueError, match="tokens but tiny-llama holds 4096"):
        given_rollouts(model, [(asked, "x" * 5000)])
    with pytest.raises(ValueError, match="1 conditions for 2 transcripts"):
        given_rollouts(model, [(asked, "Hi.")] * 2, conditions=["a"])
    assert given_rollouts(model, []).empty


def test_hard_negatives_become_rollouts_by_kind(tiny):
    model = tiny("llama")
    negatives = make_hard_negatives(2, seed=4)
    table = hard_negative_rollouts(model, negatives)
    assert table["condition"].tolist() == [kind for kind in KINDS for _ in range(2)]
    assert set(table["eval"]) == {"hard_negatives"} and table["rollout_id"].is_unique
    wrong = table["condition"] == "honest_error"
    assert set(table.loc[wrong, "behaviour"]) == {"not_complied"}
    assert set(table.loc[~wrong, "behaviour"]) == {"complied"}
    assert table["answer"].tolist() == [negative.answer for negative in negatives]
    acts = cl.capture(model, table, layers=[1], sites=["answer.mean", "request.last"])
    assert acts.present.all() and acts.values.shape[:3] == (len(negatives), 1, 2)
