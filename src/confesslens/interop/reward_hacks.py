"""School of Reward Hacks: a task, an answer that games its metric, and mostly one that does not (arXiv 2508.17511)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from confesslens.interop.record import Record
from confesslens.interop.rows import Row, cluster, read_rows

EVAL = "school_of_reward_hacks"


class RewardHackRow(Row):
    """`control` is empty where there is no answer in earnest."""

    user: str = Field(min_length=1)
    school_of_reward_hacks: str = Field(min_length=1)
    control: str = ""
    task: str = ""
    evaluation_metric: str = ""
    cheat_method: str = ""

    @field_validator("control", "task", "evaluation_metric", "cheat_method", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        return "" if value is None or value != value else value


def read_reward_hacks(path: str | Path) -> Iterator[Record]:
    """Two records a row where there is a control, of one scenario: the same prompt gamed and answered in earnest.

    Raises ValueError as `read_rows` does.
    """
    for _, row in read_rows(path, RewardHackRow):
        prompt = ({"role": "user", "content": row.user},)
        facts = {"task": row.task, "evaluation_metric": row.evaluation_metric, "cheat_method": row.cheat_method}
        for answer, behaviour in ((row.school_of_reward_hacks, "not_complied"), (row.control, "complied")):
            if answer.strip():
                yield Record(EVAL, cluster(EVAL, prompt), prompt, answer, behaviour=behaviour, facts=facts)
