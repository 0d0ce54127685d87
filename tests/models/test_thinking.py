"""Chat templates of the field's models: how each marks thoughts, with and without system message, tool turns."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import trl

import confesslens as cl
from confesslens.models import Model, ModelError
from confesslens.models.thinking import OURS

TEMPLATES = Path(trl.__file__).parent / "chat_templates"  # as the models ship them
OF_IMAGES = ("idefics3", "llava_next", "smolvlm", "qwen2_5_vl", "qwen3_vl", "lfm2_2_5_vl")
TEXT = sorted(p.stem for p in TEMPLATES.glob("*.jinja") if "training" not in p.stem and p.stem not in OF_IMAGES)
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is Lima?"}]


@pytest.fixture
def templated(tiny):
    def make(name: str) -> Model:
        plain = tiny("llama")
        tokenizer = copy.deepcopy(plain.tokenizer)
        tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")
        return Model(name=name, hf=plain.hf, tokenizer=tokenizer)

    return make


@pytest.mark.parametrize(
    ("template", "opened", "none", "close"),
    [
        ("qwen3", "<think>\n", "<think>\n\n</think>\n\n", "\n</think>\n\n"),
        ("qwen3_5_think", "", "\n</think>\n\n", "\n</think>\n\n"),
        ("deepseek_r1_distill", "", "</think>\n\n", "\n</think>\n\n"),
        ("nemotron_3_nano", "", "</think>", "\n</think>\n\n"),
        (
            "gptoss",
            "<|channel|>analysis<|message|>",
            "<|channel|>final<|message|>",
            "<|end|><|start|>assistant<|channel|>final<|message|>",
        ),
    ],
)
def test_native_marks(templated, template, opened, none, close):
    marks = templated(template).thinking
    assert (marks.open, marks.none, marks.close, marks.native) == (opened, none, close, True)


@pytest.mark.parametrize("template", ["llama3", "gemma3", "phi3", "qwen2_5", "qwen3_instruct_2507", "qwen3_5_nothink"])
def test_a_template_without_marks_gets_ours(templated, template):
    assert templated(template).thinking == OURS


@pytest.mark.parametrize("template", TEXT)
def test_every_template_takes_a_system_message_and_a_request(templated, template):
    model = templated(template)
    prompt = model.decode(model.encode_prompt(ASKED))
    assert "Be brief." in prompt and prompt.index("Be brief.") < prompt.index("Where is Lima?")
    turn = model.decode(model.encode_turn(ASKED, "Confess."))
    assert "Confess." in turn and "Lima" not in turn and turn.endswith(model.thinking.none)
    start = model.decode(model.encode_prompt(ASKED))[-8:]
    assert turn.removesuffix(model.thinking.none).endswith(start), "the confession begins where an answer does"


@pytest.mark.parametrize("template", TEXT)
def test_tool_turns_are_rendered_or_refused_in_one_line(templated, template):
    said = [*ASKED, {"role": "assistant", "content": "search(Lima)"}, {"role": "tool", "content": "In Peru."}]
    try:
        text = templated(template).decode(templated(template).encode_prompt(said))
    except ModelError as error:
        assert "refuses the conversation" in str(error) and "\n" not in str(error)
    else:
        assert "Lima" in text


@pytest.mark.parametrize("template", ["qwen3", "qwen3_5_think", "gptoss", "chatml"])
def test_rollouts_and_confessions_stand_between_the_marks(templated, tiny, template):
    model = tiny("llama") if template == "chatml" else templated(template)
    marks, native = model.thinking, template != "chatml"
    for cot in (True, False):
        rollouts = cl.roll_out(
            model, cl.evals("people"), n=1, samples=1, neutral_samples=1, conditions=["tempted"], cot=cot
        )
        (row,) = rollouts.to_dict("records")
        spans = json.loads(row["spans"])
        before = model.decode(row["token_ids"][: spans["cot" if cot else "answer"][0]])
        prompt = model.decode(model.encode_prompt(json.loads(row["messages"])))
        assert before == prompt + (marks.open if cot else marks.none)
        if cot:
            between = model.decode(row["token_ids"][spans["cot"][1] : spans["answer"][0]])
            assert between == marks.close
            assert ("between <think> and </think>" in row["messages"]) is not native
    confessions = cl.confess(model, rollouts, samples=1)
    acts = cl.capture(model, rollouts, confessions, sites=["request.last", "prompt.last"])
    assert acts.present.all() and confessions["logit"].notna().any()
