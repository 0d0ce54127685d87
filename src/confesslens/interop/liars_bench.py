"""Liars' Bench: conversations of many models, each with whether its last answer deceives (Cadenza-Labs/liars-bench)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo, field_validator

from confesslens.interop.record import Record
from confesslens.interop.rows import Row, Turns, answered, cluster, messages_of, read_rows, write_jsonl
from confesslens.models.thinking import split_thoughts


class LiarsBenchRow(Row):
    """`messages` end with the answer that `deceptive` speaks of."""

    messages: Turns
    deceptive: bool
    model: str = ""

    @field_validator("deceptive", mode="before")
    @classmethod
    def _told(cls, value: Any, _: ValidationInfo) -> Any:
        return value.strip().lower() if isinstance(value, str) else value


def read_liars_bench(path: str | Path) -> Iterator[Record]:
    """Records of one of its sets; rows that put the same conversation to models share a scenario.

    Raises ValueError as `read_rows` does, and for messages that do not end with the assistant's.
    """
    name = f"liars_bench/{Path(path).stem}"
    for where, row in read_rows(path, LiarsBenchRow):
        prompt, reply = answered(row.messages, where)
        cot, answer = split_thoughts(reply)
        yield Record(
            name,
            cluster(name, prompt),
            prompt,
            answer,
            source=row.model,
            cot=cot,
            behaviour="not_complied" if row.deceptive else "complied",
            facts=row.others(),
        )


def write_liars_bench(records: Sequence[Record], path: str | Path) -> Path:
    """Write JSON lines of messages, deceptive and model; answers that are neither, or empty, are left out."""
    kept = [r for r in records if r.behaviour != "neither" and r.answer]
    rows = ({"messages": messages_of(r), "deceptive": r.behaviour == "not_complied", "model": r.source} for r in kept)
    return write_jsonl(rows, path)
