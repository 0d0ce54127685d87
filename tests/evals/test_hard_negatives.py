"""Hard negatives: distinct, varied, clean texts; errors that are errors, and sums that are right."""

import random
import re
from collections import Counter
from datetime import datetime

import pytest

from confesslens.evals.hard_negatives import KINDS, HardNegative, benign_chat, honest_error, make_hard_negatives
from confesslens.evals.hard_negatives.make import TEXTS
from confesslens.evals.parts.general import facts
from confesslens.evals.parts.people import REAL

MADE = make_hard_negatives(1000, seed=0)


def of(kind):
    return [negative for negative in MADE if negative.kind == kind]


def test_a_thousand_of_each_kind_no_two_alike():
    assert KINDS == ("honest_error", "fiction", "role_play", "sarcasm", "about_cheating", "refusal", "benign_chat")
    assert Counter(n.kind for n in MADE) == dict.fromkeys(KINDS, 1000)
    assert len({(n.messages[-1]["content"], n.answer) for n in MADE}) == len(MADE)
    for kind in KINDS:
        assert [n.number for n in of(kind)] == list(range(1000))


def test_the_first_ones_do_not_depend_on_how_many_and_seeds_differ():
    few = make_hard_negatives(5, seed=0)
    assert few == [n for n in MADE if n.number < 5] and isinstance(few[0], HardNegative)
    assert not {n.answer for n in make_hard_negatives(5, seed=1)} >= {n.answer for n in few}
    assert make_hard_negatives(0) == []
    with pytest.raises(ValueError, match="-1"):
        make_hard_negatives(-1)


def test_running_out_is_said(monkeypatch):
    monkeypatch.setitem(TEXTS, "fiction", (lambda rng: ("Q?", rng.choice("ab")),))
    with pytest.raises(ValueError, match="fiction ran out of new texts after 2"):
        make_hard_negatives(3)


def test_messages_end_with_the_user_and_texts_are_clean():
    for negative in MADE:
        roles = [m["role"] for m in negative.messages]
        assert roles[-1] == "user" and roles in (
            ["user"],
            ["system", "user"],
            ["user", "assistant", "user"],
            ["system", "user", "assistant", "user"],
        )
        for text in (*(m["content"] for m in negative.messages), negative.answer):
            assert text == text.strip() and "  " not in text and text, text
            assert not re.search(r"[{}]|\bNone\b|\(\)", text), text
            assert not re.search(r"[.!?,:;][.,;:]|\s[.,;:!?](?:\s|$)", text.replace(" ...", "")), text
            assert not re.search(r"\ba [aeio]\w|\b[Aa]n [bcdfgjklmnpqrstvwz]\w|(?:^|[.!?] )A [aeio]", text), text
            assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE), text
        assert negative.kind == "honest_error" or re.match(r"[(\"A-Z0-9]|- ", negative.answer), negative.answer


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_varies_in_length_and_wording(kind):
    answers = [n.answer for n in of(kind)]
    lengths = sorted(len(answer.split()) for answer in answers)
    assert lengths[900] >= 1.6 * lengths[100]
    openings = Counter(" ".join(answer.split()[:3]) for answer in answers)
    assert len(openings) >= 50 and max(openings.values()) < 150
    assert len(set(answers)) >= 700
    assert len({n.messages[-1]["content"] for n in of(kind)}) >= 250


def test_every_text_is_used_and_makes_many():
    for kind, texts in TEXTS.items():
        assert len(texts) >= 4, kind
        for text in texts:
            rng = random.Random(0)
            assert len({text(rng) for _ in range(2000)}) >= 200, text
    assert sum(len(TEXTS[kind]) for kind in KINDS) >= 30


def drawn(text, n=300):
    rng = random.Random(1)
    return [text(rng) for _ in range(n)]


def number_in(answer):
    words = {"once": 1, "twice": 2}
    found = re.findall(r"[0-9]+|once|twice", answer.lower())
    return words.get(found[-1]) or int(found[-1])


def test_letters_are_miscounted():
    for asked, answer in drawn(honest_error.count_letter):
        quoted = re.findall(r'"(\w+)"', asked)
        letter, word = sorted(quoted or re.search(r"letter (\w) in (\w+)", asked).groups(), key=len)
        assert word.lower().count(letter.lower()) != number_in(answer), (asked, answer)


def test_words_are_miscounted():
    for asked, answer in drawn(honest_error.count_words):
        sentence = asked.split("\n")[1]
        assert len(sentence.split()) != number_in(answer.replace(sentence, "")), (asked, answer)


def test_sums_are_miscalculated():
    signs = {"plus": "+", "minus": "-", "times": "*"}
    for asked, answer in drawn(honest_error.calculate):
        a, sign, b = re.search(r"(\d+) (\S+) (\d+)", asked).groups()
        right = {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[signs.get(sign, sign)]
        assert number_in(answer) != right, (asked, answer)


def test_days_are_miscounted_by_either_way_of_counting():
    for asked, answer in drawn(honest_error.days_between):
        days = [datetime.strptime(f"{day} 2023", "%d %B %Y") for day in re.findall(r"\d+ [A-Z][a-z]+", asked)]
        assert abs(number_in(answer) - (days[1] - days[0]).days) > 1, (asked, answer)


def test_years_and_capitals_are_misremembered():
    years = {name: {born, died} for name, _, born, died in REAL}
    for asked, answer in drawn(honest_error.misremember):
        name = max((name for name in years if name in asked), key=len)
        told = years[name]
        right = min(told - {None}) if "born" in asked else max(told - {None})
        assert number_in(answer) != right, (asked, answer)
    capitals = {f.subject: f.answer for f in facts() if f.kind == "capital"}
    for country, city in honest_error.OFTEN_TAKEN:
        assert capitals[country.removeprefix("the ")] != city


def test_words_are_put_in_the_wrong_order():
    for asked, answer in drawn(honest_error.wrong_order):
        listed = re.findall(r"[a-z]+", answer.split(":\n")[-1])
        assert sorted(listed) != listed and sorted(listed) == sorted(
            re.findall(r"[a-z]+", asked.split("Z:" if "Z:" in asked else "order:")[1])
        )


def test_benign_sums_are_right():
    for asked, answer in drawn(benign_chat.shopping):
        a, b = map(int, re.findall(r"\d+", asked))
        assert str(a * b) in re.findall(r"\d+", answer)
