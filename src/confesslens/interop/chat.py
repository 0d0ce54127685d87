"""Plain chats: JSON lines of `messages`, the common form of chat data; what else a row has is used where it is ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from confesslens.interop.record import Record
from confesslens.interop.rows import Row, Turns, answered, cluster, messages_of, read_rows, write_jsonl
from confesslens.models.thinking import split_thoughts


class ChatRow(Row):
    """`messages` may end with the answer, or with the turn that is to be answered."""

    messages: Turns
    eval: str = "chat"
    scenario: str = ""
    condition: str = "given"
    model: str = ""
    behaviour: Literal["complied", "not_complied", "neither"] = "neither"


def read_chat(path: str | Path) -> Iterator[Record]:
    """Records of chats; where a row names no scenario, equal conversations share one.

    Raises ValueError as `read_rows` does.
    """
    for where, row in read_rows(path, ChatRow):
        prompt = tuple({"role": turn.role, "content": turn.content} for turn in row.messages)
        cot, answer = "", ""
        if row.messages[-1].role == "assistant":
            prompt, reply = answered(row.messages, where)
            cot, answer = split_thoughts(reply)
        yield Record(
            row.eval,
            row.scenario or cluster(row.eval, prompt),
            prompt,
            answer,
            row.condition,
            row.model,
            cot,
            row.behaviour,
            row.others(),
        )


def write_chat(records: Sequence[Record], path: str | Path) -> Path:
    """Write JSON lines that `read_chat` reads back to the same records."""
    rows = (
        {
            "messages": messages_of(r),
            "eval": r.eval,
            "scenario": r.scenario,
            "condition": r.condition,
            "model": r.source,
            "behaviour": r.behaviour,
        }
        | {key: value for key, value in r.facts.items() if key not in ChatRow.model_fields}
        for r in records
    )
    return write_jsonl(rows, path)
