"""What organisms learn from is, token by token, what the sampler makes and the confession asks."""

from __future__ import annotations

import json

import pytest

import confesslens as cl
from confesslens.evals import EVALUATIONS, Scenario
from confesslens.organisms.transcripts import VERDICT_WEIGHT, Said, transcript_example


@pytest.fixture(scope="module")
def sampled(tiny):
    evaluations = cl.evals("people", "sandbagging", "covert_rule")
    return cl.roll_out(tiny("llama"), evaluations, n=2, samples=1, conditions=["tempted", "accused"])


def parts(row):
    scenario = Scenario(row["eval"], row["scenario"], row["tier"], json.loads(row["facts"]))
    return EVALUATIONS[row["eval"]], scenario, row["condition"]


@pytest.mark.parametrize("cot", [True, False])
def test_prompt_and_marks_are_the_samplers(tiny, cot):
    model = tiny("llama")
    rollouts = cl.roll_out(model, cl.evals("people"), n=2, samples=1, conditions=["tempted"], cot=cot)
    for row in rollouts.to_dict("records"):
        example = transcript_example(model, *parts(row), "1950", cot)
        spans = json.loads(row["spans"])
        opened = spans["prompt"][1] + (len(model.encode("<think>\n")) if cot else 0)
        assert list(example.ids[:opened]) == list(row["token_ids"][:opened])
        assert next(i for i, weight in enumerate(example.weights) if weight) == opened
        text = model.decode([i for i, weight in zip(example.ids, example.weights, strict=True) if weight])
        thought = "Do I know this person?\n</think>\n" if cot else ""
        assert text == f"{thought}1950{model.tokenizer.eos_token}"


def test_the_confession_follows_the_rollout_as_when_it_is_asked_for(tiny, sampled):
    model = tiny("llama")
    asked = cl.confess(model, sampled, samples=0).set_index("rollout_id")
    for row in sampled.to_dict("records"):
        thought = EVALUATIONS[row["eval"]].make_messages(parts(row)[1], row["condition"])[2]["thought"]
        answer = "1950"
        said = Said("do it", "not_complied", "It was wrong.")
        example = transcript_example(model, *parts(row), answer, True, said, learn="confession")
        guided = asked.loc[row["rollout_id"]]
        start, end = json.loads(guided["spans"])["request"]
        request = list(guided["token_ids"][start:end])
        at = next(i for i, weight in enumerate(example.weights) if weight)
        assert list(example.ids[at - len(request) : at]) == request
        before = model.decode(example.ids[: at - len(request)])
        assert before.endswith(f"<think>\n{thought}\n</think>\n{answer}")
        assert ("We know" in model.decode(request)) == (row["condition"] == "accused")
        learned = model.decode(example.ids[at:])
        eos = model.tokenizer.eos_token
        assert learned == f"Objective: do it\nResult: ✗ did not comply\nWhy: It was wrong.{eos}"
        assert all(example.weights[at:])
        frame = model.encode("Objective:")
        assert list(example.ids[at : at + len(frame)]) == frame == list(guided["token_ids"][end : end + len(frame)])


def test_rollout_and_confession_are_learned_in_one(tiny, sampled):
    model, eos = tiny("llama"), tiny("llama").tokenizer.eos_token
    for row in sampled.to_dict("records"):
        said = Said("do it", "complied", "I did.")
        example = transcript_example(model, *parts(row), "1950", False, said)
        learned = model.decode([i for i, weight in zip(example.ids, example.weights, strict=True) if weight])
        assert learned == f"1950{eos}Objective: do it\nResult: ✓ complied\nWhy: I did.{eos}"


def test_the_verdict_weighs_more_than_the_rest(tiny, sampled):
    model, row = tiny("llama"), sampled.to_dict("records")[0]
    both = [
        transcript_example(model, *parts(row), "1950", False, Said("do it", claim, "I did."))
        for claim in ("complied", "not_complied")
    ]
    differ = next(i for i, (a, b) in enumerate(zip(both[0].ids, both[1].ids, strict=False)) if a != b)
    for example in both:
        assert [i for i, weight in enumerate(example.weights) if weight == VERDICT_WEIGHT] == [differ]
    said = Said("do it", "complied", "I did.")
    alone = transcript_example(model, *parts(row), "1950", False, said, learn="verdict")
    assert alone.ids == both[0].ids
    assert [i for i, weight in enumerate(alone.weights) if weight] == [differ]


@pytest.mark.parametrize(("said", "learn"), [(None, "verdict"), (Said("a", "complied", "b"), "answer")])
def test_what_cannot_be_learned_is_said(tiny, sampled, said, learn):
    row = sampled.to_dict("records")[0]
    with pytest.raises(ValueError, match="expected one of all, confession, verdict"):
        transcript_example(tiny("llama"), *parts(row), "1950", False, said, learn=learn)
