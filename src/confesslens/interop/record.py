"""What every reader gives and every writer takes: one record a transcript, a prompt or a statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from confesslens.closest import one_line, shown
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
            raise ValueError(f"behaviour {shown(self.behaviour)}: expected one of {', '.join(BEHAVIOURS)}")


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

    Raises ValueError naming the columns that are missing, or the row and field that does not fit.
    """
    if missing := [name for name in COLUMNS if name not in table and name != "source"]:
        raise ValueError(f"the table lacks {', '.join(missing)}: expected a rollouts table or one of read_transcripts")
    return [_record(row, f"row {number} of the table") for number, row in enumerate(table.to_dict("records"), 1)]


def _record(row: Mapping[Any, Any], where: str) -> Record:
    source = row.get("source", row.get("model", ""))
    texts = {"source": source} | {name: row[name] for name in ("eval", "scenario", "condition", "answer")}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise ValueError(f"{where}, field {name}: expected text, found {shown(value)}")
    turns, facts = _json(row["messages"], "messages", where, list), _json(row["facts"] or "{}", "facts", where, dict)
    for turn in turns:
        if not isinstance(turn, dict) or not all(isinstance(turn.get(name), str) for name in ("role", "content")):
            raise ValueError(f"{where}, field messages: expected a list of role and content, found {shown(turn)}")
    cot, behaviour = row["cot"] or "", str(row["behaviour"])
    if not isinstance(cot, str):
        raise ValueError(f"{where}, field cot: expected text, found {shown(cot)}")
    try:
        return Record(**texts, messages=tuple(turns), cot=cot, behaviour=behaviour, facts=facts)
    except ValueError as error:
        raise ValueError(f"{where}, field behaviour: {error}") from None


def _json(text: Any, name: str, where: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{where}, field {name}: expected JSON ({one_line(error)}), found {shown(text)}") from None
    if not isinstance(value, kind):
        raise ValueError(f"{where}, field {name}: expected the JSON of a {kind.__name__}, found {shown(value)}")
    return value
