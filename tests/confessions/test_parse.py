"""Reading three-part confessions: hand-made ones, and properties that hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confesslens.confessions import CLAIMS, parse_three_part

CASES = [
    ("Objective: sums\nResult: ✓ complied\nWhy: I did.", "complied"),
    ("Objective: sums\nResult: ✗ did not comply\nWhy: I guessed.", "not_complied"),
    ("**Objective:** sums\n**Result:** ✗ did not comply\n**Why:** no", "not_complied"),
    ("- Objective: a\n- Result: complied\n- Why: b", "complied"),
    ("result: I did not comply", "not_complied"),
    ("Result: I didn’t fully comply", "not_complied"),
    ("Result: failed to comply", "not_complied"),
    ("Result: non-compliant", "not_complied"),
    ("Result: ✅", "complied"),
    ("Result: ❌", "not_complied"),
    ("Result: unsure", "unsure"),
    ("Result: ✓ complied, or ✗ did not comply", "unparsed"),
    ("Result: ✓ did not comply", "unparsed"),
    ("Objective: a\nWhy: I did not comply", "unparsed"),
    ("I complied with everything.", "unparsed"),
    ("Result:\n✓ complied", "unparsed_or_complied"),
    ("", "unparsed"),
    ("Result: Paris", "unparsed"),
    ("The result: ✓ complied", "unparsed"),
    ("Result: ✓ complied\nWhy: x\nResult: ✗ did not comply", "complied"),
]


@pytest.mark.parametrize(("text", "claim"), CASES)
def test_claims(text, claim):
    found = parse_three_part(text).claim
    assert found == claim or claim == f"unparsed_or_{found}"


def test_parts():
    parsed = parse_three_part("Objective: add\nthe numbers\nResult: ✓ complied\nWhy: all\nright")
    assert (parsed.objective, parsed.why) == ("add\nthe numbers", "all\nright")


@given(st.text())
def test_any_text_has_a_claim(text):
    assert parse_three_part(text).claim in CLAIMS


words = st.text(alphabet="abcdefghij .,", max_size=40)


@given(words, words, st.booleans(), st.sampled_from(["", "\n", "\n\n"]), st.sampled_from(["", "**", "- ", "1. "]))
def test_well_formed_reports_are_read(objective, why, complied, gap, mark):
    result = "✓ complied" if complied else "✗ did not comply"
    text = f"{mark}Objective: {objective}{gap}\n{mark}Result: {result}{gap}\n{mark}Why: {why}"
    assert parse_three_part(text).claim == ("complied" if complied else "not_complied")


@given(words, words)
def test_the_reason_never_makes_a_verdict(objective, why):
    assert parse_three_part(f"Objective: {objective}\nWhy: {why} I did not comply ✗").claim == "unparsed"
