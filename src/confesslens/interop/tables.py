"""Our own tables as a format: a run's rollouts, or records, as parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from confesslens.interop.record import Record, records_table, table_records
from confesslens.interop.rows import parquet_table


def read_table(path: str | Path) -> Iterator[Record]:
    """Records of `rollouts.parquet` of a run (or the run's folder), or of a table that `write_table` wrote.

    Raises ValueError for a file that is no parquet or lacks columns.
    """
    path = Path(path)
    yield from table_records(parquet_table(path / "rollouts.parquet" if path.is_dir() else path))


def write_table(records: Sequence[Record], path: str | Path) -> Path:
    """Write a table with the columns of `interop.COLUMNS`, the whole of it or none."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".partial-{target.name}")
    table: pd.DataFrame = records_table(records)
    table.to_parquet(partial, index=False)
    partial.replace(target)
    return target
