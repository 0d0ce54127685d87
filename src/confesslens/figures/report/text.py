"""Make text that a model wrote safe to read: nothing invisible stays invisible, nothing reorders the page."""

import json
import re
from typing import Any

# C0 and C1 controls except tab and newline; bidirectional overrides and isolates; lone surrogates; non-characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
LONGEST = 6000  # characters of one text that the page shows; the tables hold the whole


def visible(value: Any) -> Any:
    """Return text with control and direction characters spelled out, as in "⟨U+0000⟩"; leave other values as they are.

    HTML escaping is the template's task; it does nothing about a NUL or a right-to-left override.
    """
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", value.replace("\r\n", "\n"))
    return value


def shorten(value: object, longest: int = LONGEST) -> str:
    """Return the text, cut after `longest` characters with a note of how many are left out; "" for None and NaN."""
    if value is None or value != value:
        return ""
    text = str(value)
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest} more characters, left out here)"


def decode(value: Any, otherwise: Any) -> Any:
    """Return what a JSON string says; the value itself if it is not a string, `otherwise` if it cannot be read."""
    if not isinstance(value, str):
        return value if isinstance(value, dict | list) else otherwise
    try:
        return json.loads(value)
    except ValueError:
        return otherwise


def flatten(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """List nested settings as pairs of dotted name and value: {"a": {"b": 1}} becomes [("a.b", "1")]."""
    if isinstance(value, dict):
        return [
            pair for key, below in value.items() for pair in flatten(below, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, list | tuple):
        shown = ", ".join(x if isinstance(x, str) else json.dumps(x, default=str, ensure_ascii=False) for x in value)
    else:
        shown = "none" if value is None else str(value)
    return [(prefix, shorten(shown, 600))]
