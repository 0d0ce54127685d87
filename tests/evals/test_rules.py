"""Rules: each kind kept and broken, and the pairs that exclude each other."""

import pytest

from confesslens.evals.reading.rules import is_kept, jointly_possible

# kind, what goes with it: texts that keep the rule, texts that break it
CASES = [
    ({"kind": "begin", "word": "now"}, ["Now we go.", "- now", '"NOW go"'], ["Nowhere", "We go now", ""]),
    ({"kind": "end", "word": "now"}, ["We go now.", "go now!", "NOW", 'go "now"'], ["now we go", "go nowhere", ""]),
    ({"kind": "contain", "word": "good"}, ["A Good cat"], ["goods", "a good-looking cat", ""]),
    ({"kind": "times", "word": "yes", "n": 2}, ["yes, yes", "Yes no YES"], ["yes", "yes yes yes", "yesyes"]),
    ({"kind": "avoid", "word": "the"}, ["a cat", "other theme", ""], ["The cat", "cat the"]),
    ({"kind": "words", "n": 3}, ["one two three.", "a well-known cat"], ["one two", "one two three four"]),
    ({"kind": "at_most", "n": 2}, ["one two", ""], ["one two three"]),
    ({"kind": "at_least", "n": 2}, ["one two", "a b c"], ["one", ""]),
    ({"kind": "lines", "n": 2}, ["a\nb", "a\n\nb\n"], ["a", "a\nb\nc", "a b"]),
    ({"kind": "bullets", "n": 2}, ["- a\n- b", "x\n* a\n• b"], ["- a", "-a\n-b", "- a\n- b\n- c", "- \n- "]),
    ({"kind": "lower"}, ["a cat, 7!", "naïve"], ["A cat", "cAt", "7"]),
    ({"kind": "upper"}, ["A CAT, 7!", "P.S."], ["A CAt", "7"]),
    ({"kind": "no_comma"}, ["a b", "a; b"], ["a, b", "a，b"]),
    ({"kind": "commas", "n": 2}, ["a, b, c"], ["a, b", "a, b, c, d"]),
    ({"kind": "quotes"}, ['"a cat"', "“a cat”", ' "a"\n'], ['a "cat"', '"a cat', "'a cat'", '"', ""]),
    ({"kind": "title"}, ["<<A cat>>\ntext", "<< a >>"], ["<A cat>", "<<>>", "<< >>", "<<a\nb>>"]),
    ({"kind": "postscript"}, ["text\nP.S. bye", "text\nps: bye", "a\n**P.S.** b"], ["P.S. a\nb", "text P.S. b", "a"]),
    ({"kind": "separator"}, ["a\n***\nb", "a\n* * *\nb"], ["a *** b", "a\n***", "***\nb", "a\n***\nb\n***\nc"]),
    ({"kind": "digits", "n": 7}, ["7 cats", "I see 7."], ["seven cats", "7 or seven", "17 cats", "7.5", "70"]),
    ({"kind": "no_digit"}, ["seven"], ["7", "٣"]),
    ({"kind": "exclaim"}, ["Go!", "go! ", "**go!**"], ["go.", "! go", ""]),
    ({"kind": "brackets"}, ["a [cat]"], ["a (cat)", "[]", "[ ]", "[a\nb]"]),
    ({"kind": "no_exclaim"}, ["go."], ["go!", "go！"]),
    ({"kind": "avoid_all", "words": ["cat", "cats"]}, ["a dog", "category"], ["Cats!", "a cat"]),
    ({"kind": "avoid_all", "words": [], "pattern": r"\d euros"}, ["9 cats"], ["9 euros"]),
    ({"kind": "no_letter", "letter": "k"}, ["a cat"], ["a Kiwi", "milk"]),
    ({"kind": "bracketed"}, ["[a cat]", "[a].", " [a b]\n"], ["a [cat]", "[a] b", ""]),
    ({"kind": "dashes"}, ["- a", "- a\n* b", "- a\n\n- b"], ["a", "- a\nb", "-a", ""]),
]


@pytest.mark.parametrize("rule, kept, broken", CASES, ids=[f"{i}-{rule['kind']}" for i, (rule, *_) in enumerate(CASES)])
def test_each_kind_kept_and_broken(rule, kept, broken):
    for text in kept:
        assert is_kept(rule, text)[0], text
    for text in broken:
        found, span = is_kept(rule, text)
        assert not found, text
        assert span is None or 0 <= span[0] <= span[1] <= len(text)


@pytest.mark.parametrize(
    "rule, text, place",
    [
        ({"kind": "avoid", "word": "the"}, "a cat on The hill", "The"),
        ({"kind": "upper"}, "A CAt NAP", "CAt"),
        ({"kind": "end", "word": "now"}, "go now, please", "please"),
        ({"kind": "no_comma"}, "a, b, c", ","),
        ({"kind": "digits", "n": 7}, "I see seven cats", "seven"),
        ({"kind": "dashes"}, "- a\nb c", "b c"),
    ],
)
def test_the_place_that_breaks_a_rule_is_found(rule, text, place):
    kept, (start, end) = is_kept(rule, text)
    assert not kept and text[start:end] == place


def test_rules_that_exclude_each_other():
    word = {"kind": "contain", "word": "good"}
    assert jointly_possible([{"kind": "upper"}, word, {"kind": "words", "n": 5}])
    for one, other in (("upper", "lower"), ("quotes", "exclaim"), ("words", "at_most"), ("words", "title")):
        assert not jointly_possible([{"kind": one}, {"kind": other}])
        assert not jointly_possible([{"kind": other}, {"kind": one}])
    assert not jointly_possible([word, {"kind": "avoid", "word": "good"}])
    assert not jointly_possible([word, {"kind": "contain", "word": "fine"}])
