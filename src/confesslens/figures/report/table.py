"""What a table of the page is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of the page: the first `row_headers` cells of each row are headers; `folded` ones open on request."""

    title: str
    note: str
    columns: list[str]
    rows: list[list[str]]
    row_headers: int = 1
    folded: bool = False
    empty: str = "Nothing to show: this table is empty."
