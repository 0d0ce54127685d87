"""The page on formats names every format, and its claims on reading and writing hold."""

from __future__ import annotations

from pathlib import Path

from confesslens.interop import FORMATS

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def rows(heading: str) -> list[list[str]]:
    """The rows of the one table under a heading."""
    _, _, text = PAGE.read_text(encoding="utf-8").partition(f"{heading}\n")
    lines = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_is_that_of_the_code():
    told = {row[1].strip("`"): row for row in rows("# Data and tools of others")}
    assert set(told) == set(FORMATS)
    for name, known in FORMATS.items():
        assert (told[name][4] == "yes") == (known.write is not None)
        assert known.holds in told[name][2]


def test_every_format_has_its_tests():
    """That they exist is seen by test_documentation.py."""
    told = {row[0].strip("`"): row for row in rows("## Which test covers what")}
    assert set(told) == set(FORMATS)
    for name, known in FORMATS.items():
        _, reading, writing, _ = told[name]
        assert "::test_" in reading
        assert ("::test_" in writing or writing == "the same") == (known.write is not None)
