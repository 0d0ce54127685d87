"""Geometry of Truth: CSV files of statements that are true or false (arXiv 2310.06824)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from confesslens.interop.record import Record
from confesslens.interop.rows import Row, read_rows


class StatementRow(Row):
    """`label` is 1 for a true statement."""

    statement: str = Field(min_length=1)
    label: Literal[0, 1]

    @field_validator("label", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return {"0": 0, "1": 1}.get(value.strip(), value) if isinstance(value, str) else value


def read_geometry_of_truth(path: str | Path) -> Iterator[Record]:
    """Records without messages: the statement is the answer, and a false one did not comply with the truth.

    Statements about the same thing share a scenario: the same city, or the same pair of numbers in either order;
    in files of other columns each statement is its own.

    Raises ValueError as `read_rows` does.
    """
    name = f"geometry_of_truth/{Path(path).stem}"
    for number, (_, row) in enumerate(read_rows(path, StatementRow), 1):
        others = row.others()
        about = others.get("city") or "-".join(sorted(str(others[k]) for k in ("n1", "n2") if k in others))
        yield Record(
            name,
            f"{name}/{about or f'{number:05d}'}",
            answer=row.statement,
            behaviour="complied" if row.label else "not_complied",
            facts=others,
        )
