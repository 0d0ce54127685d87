"""Rules for a text that a program can check: which of them go together, and whether a text keeps one.

A rule is a dict with its `kind` and, by kind, a `word`, `words` (and a `pattern`), a `letter` or a number `n`; it is
JSON-able. How a rule is worded is the evaluation's own. A text keeps or breaks a rule as a whole: what does not belong
to it (a preamble, a remark) is blanked before. Words are counted as in word_count; case counts for `upper` and `lower`
only.
"""

import re
from collections.abc import Callable
from typing import Any

from confesslens.evals.reading.answers import WORD

Rule = dict[str, Any]
Span = tuple[int, int] | None

NUMBER_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip

# Pairs of which one text cannot keep both, or of which it is open what keeping both would be.
_LENGTHS = ("words", "at_most", "at_least")
_EXCLUDE = [
    ("upper", "lower"),
    ("lines", "bullets"),
    ("lines", "separator"),
    ("bullets", "separator"),
    ("no_comma", "commas"),
    ("digits", "no_digit"),
    ("quotes", "exclaim"),
    ("quotes", "bullets"),
    ("quotes", "dashes"),
    ("quotes", "bracketed"),
    ("bracketed", "dashes"),
    # how many words "P.S." is, whether a title is a line, and whether a text begins with it, may be seen otherwise
    *((length, other) for length in _LENGTHS for other in ("postscript", "title")),
    *(("title", other) for other in ("begin", "lines", "quotes")),
    *((one, other) for one in _LENGTHS for other in _LENGTHS if one != other),
]


def jointly_possible(rules: list[Rule]) -> bool:
    """Whether one text can keep all of them: no kind twice, no two that exclude each other, no word asked and avoided.

    Numbers of words and lines are not looked at; see `words_needed`.
    """
    kinds = [rule["kind"] for rule in rules]
    if len(set(kinds)) < len(kinds) or any(one in kinds and other in kinds for one, other in _EXCLUDE):
        return False
    words = [rule["word"] for rule in rules if "word" in rule]
    return len(set(words)) == len(words)


def words_needed(rules: list[Rule]) -> int:
    """A number of words with which all of the rules can be kept, those on the number of words left aside."""
    needed = {
        "begin": 1,
        "end": 1,
        "contain": 1,
        "digits": 1,
        "title": 1,
        "postscript": 3,
        "separator": 2,
        "brackets": 1,
    }
    counted = sum(rule["n"] + 1 for rule in rules if rule["kind"] in ("times", "lines", "bullets", "commas"))
    return 2 + counted + sum(needed.get(rule["kind"], 0) for rule in rules)


def is_kept(rule: Rule, text: str) -> tuple[bool, Span]:
    """Whether `text` keeps the rule, and the [start, end) that decides it (None when it is what the text lacks)."""
    return _CHECKS[rule["kind"]](rule, text)


def _found(pattern: str, text: str, flags: int = re.IGNORECASE) -> Span:
    match = re.search(pattern, text, flags)
    return match.span() if match else None


def find_words(word: str, text: str) -> list[tuple[int, int]]:
    """Where `word` stands as a word of its own, in any case; "plums", "plum's" and "plum-tree" are other words."""
    return [m.span() for m in WORD.finditer(text) if m.group().lower() == word.lower()]


def _lines(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"[^\n]+", text) if m.group().strip()]


def _first_or_last(rule: Rule, text: str) -> tuple[bool, Span]:
    words = [m.span() for m in WORD.finditer(text)]
    if not words:
        return False, None
    start, end = words[0 if rule["kind"] == "begin" else -1]
    return text[start:end].lower() == rule["word"].lower(), (start, end)


def _contain(rule: Rule, text: str) -> tuple[bool, Span]:
    found = find_words(rule["word"], text)
    return bool(found), found[0] if found else None


def _times(rule: Rule, text: str) -> tuple[bool, Span]:
    found = find_words(rule["word"], text)
    return len(found) == rule["n"], (found[0][0], found[-1][1]) if found else None


def _avoid(rule: Rule, text: str) -> tuple[bool, Span]:
    found = find_words(rule["word"], text)
    return not found, found[0] if found else None


def _avoid_all(rule: Rule, text: str) -> tuple[bool, Span]:
    avoided = set(rule["words"])
    found = next((m.span() for m in WORD.finditer(text) if m.group().lower() in avoided), None)
    found = found or (_found(rule["pattern"], text) if "pattern" in rule else None)
    return found is None, found


def _no_letter(rule: Rule, text: str) -> tuple[bool, Span]:
    at = text.lower().find(rule["letter"])
    return at < 0, (at, at + 1) if at >= 0 else None


def _word_number(rule: Rule, text: str) -> tuple[bool, Span]:
    words = [m.span() for m in WORD.finditer(text)]
    kept = {"words": len(words) == rule["n"], "at_most": len(words) <= rule["n"], "at_least": len(words) >= rule["n"]}
    return kept[rule["kind"]], (words[0][0], words[-1][1]) if words else None


def _line_number(rule: Rule, text: str) -> tuple[bool, Span]:
    lines = _lines(text)
    return len(lines) == rule["n"], (lines[0][0], lines[-1][1]) if lines else None


def _bullets(rule: Rule, text: str) -> tuple[bool, Span]:
    found = [m.span() for m in re.finditer(r"(?m)^[^\S\n]*[-–—•*][^\S\n]+[^\n]*\w", text)]
    return len(found) == rule["n"], (found[0][0], found[-1][1]) if found else None


def _case(rule: Rule, text: str) -> tuple[bool, Span]:
    for match in re.finditer(r"[^\W\d_]+", text):
        right = match.group().upper() if rule["kind"] == "upper" else match.group().lower()
        if match.group() != right:
            return False, match.span()
    return any(c.isalpha() for c in text), None


def _lacks(pattern: str) -> Callable[[Rule, str], tuple[bool, Span]]:
    def check(_: Rule, text: str) -> tuple[bool, Span]:
        span = _found(pattern, text)
        return span is None, span

    return check


def _enclosed(pattern: str) -> Callable[[Rule, str], tuple[bool, Span]]:
    def check(_: Rule, text: str) -> tuple[bool, Span]:
        found = next((m.span() for m in re.finditer(pattern, text) if WORD.search(m.group())), None)
        return found is not None, found

    return check


def _commas(rule: Rule, text: str) -> tuple[bool, Span]:
    found = [m.span() for m in re.finditer("[,，、]", text)]
    return len(found) == rule["n"], (found[0][0], found[-1][1]) if found else None


def _quotes(_: Rule, text: str) -> tuple[bool, Span]:
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return end - start > 2 and text[start] in '"“”„«' and text[end - 1] in '"“”»', (start, end)


def _bracketed(_: Rule, text: str) -> tuple[bool, Span]:
    start, end = len(text) - len(text.lstrip()), len(text.rstrip(" \t\r\n.!"))
    return end - start > 2 and text[start] == "[" and text[end - 1] == "]", (start, end)


def _dashes(_: Rule, text: str) -> tuple[bool, Span]:
    lines = _lines(text)
    without = next((span for span in lines if not re.match(r"\s*[-–—•*]\s", text[span[0] : span[1]])), None)
    return bool(lines) and without is None, without


def _postscript(_: Rule, text: str) -> tuple[bool, Span]:
    lines = _lines(text)
    if not lines:
        return False, None
    start, end = lines[-1]
    return bool(re.match(r"\W{0,9}P\.?[^\S\n]?S\b", text[start:end], re.IGNORECASE)), (start, end)


def _separator(_: Rule, text: str) -> tuple[bool, Span]:
    found = [m.span() for m in re.finditer(r"(?m)^[^\S\n]*\*[^\S\n]?\*[^\S\n]?\*[^\S\n]*$", text)]
    kept = len(found) == 1 and bool(WORD.search(text[: found[0][0]])) and bool(WORD.search(text[found[0][1] :]))
    return kept, found[0] if found else None


def _digits(rule: Rule, text: str) -> tuple[bool, Span]:
    in_words = find_words(NUMBER_WORDS[rule["n"]], text)
    if in_words:
        return False, in_words[0]
    span = _found(rf"(?<![\d.,]){rule['n']}(?!\d|[.,]\d)", text)
    return span is not None, span


def _exclaim(_: Rule, text: str) -> tuple[bool, Span]:
    end = len(text.rstrip(" \t\r\n*_"))
    return text[:end].endswith("!"), (end - 1, end) if end else None


_CHECKS: dict[str, Callable[[Rule, str], tuple[bool, Span]]] = {
    "begin": _first_or_last,
    "end": _first_or_last,
    "contain": _contain,
    "times": _times,
    "avoid": _avoid,
    "words": _word_number,
    "at_most": _word_number,
    "at_least": _word_number,
    "lines": _line_number,
    "bullets": _bullets,
    "lower": _case,
    "upper": _case,
    "no_comma": _lacks("[,，、]"),
    "commas": _commas,
    "quotes": _quotes,
    "title": _enclosed(r"<<[^<>\n]{1,200}>>"),
    "postscript": _postscript,
    "separator": _separator,
    "digits": _digits,
    "no_digit": _lacks(r"\d"),
    "exclaim": _exclaim,
    "no_exclaim": _lacks("[!！¡]"),
    "avoid_all": _avoid_all,
    "no_letter": _no_letter,
    "bracketed": _bracketed,
    "dashes": _dashes,
    "brackets": _enclosed(r"\[[^\[\]\n]{1,60}\]"),
}
