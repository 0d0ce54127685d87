"""The page on formats names every format, and its claims on reading and writing hold."""

from __future__ import annotations

import re
from pathlib import Path

from confesslens.interop import FORMATS

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def test_the_table_is_that_of_the_code():
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in PAGE.open() if line.startswith("|")][2:]
    told = {re.sub("`", "", row[1]): row for row in rows}
    assert set(told) == set(FORMATS)
    for name, known in FORMATS.items():
        assert (told[name][4] == "yes") == (known.write is not None)
        assert known.holds in told[name][2]
