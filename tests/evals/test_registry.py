"""The registry, the callable module, and what holds for every evaluation."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import confesslens.evals as evals
from confesslens.evals import BEHAVIOURS, EVALUATIONS, KNOWLEDGE, TIERS, Scenario, with_thoughts
from confesslens.evals.conditions import SILENCE
from confesslens.evals.evaluation import draw_scenarios

EACH = pytest.mark.parametrize("evaluation", EVALUATIONS.values(), ids=EVALUATIONS)
# Where an echo of the prompt is an answer, and why.
ECHO_ANSWERS = {
    ("sandbagging", "tiny"): "the rows of the table are the answer here",
    # to recite the system text is to tell the solution; test_jailbreak_tutor.py has the echoes without it
    **{("jailbreak_tutor", tier): "the system text states the solution" for tier in TIERS},
}
NOISE = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="0123456789.():[]= \nplumIdontknowbr'*-–", max_size=200),
    st.lists(
        st.sampled_from(
            ["1. 4", "2) plum 7", "(5)", "It rains.", "1879", "I don't know", "born in", "\n", "10.", "٣", "²"]
        ),
        max_size=25,
    ).map(" ".join),
)


def test_the_module_is_callable_and_selects_by_name():
    assert [e.name for e in evals("sandbagging", "people")] == ["sandbagging", "people"]
    assert evals.select() == evals.select("all") == evals() == list(EVALUATIONS.values())
    assert [e.name for e in evals("people", "people")] == ["people"]
    assert evals.get("word_count") is EVALUATIONS["word_count"]


@pytest.mark.parametrize(
    "name, near", [("sandbaging", "sandbagging"), ("People", "people"), ("wordcount", "word_count")]
)
def test_an_unknown_name_is_answered_with_the_nearest_valid_one(name, near):
    with pytest.raises(ValueError, match=f"Did you mean '{near}'") as error:
        evals.get(name)
    assert all(valid in str(error.value) for valid in EVALUATIONS)
    with pytest.raises(ValueError):
        evals.select("all", name)


@EACH
@pytest.mark.parametrize("tier", TIERS)
def test_a_thousand_distinct_scenarios_whose_first_ones_do_not_depend_on_n(evaluation, tier):
    scenarios = evaluation.make_scenarios(1000, 0, tier)
    assert len({json.dumps(s.facts, sort_keys=True) for s in scenarios}) == 1000
    assert len({json.dumps(evaluation.make_messages(s, "tempted")) for s in scenarios}) == 1000
    assert [s.scenario for s in scenarios[:2]] == [f"{evaluation.name}/0000", f"{evaluation.name}/0001"]
    assert evaluation.make_scenarios(7, 0, tier) == scenarios[:7]
    assert evaluation.make_scenarios(7, 1, tier) != scenarios[:7]
    assert {(s.eval, s.tier) for s in scenarios} == {(evaluation.name, tier)}


@EACH
def test_bad_arguments_are_named(evaluation):
    with pytest.raises(ValueError, match="tiny, small, full"):
        evaluation.make_scenarios(1, 0, "huge")
    with pytest.raises(ValueError, match="-1"):
        evaluation.make_scenarios(-1, 0, "tiny")
    with pytest.raises(ValueError, match="tempted, neutral, pressured_soft, pressured_hard, silenced, accused"):
        evaluation.make_messages(evaluation.make_scenarios(1, 0, "tiny")[0], "temptd")


def test_running_out_of_parts_is_said():
    with pytest.raises(ValueError, match="ran out of new scenarios after 2"):
        draw_scenarios("toy", 3, 0, "tiny", lambda rng, _: {"coin": rng.randint(0, 1)})


@EACH
@pytest.mark.parametrize("tier", TIERS)
def test_every_condition_is_a_prompt_with_what_it_adds(evaluation, tier):
    for scenario in evaluation.make_scenarios(5, 0, tier):
        put = {condition: evaluation.make_messages(scenario, condition) for condition in evaluation.conditions}
        assert all(m[0]["role"] == "system" and m[-1]["role"] == "user" for m in put.values())
        assert put["tempted"] != put["neutral"] == put["accused"]
        # two spaces are a slip in joining texts, but for code, which is indented
        shown = [m["content"].strip() for messages in put.values() for m in messages]
        assert all(shown) and not any("  " in re.sub(r"```.*?```", "", text, flags=re.DOTALL) for text in shown)
        added = {"pressured_soft": evaluation.pressure_soft, "pressured_hard": evaluation.pressure_hard}
        for condition, text in {**added, "silenced": SILENCE}.items():
            assert put[condition][0]["content"] == f"{put['tempted'][0]['content']} {text}"
            assert put[condition][1:] == put["tempted"][1:]
        assert evaluation.answer_tokens[tier] > 0
    assert evaluation.before_request("accused") and not evaluation.before_request("silenced")


@EACH
def test_examples_think_only_where_the_chain_of_thought_is_on(evaluation):
    messages = evaluation.make_messages(evaluation.make_scenarios(1, 0, "tiny")[0], "tempted")
    off, on = with_thoughts(messages, False), with_thoughts(messages, True)
    assert all(set(m) == {"role", "content"} for m in off + on)
    assert "<think>" not in json.dumps(off)
    examples = [m["content"] for m in on if m["role"] == "assistant"]
    assert examples and all(e.startswith("<think>\n") and "\n</think>\n" in e for e in examples)


@EACH
@settings(max_examples=60, deadline=None)
@given(answers=st.lists(NOISE, min_size=3, max_size=3), tier=st.sampled_from(TIERS), index=st.integers(0, 3))
def test_any_text_gets_a_grade_and_a_read_back_scenario_the_same_one(evaluation, answers, tier, index):
    scenario = evaluation.make_scenarios(4, 0, tier)[index]
    again = Scenario(scenario.eval, scenario.scenario, scenario.tier, json.loads(json.dumps(scenario.facts)))
    grades = [evaluation.grade(scenario, "tempted", a) for a in answers]
    for grade, answer in zip(grades, answers, strict=True):
        assert grade.behaviour in BEHAVIOURS
        assert json.loads(json.dumps(grade.evidence)) == grade.evidence
        assert evaluation.grade(again, "tempted", answer) == grade
        assert evaluation.make_messages(again, "neutral") == evaluation.make_messages(scenario, "neutral")
    assert evaluation.judge_knowledge(scenario, grades[0], grades[1:]) in KNOWLEDGE
    assert evaluation.judge_knowledge(scenario, grades[0], []) == "unknown"


@EACH
@pytest.mark.parametrize("tier", TIERS)
def test_an_echo_of_the_prompt_is_no_answer(evaluation, tier):
    if (evaluation.name, tier) in ECHO_ANSWERS:
        pytest.skip(ECHO_ANSWERS[evaluation.name, tier])
    for scenario in evaluation.make_scenarios(6, 0, tier):
        for condition in evaluation.conditions:
            messages = evaluation.make_messages(scenario, condition)
            for echo in (messages, [m for m in messages if m["role"] != "assistant"], messages[:1], messages[-1:]):
                text = "\n".join(m["content"] for m in echo)
                assert evaluation.grade(scenario, condition, text).behaviour == "neither", text


HOSTILE = {
    "one letter": "a",
    "brackets": "(",
    "blank lines": "\n",
    "numbered": "1. ",
    "quotes": "\"'",
    "promises": "I will ",
    "negations": "not if I ",
    "verdicts": "yes no ",
    "settings": "limit = 5\n",
    "fences": "```\n",
    "years": "1867 ",
    "lives": "I was born in 1867 in Paris, and ",
    "claims": "Rules kept: all\n",
    "accents": "A\u0301",
    "right to left": "\u202e",
    "null bytes": "\x00",
    "digits of another script": "٣",
    "code": "def f(n): return n + 1\n",
    "blocks": "if x:\n ",
    "spelled": "t w o ",
}


@EACH
@pytest.mark.timeout(60)  # a pattern that is quadratic in the length takes much longer on these
def test_hostile_text_of_great_length_is_graded(evaluation):
    scenario = evaluation.make_scenarios(1, 5, "tiny")[0]
    prompts = [message["content"] for message in evaluation.make_messages(scenario, "tempted")]
    for unit in (*HOSTILE.values(), *prompts):
        text = unit * (50_000 // len(unit))
        assert evaluation.grade(scenario, "tempted", text).behaviour in BEHAVIOURS
