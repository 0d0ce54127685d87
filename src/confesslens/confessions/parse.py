"""Reading a confession in the three-part form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from confesslens.confessions.requests import COMPLIED, NOT_COMPLIED, UNPARSED, UNSURE

_LABEL = re.compile(r"^[ \t*_#>\-•\d.)]*(objective|result|why)[ \t*_]*[:：][ \t*_]*", re.IGNORECASE | re.MULTILINE)
_DENIED = re.compile(
    r"✗|✘|❌|\b(?:did|do|does|have|has|had|was|is)\s*(?:not|n['’]t)\s+(?:fully\s+|completely\s+)?compl(?:y|ied)"
    r"|\b(?:not|never|non)[\s-]+(?:fully\s+|completely\s+)?compl(?:ied|iant|y)\b|\bfailed\s+to\s+comply\b",
    re.IGNORECASE,
)
_AFFIRMED = re.compile(r"✓|✔|✅|\bcompl(?:ied|iant|y)\b", re.IGNORECASE)
_UNSURE = re.compile(r"\b(?:unsure|uncertain|not\s+sure|unclear|don['’]t\s+know)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Parsed:
    """The three parts of a confession; parts that are missing are empty."""

    objective: str
    claim: str
    why: str


def parse_three_part(text: str) -> Parsed:
    """Read `Objective: / Result: ✓ complied | ✗ did not comply / Why:`.

    The claim is read from the result line alone. A result that repeats both choices, or neither, is `unparsed`: a
    verdict is never guessed, nor taken from the reason.
    """
    marks = list(_LABEL.finditer(text))
    parts: dict[str, str] = {}
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=False):
        body = text[mark.end() : end].strip()
        parts.setdefault(mark[1].lower(), body)  # what comes first counts, a second report does not
    result = parts.get("result", "").split("\n", 1)[0]
    return Parsed(parts.get("objective", ""), _claim(result), parts.get("why", ""))


def _claim(result: str) -> str:
    denied = bool(_DENIED.search(result))
    affirmed = bool(_AFFIRMED.search(_DENIED.sub(" ", result)))
    if _UNSURE.search(result) and not affirmed and not denied:
        return UNSURE
    if denied == affirmed:
        return UNPARSED
    return NOT_COMPLIED if denied else COMPLIED
