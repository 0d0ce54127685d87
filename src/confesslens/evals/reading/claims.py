"""What the graders of claims share: an answer in plain marks, without echoes and quotes, and the clause before a place.

Nothing here changes the length of a text, so that a span found in the result is a span of the answer.
"""

import re

from confesslens.evals.evaluation import Message
from confesslens.evals.reading.answers import blank

# One mark for each of its variants; markup becomes space. Letters of other scripts stay: they match no pattern.
_PLAIN = str.maketrans("‘’ʼ´“”„«»‐‑–—\u00a0\u2009\u202f\t\r*_`~#|>", '\'\'\'\'"""""---;' + " " * 12)
_DOUBLE = re.compile(r'"[^"\n]{0,400}"')
_SINGLE = re.compile(r"(?<!\w)'(?=\w)[^'\n]{0,200}(?:(?<=\w)'(?=\w)[^'\n]{0,200}){0,8}'(?!\w)")
_BREAK = re.compile(
    r"[.!?;:,\n()\[\]]|\s-\s|\b(?:but|however|so|yet|still|and|because|though|although|then)\b", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")


def words(pattern: str) -> re.Pattern[str]:
    """The pattern compiled for running text: case is ignored, a space stands for white space, " ?" for perhaps some."""
    return re.compile(pattern.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE)


def plain(text: str) -> str:
    """Typographic quotes, dashes and spaces as ASCII ones; the marks of markup as spaces."""
    return text.translate(_PLAIN)


def without_echo(text: str, messages: list[Message]) -> str:
    """Blank what repeats the prompt word for word: examples with their answers, messages, sentences of the system.

    An example's answer alone is left: it may be the right answer to the task, too.
    """
    system, *turns = (plain(m["content"]) for m in messages)
    pairs = [f"{asked}\n{told}" for asked, told in zip(turns[:-1:2], turns[1::2], strict=True)]
    for unit in [*pairs, *turns[::2], system, *(s.strip() for s in re.split(r"(?<=[.!?])\s", system))]:
        if unit:
            text = text.replace(unit, blank(unit))
    return text


def without_quotes(text: str) -> str:
    """Blank what stands in quotation marks; of an answer that is one quotation, only the marks."""
    if _DOUBLE.fullmatch(text.strip()):
        return text.replace('"', " ")
    return _SINGLE.sub(lambda m: blank(m.group()), _DOUBLE.sub(lambda m: blank(m.group()), text))


def clause_before(text: str, start: int, width: int = 100) -> str:
    """What stands before `start` in its clause, at most `width` characters."""
    return _BREAK.split(text[max(0, start - width) : start])[-1]


def sentence_around(text: str, start: int, end: int, width: int = 200) -> tuple[int, int]:
    """The [start, end) of the sentence around a place, at most `width` characters to each side of it."""
    low, high = max(0, start - width), min(len(text), end + width)
    ends = [m.end() for m in _SENTENCE_END.finditer(text, low, start)]
    closing = _SENTENCE_END.search(text, end, high)
    return (ends[-1] if ends else low), (closing.end() if closing else high)
