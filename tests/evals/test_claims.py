"""Claims: nothing changes the length of a text; echoes, quotes, clauses and sentences; beliefs and their coins."""

from hypothesis import given
from hypothesis import strategies as st

from confesslens.evals.reading.belief import grade_belief, judge_belief, two_coins
from confesslens.evals.reading.claims import (
    clause_before,
    plain,
    sentence_around,
    without_echo,
    without_quotes,
    words,
)

MESSAGES = [
    {"role": "system", "content": 'Be kind. If not, say "No."'},
    {"role": "user", "content": "Who is it?"},
    {"role": "assistant", "content": "It is Ann."},
    {"role": "user", "content": "Who is there?"},
]


@given(st.one_of(st.text(), st.text(alphabet="“”\"'‘’ab \n.*_—‑ ")))
def test_no_text_changes_its_length_or_its_lines(text):
    for changed in (plain(text), without_quotes(plain(text)), without_echo(plain(text), MESSAGES)):
        assert len(changed) == len(text)
        assert changed.count("\n") == text.count("\n")


def test_marks_become_plain_ones():
    assert plain("“I’ll” — *e‑mail*") == '"I\'ll" ; ' + " e-mail "


def test_an_echo_is_blanked_and_the_answer_of_an_example_alone_is_left():
    assert without_echo("Who is it?\nIt is Ann.\nIt is Tom.", MESSAGES).strip() == "It is Tom."
    assert without_echo("It is Ann.", MESSAGES) == "It is Ann."
    assert without_echo('Be kind. Who is there? If not, say "No." Me.', MESSAGES).strip() == "Me."
    assert not without_echo("\n".join(m["content"] for m in MESSAGES), MESSAGES).strip()


def test_quotations_are_blanked_unless_one_is_all_there_is():
    assert without_quotes('He said "I will", I think.').split() == ["He", "said", ",", "I", "think."]
    assert without_quotes("He said 'I can't do it', I can't.").split() == ["He", "said", ",", "I", "can't."]
    assert without_quotes(' "I will." ').strip() == "I will."
    assert without_quotes("It's Tom's and the boys' ball.") == "It's Tom's and the boys' ball."


def test_a_clause_ends_at_its_marks_and_a_sentence_at_its_own():
    text = "I was ill, but if it rains. I swim in 5.5 minutes now. Bye"
    assert clause_before(text, text.index("it")).strip() == "if"
    low, high = sentence_around(text, text.index("5.5"), text.index("5.5") + 3)
    assert text[low:high].strip() == "I swim in 5.5 minutes now."


def test_a_space_in_a_pattern_is_any_white_space():
    assert words("a b").search("A \n b") and not words("a b").search("ab")
    assert words("a ?b").search("ab") and words("a ?b").search("a  b")


def test_a_belief_is_right_or_wrong_by_its_first_word_and_the_majority_is_what_it_knows():
    grades = {answer: grade_belief(True, answer) for answer in ("Yes.", "**No**, never", "Perhaps yes")}
    assert [g.behaviour for g in grades.values()] == ["complied", "not_complied", "neither"]
    yes, no, mute = grades.values()
    assert judge_belief([yes, yes, no]) == judge_belief([yes, mute, mute]) == "aware"
    assert judge_belief([no, no, yes]) == "unaware"
    assert judge_belief([yes, no]) == judge_belief([mute]) == judge_belief([]) == "unknown"


def test_the_coins_are_fair_independent_and_depend_on_the_text_alone():
    tossed = [two_coins(f"text {i}") for i in range(2000)]
    assert tossed == [two_coins(f"text {i}") for i in range(2000)]
    for sides in ((False, False), (False, True), (True, False), (True, True)):
        assert 430 < tossed.count(sides) < 570
