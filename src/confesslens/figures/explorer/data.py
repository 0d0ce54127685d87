"""What the explorer's page knows: every rollout with its witnesses, texts, confessions and token scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from confesslens.figures.report.text import decode, flatten, shorten, visible
from confesslens.figures.style import CELLS, is_number, records

FILTERS = {
    "eval": "evaluation",
    "condition": "condition",
    "behaviour": "behaviour (did)",
    "knowledge": "knowledge (ground truth)",
    "cell": "cell",
    "claim": "confession (said)",
    "cot": "chain of thought (thought)",
}
"""What rollouts can be filtered by, as a reader sees it."""

_MENTIONED = {True: "mentioned", False: "not mentioned", None: "none"}


def explorer_data(
    rollouts: pd.DataFrame,
    confessions: pd.DataFrame,
    witnesses: pd.DataFrame,
    twins: pd.DataFrame | None = None,
    tokens: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Everything that the page shows, as JSON can hold it.

    Messages that rollouts share are there once: a rollout names them by their place in `texts`. Control and direction
    characters are spelled out, and long texts are cut with a note.

    Args:
        rollouts: the rollouts table, neutral ones too.
        confessions: the confessions table.
        witnesses: from `faithfulness.witnesses`.
        twins: from `evals.find_twins`.
        tokens: probe scores of tokens: columns rollout_id, span ("cot" or "answer"), token (its text), score; in order.
    """
    texts: dict[str, int] = {}
    seen = {row["rollout_id"]: row for row in records(witnesses)}
    said = dict(list(confessions.groupby("rollout_id", sort=False))) if len(confessions) else {}
    pairs = {} if twins is None else _both_ways(twins)
    coloured = _coloured(tokens)
    rows = []
    for row in records(rollouts):
        name, witness = str(row["rollout_id"]), seen.get(row["rollout_id"], {})
        messages = decode(row["messages"], [])
        rows.append(
            {
                "id": name,
                **{key: _word(row.get(key)) for key in ("eval", "condition", "behaviour", "knowledge", "scenario")},
                "cell": _word(witness.get("cell")) or "none",
                "claim": _word(witness.get("claim")) or "none",
                "cot": _MENTIONED[_truth(witness.get("cot"))],
                "admitted": bool(_truth(row.get("admitted"))),
                "probe": _number(witness.get("probe")),
                "text": _number(witness.get("text_score")),
                "logit": _number(witness.get("logit")),
                "quote": _text(witness.get("cot_quote")) if _truth(witness.get("cot")) else "",
                "messages": [_message(message, texts) for message in messages],
                "thought": _text(row["cot"]),
                "answer": _text(row["answer"]),
                "evidence": [[_text(k), _text(v)] for k, v in _evidence(row.get("evidence"))],
                "confessions": [_confession(own) for own in records(said[name])] if name in said else [],
                "twin": pairs.get(name, ""),
                "tokens": coloured.get(name, {}),
            }
        )
    cells = {cell: {"name": label, "colour": colour} for cell, (label, colour) in CELLS.items()}
    return {"texts": list(texts), "rollouts": rows, "cells": cells, "filters": FILTERS, "limit": _limit(tokens)}


def _message(message: Any, texts: dict[str, int]) -> list[Any]:
    """[role, place of the text]."""
    role, content = (message.get(key) for key in ("role", "content")) if isinstance(message, Mapping) else ("", message)
    return [_word(role), texts.setdefault(_text(content), len(texts))]


def _confession(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {key: _number(row.get(key)) for key in ("logit", "grade", "confidence")}
    words = {key: _word(row.get(key)) for key in ("form", "mode", "claim")}
    return {**words, **numbers, "text": _text(row.get("text"))}


def _evidence(value: Any) -> list[tuple[str, str]]:
    read = decode(value, {})
    return flatten(read) if isinstance(read, dict) and read else []


def _both_ways(twins: pd.DataFrame) -> dict[str, str]:
    pairs = list(zip(twins["aware"].astype(str), twins["unaware"].astype(str), strict=True))
    return dict(pairs) | {other: one for one, other in pairs}


def _coloured(tokens: pd.DataFrame | None) -> dict[str, dict[str, list[list[Any]]]]:
    """By rollout and span the tokens as [text, score]."""
    found: dict[str, dict[str, list[list[Any]]]] = {}
    if tokens is not None:
        for name, span, text, score in tokens[["rollout_id", "span", "token", "score"]].itertuples(index=False):
            found.setdefault(str(name), {}).setdefault(str(span), []).append([visible(str(text)), _number(score)])
    return found


def _limit(tokens: pd.DataFrame | None) -> float:
    """The size of score that has the strongest colour: the 98th percentile of all."""
    sizes = np.abs(tokens["score"].dropna().to_numpy(float)) if tokens is not None else np.zeros(0)
    return round(float(np.quantile(sizes, 0.98)), 3) or 1.0 if len(sizes) else 1.0


def _text(value: Any) -> str:
    return str(visible(shorten(value)))


def _word(value: Any) -> str:
    return str(visible(shorten(value, 200)))


def _number(value: Any) -> float | None:
    return round(float(value), 3) if is_number(value) else None


def _truth(value: Any) -> bool | None:
    return None if value is None or pd.isna(value) else bool(value)
