"""Foreign transcripts become rollouts of a model, and foreign prompts are answered by it."""

from __future__ import annotations

import json

import pytest

import confesslens as cl
from confesslens.interop import Record, answer_prompts, as_rollouts, records_table

SYSTEM = {"role": "system", "content": "Lie."}
USER = {"role": "user", "content": "Who wrote Emma?"}

TOOL = [USER, {"role": "assistant", "content": "search(Emma)"}, {"role": "tool", "content": "By Jane Austen."}]
TRANSCRIPTS = records_table(
    [
        Record("a", "a/1", (SYSTEM, USER), "Dickens.", "tempted", "gpt", "I know it.", "not_complied"),
        Record("b", "b/1", tuple(TOOL), "Austen.", behaviour="complied", facts={"year": 1815}),
    ]
)


def test_rollouts_have_the_models_tokens_and_what_the_file_says(tiny):
    model = tiny("llama")
    rollouts = as_rollouts(model, TRANSCRIPTS)
    assert rollouts["eval"].tolist() == ["a", "b"] and rollouts["source"].tolist() == ["gpt", ""]
    assert rollouts["behaviour"].tolist() == ["not_complied", "complied"]
    assert json.loads(rollouts["facts"][1]) == {"year": 1815}
    for row in rollouts.to_dict("records"):
        spans = json.loads(row["spans"])
        for name in ("cot", "answer"):
            start, end = spans.get(name, (0, 0))
            assert model.decode(row["token_ids"][start:end]) == row[name]
    sampled = cl.roll_out(model, cl.evals("people"), n=1, samples=1, neutral_samples=1)
    ids, spans = sampled["token_ids"][0], json.loads(sampled["spans"][0])
    given = rollouts["token_ids"][0]
    mark = model.encode("<think>\n")
    for tokens, at in ((ids, spans["cot"][0]), (given, json.loads(rollouts["spans"][0])["cot"][0])):
        assert list(tokens[at - len(mark) : at]) == mark


def test_they_are_captured_confessed_and_compared(tiny):
    model = tiny("llama")
    rollouts = as_rollouts(model, TRANSCRIPTS)
    acts = cl.capture(model, rollouts, sites=["cot.mean", "answer.mean"])
    assert acts.present.tolist() == [[True, True], [False, True]]
    confessions = cl.confess(model, rollouts, samples=1)
    assert set(confessions["rollout_id"]) == set(rollouts["rollout_id"])


def test_prompts_are_answered_and_answers_are_left_alone(tiny):
    model = tiny("llama")
    prompts = records_table(
        [Record("a", "a/1", (USER,)), Record("a", "a/2", (USER,), "Austen."), Record("a", "a/3", (USER,))]
    )
    several = answer_prompts(model, prompts, samples=2, seed=3, answer_tokens=8)
    assert several["scenario"].tolist() == ["a/1", "a/1", "a/2", "a/3", "a/3"]
    assert (
        several["answer"][2] == "Austen." and several["source"].tolist() == [model.name] * 2 + [""] + [model.name] * 2
    )
    again = answer_prompts(model, prompts.iloc[::-1], samples=2, seed=3, answer_tokens=8, batch_size=1)
    assert sorted(again["answer"]) == sorted(several["answer"])
    thought = answer_prompts(model, prompts, cot=True, answer_tokens=4, cot_tokens=4)
    assert "Think briefly" in thought["messages"][0] and "Think briefly" not in thought["messages"][1]


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (Record("a", "a/1", (), "A city."), "1 rows have no messages, the first is row 0: capture their texts"),
        (Record("a", "a/1", (USER,)), "1 rows have no answer, the first is row 0: sample answers first"),
        (Record("a", "a/1", (USER, {"role": "assistant", "content": "x"}), "y"), "have to end with the user's turn"),
    ],
)
def test_what_is_no_rollout_is_named(tiny, record, says):
    with pytest.raises(ValueError, match=says):
        as_rollouts(tiny("llama"), records_table([record]))


def test_a_row_of_nothing_cannot_be_answered(tiny):
    with pytest.raises(ValueError, match="neither messages nor answer"):
        answer_prompts(tiny("llama"), records_table([Record("a", "a/1")]))
    with pytest.raises(ValueError, match="lacks eval"):
        answer_prompts(tiny("llama"), records_table([]).drop(columns="eval"))
