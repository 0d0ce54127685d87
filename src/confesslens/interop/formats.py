"""The formats by name, and reading a file in one of them; where none is named, what its rows look like decides."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from confesslens.closest import no_such, shown
from confesslens.interop.apollo import read_apollo, write_apollo
from confesslens.interop.chat import read_chat, write_chat
from confesslens.interop.geometry_of_truth import read_geometry_of_truth
from confesslens.interop.impossible_bench import read_impossible_bench
from confesslens.interop.inspect_logs import read_inspect_log, write_inspect_log
from confesslens.interop.liars_bench import read_liars_bench, write_liars_bench
from confesslens.interop.mask import read_mask
from confesslens.interop.record import Record, records_table, table_records
from confesslens.interop.reward_hacks import read_reward_hacks
from confesslens.interop.rows import cut, read_json, read_raw_rows
from confesslens.interop.tables import read_table, write_table


@dataclass(frozen=True)
class Format:
    """A format of files.

    Attributes:
        title: what it is, in a few words.
        holds: "transcripts" (answered), "prompts" (to be answered) or "statements" (no conversation).
        fields: those that give it away in a row, besides `suffixes`.
        read: path to records.
        write: records and path to the file; None where nothing of ours can be told in it.
    """

    title: str
    holds: str
    fields: frozenset[str]
    read: Callable[[str | Path], Iterator[Record]]
    write: Callable[[Sequence[Record], str | Path], Path] | None = None


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


FORMATS: dict[str, Format] = {
    "rollouts": Format(
        "a run's rollouts", "transcripts", _fields("eval scenario messages answer behaviour"), read_table, write_table
    ),
    "inspect": Format("Inspect AI log", "transcripts", _fields("eval samples"), read_inspect_log, write_inspect_log),
    "liars_bench": Format(
        "Liars' Bench", "transcripts", _fields("messages deceptive"), read_liars_bench, write_liars_bench
    ),
    "mask": Format("MASK", "prompts", _fields("user_prompt proposition"), read_mask),
    "reward_hacks": Format(
        "School of Reward Hacks", "transcripts", _fields("user school_of_reward_hacks"), read_reward_hacks
    ),
    "impossible_bench": Format(
        "ImpossibleBench", "prompts", _fields("task_id prompt test entry_point"), read_impossible_bench
    ),
    "geometry_of_truth": Format("Geometry of Truth", "statements", _fields("statement label"), read_geometry_of_truth),
    "apollo": Format("Apollo dialogues", "transcripts", _fields("rollouts"), read_apollo, write_apollo),
    "chat": Format("chats as JSON lines", "transcripts", _fields("messages"), read_chat, write_chat),
}
"""By name; those with more telling fields come first."""


def read_transcripts(path: str | Path, format: str | None = None) -> pd.DataFrame:
    """A file made elsewhere as a table of records, columns as in `interop.COLUMNS`.

    Args:
        path: the file.
        format: one of `FORMATS`; by default the first whose telling fields its first row has.

    Raises:
        ValueError: an unknown format, a file of none of them, or an error of the format's reader, which names row and
            field.
    """
    name = format or sniff_format(path)
    return records_table(_known(name).read(path))


def write_transcripts(table: pd.DataFrame, path: str | Path, format: str = "chat") -> Path:
    """Write a rollouts table, or one of `read_transcripts`, in another format.

    Raises ValueError for an unknown format, one that is only read, or a table of other columns.
    """
    writer = _known(format).write
    if writer is None:
        can = ", ".join(name for name, known in FORMATS.items() if known.write)
        raise ValueError(f"{format} files are read, not written: expected one of {can}")
    return writer(table_records(table), path)


def sniff_format(path: str | Path) -> str:
    """The name of the format that the file's first row looks like; raises ValueError where it is none's."""
    path = Path(path)
    if path.suffix.lower() == ".eval":
        return "inspect"
    if path.is_dir():
        return "rollouts"
    first: Any = None
    if path.suffix.lower() == ".json":
        first = read_json(path)
        if isinstance(first, list):
            first = first[0] if first else None
            if isinstance(first, list):
                return "apollo"
    else:
        first = next(itertools.islice(read_raw_rows(path), 1), None)
    has = set(first) if isinstance(first, dict) else set()
    for name, known in FORMATS.items():
        if known.fields <= has:
            return name
    found = f"a row with {cut(', '.join(map(str, first)))}" if has else shown(first)
    raise ValueError(f"{path}: {found} is of no known format: name one of {', '.join(FORMATS)}")


def _known(name: str) -> Format:
    if name not in FORMATS:
        raise ValueError(no_such("format", name, FORMATS))
    return FORMATS[name]
