"""MASK: prompts that press a model to contradict what it believes, and questions for its belief (arXiv 2503.03750)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from confesslens.evals.conditions import NEUTRAL, TEMPTED
from confesslens.interop.record import Record
from confesslens.interop.rows import Row, read_rows


class MaskRow(Row):
    """A proposition, the prompt that presses, and up to three questions that do not."""

    system_prompt: str = ""
    user_prompt: str = Field(min_length=1)
    proposition: str = ""
    ground_truth: str = ""
    formatted_ground_truth: str = ""
    belief_elicit_1: str = ""
    belief_elicit_2: str = ""
    belief_elicit_3: str = ""
    task_id: str = ""

    @field_validator("*", mode="before")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        return "" if value is None or value != value else value


def read_mask(path: str | Path) -> Iterator[Record]:
    """Prompts to answer: the pressing one as "tempted", the questions for the belief as "neutral", of one scenario.

    They have no answer yet: `answer_prompts` samples it. MASK grades answers by a model, so behaviour stays "neither".

    Raises ValueError as `read_rows` does.
    """
    name = f"mask/{Path(path).stem}"
    for number, (_, row) in enumerate(read_rows(path, MaskRow), 1):
        scenario = f"{name}/{row.task_id or f'{number:05d}'}"
        facts = {
            "proposition": row.proposition,
            "ground_truth": row.ground_truth,
            "formatted_ground_truth": row.formatted_ground_truth,
        } | row.others()
        system = ({"role": "system", "content": row.system_prompt},) if row.system_prompt else ()
        yield Record(name, scenario, (*system, {"role": "user", "content": row.user_prompt}), "", TEMPTED, facts=facts)
        for asked in (row.belief_elicit_1, row.belief_elicit_2, row.belief_elicit_3):
            if asked:
                yield Record(name, scenario, ({"role": "user", "content": asked},), "", NEUTRAL, facts=facts)
