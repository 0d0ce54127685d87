"""Tables in the terminal: whatever its width, no word of them is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confesslens.cli import base, tables
from confesslens.figures.report.tables import Table

SHARES = Table(
    "Shares",
    "What is shared.",
    ["evaluation", "condition", "n", *(f"P(something | {letter})" for letter in "abcdefgh")],
    [["instruction following", "tempted", "8", *(f"{10 * i}% [0, 100]" for i in range(8))]],
)


@pytest.fixture
def printed(monkeypatch, capsys):
    def at(width, shown=SHARES, **more):
        monkeypatch.setattr(base.console, "width", width)
        tables.print_table(shown, **more)
        return capsys.readouterr().out

    return at


def test_a_table_too_wide_is_printed_in_parts_that_name_their_rows(printed):
    wide, narrow = printed(300), printed(80)
    assert "part" not in wide and "Shares, part 1 of " in narrow and "…" not in narrow
    assert max(map(len, narrow.splitlines())) <= 80
    parts = int(narrow.split("part 1 of ")[1].split()[0])
    assert parts > 1 and narrow.count("instruction following  tempted") == parts
    assert all(f"{10 * i}% [0, 100]" in narrow for i in range(8))
    assert narrow.count("What is shared.") == wide.count("What is shared.") == 1
    assert "of another name" in printed(80, title="of another name")


def test_nothing_is_cut_where_not_even_the_names_of_a_row_have_room(printed):
    tiny = printed(20)
    assert "…" not in tiny and "instruction following  tempted" in tiny
    assert all(f"{10 * i}% [0, 100]" in tiny for i in range(8))


def test_markup_in_a_table_is_text(printed):
    shown = Table("Words", "", ["word", "n"], [["[red]blood[/red]", "1"]])
    assert "[red]blood[/red]" in printed(80, shown)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.integers(1, 3), st.integers(20, 200))
def test_every_column_is_in_one_part_and_those_that_name_a_row_in_all(widths, names, width):
    names = min(names, len(widths))
    parts = tables._parts(widths, names, width)
    assert all(part[:names] == list(range(names)) for part in parts)
    assert [i for part in parts for i in part[names:]] == list(range(names, len(widths)))
    for part in parts:
        assert len(part) <= names + 1 or sum(widths[i] + 2 for i in part) + 1 <= width
