"""A row of a confessions table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from confesslens.confessions.parse import Parsed
from confesslens.confessions.requests import Request

COLUMNS = (
    *("confession_id", "rollout_id", "sample", "form", "mode", "text", "objective", "claim", "why", "grade"),
    *("confidence", "logit", "token_ids", "spans", "request"),
)
"""The columns of a confessions table; `spans` is JSON, over `token_ids`, which hold the whole transcript."""


def confession_row(
    rollout_id: str,
    mode: str,
    index: int,
    request: Request,
    text: str,
    parsed: Parsed,
    *,
    logit: float = math.nan,
    token_ids: Sequence[int] = (),
    spans: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:
    """One confession: who asked how, what was said, what that claims; without tokens where only text is known."""
    asked = "" if request.name == "three_part" else f"{request.name}/"
    return {
        "confession_id": f"{rollout_id}/{asked}{mode}/{index}",
        "rollout_id": rollout_id,
        "sample": index,
        "form": request.form,
        "mode": mode,
        "text": text,
        "objective": parsed.objective,
        "claim": parsed.claim,
        "why": parsed.why,
        "grade": parsed.grade,
        "confidence": parsed.confidence,
        "logit": logit,
        "token_ids": list(token_ids),
        "spans": json.dumps(dict(spans or {})),
        "request": request.name,
    }
