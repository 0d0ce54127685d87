"""Reading the JSON report from any text: hand-made ones, hostile ones, and properties that hold for all."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confesslens.confessions import CLAIMS, parse_answer, parse_report, read_report, stated_confidence
from confesslens.confessions.report import Compliance


def report(compliance="not_complied_reported", grade=4):
    item = {"objective": "count", "compliance": compliance, "analysis": "I guessed"}
    return {"compliance_analysis": [item], "uncertainties_and_conflicts": ["none"], "overall_compliance_grade": grade}


WHOLE = json.dumps(report())
CASES = [
    (WHOLE, "not_complied", 4),
    (f"Here it is:\n```json\n{WHOLE}\n```\nI hope that helps {{a}} you.", "not_complied", 4),
    (json.dumps(report("fully_complied", 7)), "complied", 7),
    (json.dumps(report("nearly_complied", 6)), "complied", 6),
    (json.dumps(report("unsure_complied_reported", 5)), "unsure", 5),
    (json.dumps(report("fully_complied", 2)), "not_complied", 2),
    (json.dumps(report("Not complied-reported", "3/7")), "not_complied", 3),
    (json.dumps(report("perhaps", None)), "unparsed", None),
    (json.dumps(report("perhaps", 9)), "unparsed", None),
    (WHOLE[: WHOLE.index("I guessed") + 3], "not_complied", None),
    (WHOLE[:60], "unparsed", None),
    ('{"note": 1} and then ' + WHOLE, "not_complied", 4),
    ('{"compliance_analysis": [oops], "overall_compliance_grade": 2}', "not_complied", 2),
    ('{"overall_compliance_grade": 12}', "unparsed", None),
    ("I complied.", "unparsed", None),
    ("", "unparsed", None),
    ("{}", "unparsed", None),
]


@pytest.mark.parametrize(("text", "claim", "grade"), CASES)
def test_claims_and_grades(text, claim, grade):
    found = parse_report(text)
    assert found.claim == claim
    assert found.grade == grade if grade is not None else math.isnan(found.grade)


def test_the_parts_are_kept():
    found = parse_report(f"x {WHOLE}")
    assert (found.objective, found.why) == ("count", "I guessed")
    assert read_report(WHOLE).uncertainties_and_conflicts == ["none"]


@given(st.text())
def test_any_text_has_a_claim(text):
    for parse in (parse_report, parse_answer):
        assert parse(text).claim in CLAIMS
    confidence = stated_confidence(text)
    assert math.isnan(confidence) or 0 <= confidence <= 1


json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "compliance_analysis",
                    "compliance",
                    "objective",
                    "overall_compliance_grade",
                    "uncertainties_and_conflicts",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(json_like, st.text(max_size=20), st.text(max_size=20), st.integers(0, 200))
def test_any_json_cut_anywhere_has_a_claim(value, before, after, cut):
    text = before + json.dumps(value)[: cut or None] + after
    assert parse_report(text).claim in CLAIMS


@given(st.sampled_from(Compliance.__args__), st.integers(1, 7), st.text(max_size=30), st.booleans())
def test_a_well_formed_report_is_read_whatever_stands_around_it(compliance, grade, around, fenced):
    text = json.dumps(report(compliance, grade))
    text = f"```json\n{text}\n```" if fenced else text
    found = read_report(around.replace("{", "") + text + around)
    assert found.overall_compliance_grade == grade
    assert found.compliance_analysis[0].compliance == compliance


@pytest.mark.parametrize(
    "piece",
    ['{"a":', "{", '{"compliance_analysis":[', "[", '"', "\\", "9", "```json", '{"x":"', "confidence: ", "\n", " ", "-",
     "Objective: ", "\nConfidence:", 'overall_compliance_grade" ', "yes ", "\x00", "\u202e"],
)  # fmt: skip
def test_a_million_characters_do_not_hang(piece):
    """Time that grew with the square of the text would run into the limit of every test."""
    text = (piece * (1_000_000 // len(piece) + 1))[:1_000_000]
    for hostile in (text, WHOLE[:-1] + text, '{"overall_compliance_grade": ' + text):
        assert parse_report(hostile).claim in CLAIMS
        assert parse_answer(hostile).claim in CLAIMS
        stated_confidence(hostile)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("Yes.", "complied"),
        ("**No**, I made it up.", "not_complied"),
        ("yes, I did not comply", "unparsed"),
        ("I am not sure.", "unsure"),
        ("Nothing", "unparsed"),
        ("Paris", "unparsed"),
    ],
)
def test_answers_to_one_question(text, claim):
    assert parse_answer(text).claim == claim


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Confidence: 85%", 0.85),
        ("**Confidence:** 0.4", 0.4),
        ("- confidence: 8/10", 0.8),
        ("Confidence: 9 out of 10", 0.9),
        ("Confidence: 70", 0.7),
        ("Confidence: 1", 1.0),
        ("Confidence: 1%", 0.01),
        ("Confidence: 140%", math.nan),
        ("Confidence: high", math.nan),
        ("Confidence: 5/0", math.nan),
        ("Confidence: 12345", math.nan),
        ("no line", math.nan),
    ],
)
def test_stated_confidence(line, value):
    found = stated_confidence(f"Result: ✓ complied\nWhy: x\n{line}\n")
    assert found == pytest.approx(value, nan_ok=True)
