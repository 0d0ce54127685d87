"""What every reader gives and every writer takes: one record a transcript, a prompt or a statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from confesslens.evals.evaluation import BEHAVIOURS, Message

COLUMNS = ("eval", "scenario", "condition", "source", "messages", "cot", "answer", "behaviour", "facts")
"""The columns of a table of records; `messages` and `facts` are JSON."""


@dataclass(frozen=True)
class Record:
    """One row of a file made elsewhere, in our words.

    Attributes:
        eval: the data set, or its part that is an evaluation of its own.
        scenario: the cluster for splits: what the file says of one item under several conditions shares it.
        condition: how it is put, in the file's own words where it has such.
        source: the model that answered, as far as the file says.
        messages: the conversation up to the answer; empty for a bare statement.
        cot: the chain of thought, where it is told apart from the answer.
        answer: what was answered, or the statement; empty where the file holds prompts only.
        behaviour: one of BEHAVIOURS; "neither" where the file does not tell.
        facts: all else that the row holds, JSON-able.
    """

    eval: str
    scenario: str
    messages: tuple[Message, ...] = ()
    answer: str = ""
    condition: str = "given"
    source: str = ""
    cot: str = ""
    behaviour: str = "neither"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.behaviour not in BEHAVIOURS:
            raise ValueError(f"behaviour {self.behaviour!r}: expected one of {', '.join(BEHAVIOURS)}")


def records_table(records: Iterable[Record]) -> pd.DataFrame:
    """A table of records, columns as in `COLUMNS`."""
    rows = [
        asdict(record)
        | {
            "messages": json.dumps(list(record.messages), ensure_ascii=False),
            "facts": json.dumps(dict(record.facts), ensure_ascii=False, default=str),
        }
        for record in records
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def table_records(table: pd.DataFrame) -> list[Record]:
    """The records of a table: of ours, or a rollouts table, whose model is the source.

    Raises ValueError naming the columns that are missing.
    """
    if missing := [name for name in COLUMNS if name not in table and name != "source"]:
        raise ValueError(f"the table lacks {', '.join(missing)}: expected a rollouts table or one of read_transcripts")
    return [
        Record(
            row["eval"],
            row["scenario"],
            tuple(json.loads(row["messages"])),
            row["answer"],
            row["condition"],
            row.get("source", row.get("model", "")),
            row["cot"] or "",
            row["behaviour"],
            json.loads(row["facts"] or "{}"),
        )
        for row in table.to_dict("records")
    ]
