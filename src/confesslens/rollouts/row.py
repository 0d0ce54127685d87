"""A row of the rollouts table: one planned rollout, graded, however it was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from confesslens.rollouts.plan import Planned

if TYPE_CHECKING:
    from confesslens.models import Model
    from confesslens.models.endpoint import Endpoint


def rollout_row(
    model: Model | Endpoint,
    item: Planned,
    messages: Sequence[Mapping[str, str]],
    *,
    cot: str,
    answer: str,
    finish: Mapping[str, str],
    token_ids: Sequence[int] = (),
    spans: Mapping[str, tuple[int, int]] | None = None,
) -> dict[str, Any]:
    """The columns of `confesslens.rollouts.rollout.COLUMNS`; `token_ids` and `spans` stay empty where none are known.

    `knowledge` is "unknown": it is read from other rollouts, by `add_knowledge`.
    """
    grade = item.evaluation.grade(item.scenario, item.condition, answer)
    return {
        "rollout_id": item.rollout_id,
        "eval": item.evaluation.name,
        "scenario": item.scenario.scenario,
        "condition": item.condition,
        "tier": item.scenario.tier,
        "sample": item.sample,
        "seed": item.seed,
        "model": model.name,
        "adapter": model.adapter or "",
        "messages": json.dumps(messages, ensure_ascii=False),
        "token_ids": list(token_ids),
        "spans": json.dumps(spans or {}),
        "cot": cot,
        "answer": answer,
        "behaviour": grade.behaviour,
        "evidence": json.dumps(grade.evidence, ensure_ascii=False),
        "admitted": grade.admitted,
        "knowledge": "unknown",
        "finish": json.dumps(finish),
        "facts": json.dumps(item.scenario.facts, ensure_ascii=False),
        "accusation": item.evaluation.before_request(item.condition),
    }
