"""Error messages for unknown names."""

import difflib
from collections.abc import Iterable


def no_such(kind: str, name: str, valid: Iterable[str]) -> str:
    """One line that names the nearest valid names, and all of them."""
    names = list(valid)
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"there is no {kind} {name!r}: {hint}valid are {', '.join(names)}"
