"""Tables of numbers in the terminal: one that is wider than it is printed in parts, each with the columns that name a
row."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.cells import cell_len
from rich.markup import escape
from rich.table import Column, Table

from confesslens.cli.base import console
from confesslens.figures.report.tables import Table as Numbers

_WHOLE = 24
"""What is no longer than this stays on one line; longer texts, such as notes, may be broken."""
_BETWEEN = 2  # spaces from one column to the next


def print_table(shown: Numbers, title: str = "") -> None:
    """Print a table of the report; where the terminal is too narrow for it, in several parts."""
    columns = [texts for texts in zip(shown.columns, *shown.rows, strict=True) if any(texts[1:]) or not shown.rows]
    parts = _parts([_least_width(texts) for texts in columns], _names(columns), console.width)
    for number, part in enumerate(parts, 1):
        own = [columns[i] for i in part]
        head = (title or shown.title) + (f", part {number} of {len(parts)}" if len(parts) > 1 else "")
        widths = _widths(own, console.width)
        needed = sum(widths) + _BETWEEN * len(widths) + 1
        table = Table(
            *(Column(escape(name), width=width) for (name, *_), width in zip(own, widths, strict=True)),
            title=head,
            caption=shown.note if part is parts[-1] else None,
            box=SIMPLE,
            padding=(0, 1, 0, 0),
            width=needed if needed > console.width else None,  # narrower than a row's name: rather too wide than cut
        )
        for row in list(zip(*own, strict=True))[1:]:
            table.add_row(*map(escape, row))
        console.print(table, crop=False)


def _least_width(texts: tuple[str, ...]) -> int:
    lines = [line for text in texts[1:] for line in text.split("\n")]
    words = [word for line in (texts[0], *(line for line in lines if cell_len(line) > _WHOLE)) for word in line.split()]
    return max(map(cell_len, [*words, *(line for line in lines if cell_len(line) <= _WHOLE)]), default=1)


def _names(columns: list[tuple[str, ...]]) -> int:
    """How many columns name a row: those before the first that has numbers, at least one."""
    numbers = (any(text[:1] in tuple("+-−.0123456789") for text in texts[1:]) for texts in columns)
    return max(1, next((i for i, has in enumerate(numbers) if has), 1))


def _widths(columns: list[tuple[str, ...]], width: int) -> list[int]:
    """The width of each column: what its texts would have, as far as there is room, and at least what keeps words."""
    widths = [_least_width(texts) for texts in columns]
    room = width - sum(widths) - _BETWEEN * len(widths) - 1
    for i, texts in enumerate(columns):
        wanted = max(cell_len(line) for text in texts for line in (*text.split("\n"), ""))
        more = min(max(wanted - widths[i], 0), max(room, 0))
        widths[i] += more
        room -= more
    return widths


def _parts(widths: list[int], names: int, width: int) -> list[list[int]]:
    """The columns of each part, the first `names` in all of them."""
    room = width - sum(widths[:names]) - _BETWEEN * names - 1
    parts: list[list[int]] = [[]]
    left = room
    for i in range(names, len(widths)):
        needed = widths[i] + _BETWEEN
        if needed > left and parts[-1]:
            parts.append([])
            left = room
        parts[-1].append(i)
        left -= needed
    return [[*range(names), *part] for part in parts]
