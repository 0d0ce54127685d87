"""Are the licences of all installed packages among those that `licences.toml` allows? Ends with status 1 if not."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_TOKEN = re.compile(r"\(|\)|[^\s()]+")


def claims(metadata: Any) -> list[str]:
    """What a package says of its licence: the SPDX expression, else its classifiers, else the old free field."""
    if expression := metadata.get("License-Expression"):
        return [expression]
    classifiers = [text.split(" :: ") for text in metadata.get_all("Classifier") or []]
    approved = [parts[-1] for parts in classifiers if parts[:2] == ["License", "OSI Approved"] and len(parts) > 2]
    lines = (metadata.get("License") or "").strip().splitlines()
    return approved or lines[:1]


def is_allowed(expression: str, allowed: Iterable[str]) -> bool:
    """Whether an SPDX expression can be met with these licences: all sides of an AND, one side of an OR.

    A WITH counts as an AND: its exception must be allowed too. What is no expression is not allowed.
    """
    tokens, known = _TOKEN.findall(expression), set(allowed)

    def alternatives() -> bool:
        met = together()
        while tokens and tokens[0].upper() == "OR":
            tokens.pop(0)
            met = together() or met
        return met

    def together() -> bool:
        met = one()
        while tokens and tokens[0].upper() in ("AND", "WITH"):
            tokens.pop(0)
            met = one() and met
        return met

    def one() -> bool:
        if not tokens:
            return False
        if (token := tokens.pop(0)) != "(":
            return token in known
        met = alternatives()
        return bool(tokens) and tokens.pop(0) == ")" and met

    return alternatives() and not tokens


def complaint(name: str, said: list[str], rules: Mapping[str, Any]) -> str | None:
    """What is wrong with a package's licence, or None."""
    if any(fnmatch(name, pattern) for pattern in rules["reviewed"]):
        return None
    spelled = [rules["spellings"].get(claim, claim) for claim in said]
    if spelled and all(is_allowed(expression, rules["allowed"]) for expression in spelled):
        return None
    return f"{name}: {'; '.join(said) or 'its metadata name no licence'}"


def normal(name: str) -> str:
    """A package's name as the lock file has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Look at what is installed beside this Python, and name what the lock holds for other machines only."""
    rules = tomllib.loads((HERE / "licences.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((HERE.parent / "uv.lock").read_text(encoding="utf-8"))
    installed = {normal(found.metadata["Name"]): claims(found.metadata) for found in distributions()}
    if "confesslens" not in installed:
        print("licences: nothing is installed here; uv sync --locked comes first")
        return 1
    wrong = [text for name, said in sorted(installed.items()) if (text := complaint(name, said, rules))]
    for text in wrong:
        print(f"licence not allowed or unknown: {text}")
    print(f"licences: {len(installed)} packages looked at, {len(wrong)} to be looked at by hand (.ci/licences.toml)")
    if absent := sorted({package["name"] for package in lock["package"]} - set(installed)):
        print(f"licences: not looked at, for they are not installed here: {', '.join(absent)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
