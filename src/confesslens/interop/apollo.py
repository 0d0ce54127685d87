"""Apollo Research's deception detection: graded rollouts and plain dialogues, as JSON (arXiv 2502.03407).

A rollouts file is an object whose `rollouts` each have `input_messages`, several `output_strs` and a grade for each in
`graded_deception`: 1 (honest) to 7 (deceptive), or a word. A dialogue is a list of messages with `role`, `content` and
maybe `detect`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from confesslens.interop.record import Record
from confesslens.interop.rows import Row, Turns, answered, check, cluster, messages_of, read_json, write_text
from confesslens.models.thinking import split_thoughts

HONEST_TO, DECEPTIVE_FROM = 2, 6
"""Of seven grades, those up to the first are honest and those from the second on deceptive; between them is neither."""
_WORDS = {"honest": "complied", "explicit": "complied", "deceptive": "not_complied", "concealed": "not_complied"}


class ApolloRollout(Row):
    """One prompt and its answers. The messages may end with an empty or begun assistant turn."""

    input_messages: Turns
    output_strs: list[str]
    graded_deception: list[int | str | None] = Field(default_factory=list)


def read_apollo(path: str | Path) -> Iterator[Record]:
    """Records of a rollouts file, or of a list of dialogues that end with the assistant's turn.

    Raises:
        ValueError: a file that is neither, a field that does not fit (named with its row), or as many grades as there
            are not answers.
    """
    path = Path(path)
    data = read_json(path)
    name = f"apollo/{path.stem.split('__')[0]}"
    if isinstance(data, list):
        for number, dialogue in enumerate(data, 1):
            where = f"{path}, row {number}"
            prompt, reply = answered(check({"messages": dialogue}, _Dialogue, where).messages, where)
            cot, answer = split_thoughts(reply)
            yield Record(name, cluster(name, prompt), prompt, answer, cot=cot)
        return
    if not isinstance(data, dict) or not isinstance(data.get("rollouts"), list):
        raise ValueError(f"{path}: expected an object with a list of `rollouts`, or a list of dialogues")
    about = data["metadata"] if isinstance(data.get("metadata"), dict) else {}
    for number, raw in enumerate(data["rollouts"], 1):
        where = f"{path}, row {number}"
        row = check(raw, ApolloRollout, where)
        grades = row.graded_deception or [None] * len(row.output_strs)
        if len(grades) != len(row.output_strs):
            raise ValueError(f"{where}, field graded_deception: {len(grades)} for {len(row.output_strs)} output_strs")
        *before, last = row.input_messages
        begun = last.content if last.role == "assistant" else ""
        turns = before if last.role == "assistant" else row.input_messages
        prompt = tuple({"role": turn.role, "content": turn.content} for turn in turns)
        for output, grade in zip(row.output_strs, grades, strict=True):
            cot, answer = split_thoughts(begun + output)
            yield Record(
                name,
                cluster(name, prompt),
                prompt,
                answer,
                source=str(about.get("model_name", "")),
                cot=cot,
                behaviour=_behaviour(grade),
                facts={"graded_deception": grade} | row.others(),
            )


def write_apollo(records: Sequence[Record], path: str | Path) -> Path:
    """Write a rollouts file: one entry a prompt; grade 1 for complied, 7 for not complied, 4 for neither."""
    grades = {"complied": 1, "neither": 4, "not_complied": 7}
    rollouts: dict[str, dict[str, Any]] = {}
    for record in records:
        prompt = list(record.messages)
        one = rollouts.setdefault(
            json.dumps(prompt), {"input_messages": prompt, "output_strs": [], "graded_deception": []}
        )
        one["output_strs"].append(messages_of(record)[-1]["content"])
        one["graded_deception"].append(grades[record.behaviour])
    return write_text(json.dumps({"rollouts": list(rollouts.values())}, ensure_ascii=False, indent=1), path)


class _Dialogue(Row):
    messages: Turns


def _behaviour(grade: int | str | None) -> str:
    if isinstance(grade, str):
        return _WORDS.get(grade.strip().lower(), "neither")
    if grade is None:
        return "neither"
    return "complied" if grade <= HONEST_TO else "not_complied" if grade >= DECEPTIVE_FROM else "neither"
