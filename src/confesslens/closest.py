"""Error messages for unknown names, and for values that can be anything."""

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict = 3, 16, 8
_SHORT.maxstring, _SHORT.maxlong, _SHORT.maxother = 120, 60, 120


def shown(value: Any) -> str:
    """A value as Python writes it, on one line, long ones cut."""
    return _SHORT.repr(value)[:1000]


def one_line(error: BaseException) -> str:
    """What an error says, on one line, cut; its name where it says nothing."""
    return " ".join(str(error).split())[:160] or type(error).__name__


def no_such(kind: str, name: str, valid: Iterable[str]) -> str:
    """One line that names the nearest valid names, and all of them."""
    names, name = list(valid), name if len(name) <= 80 else f"{name[:79]}…"
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"there is no {kind} {name!r}: {hint}valid are {', '.join(names)}"
