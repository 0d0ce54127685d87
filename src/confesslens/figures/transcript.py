"""One rollout as it reads, with its confessions: coloured parts in a notebook, plain text elsewhere."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from confesslens.figures.report.text import decode, shorten, visible
from confesslens.figures.style import is_number

_SHADES = {
    "asked": "#F2F2F2",
    "thought": "#E3EEF7",
    "answered": "#FFF3DC",
    "confession": "#E6F3EC",
}


@dataclass(frozen=True)
class Transcript:
    """The parts of a rollout in the order in which they came.

    Attributes:
        title: which rollout, how it was graded and why.
        parts: (kind, heading, text); kind is asked, thought, answered or confession.
    """

    title: str
    parts: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        return "\n\n".join([self.title, *(f"[{heading}]\n{visible(text)}" for _, heading, text in self.parts)])

    def _repr_html_(self) -> str:
        blocks = "".join(
            f'<section style="background:{_SHADES[kind]};margin:.3em 0;padding:.4em .7em;border-radius:4px">'
            f'<div style="font-size:80%;font-weight:bold">{html.escape(heading)}</div>'
            '<div style="white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate">'
            f"{html.escape(visible(text))}</div></section>"
            for kind, heading, text in self.parts
        )
        caption = f'<figcaption style="font-size:85%">{html.escape(visible(self.title))}</figcaption>'
        style = "margin:0;max-width:60em;color:#000;background:#fff;padding:.5em"
        return f'<figure style="{style}">{caption}{blocks}</figure>'


def transcript(rollout: Mapping[str, Any] | pd.Series, confessions: pd.DataFrame | None = None) -> Transcript:
    """A row of a rollouts table for reading, with its own confessions from a confessions table.

    Raises:
        ValueError: the row lacks a column.
    """
    row = dict(rollout)
    if missing := [name for name in ("rollout_id", "messages", "cot", "answer", "behaviour") if name not in row]:
        raise ValueError(f"the rollout lacks {', '.join(missing)}: expected a row of a rollouts table")
    grade = f"graded {row['behaviour']}, knowledge {row.get('knowledge', 'unknown')}"
    evidence = decode(row.get("evidence"), {})
    why = f" ({json.dumps(evidence, ensure_ascii=False)})" if evidence else ""
    parts = [
        ("asked", str(message.get("role", "")), shorten(message.get("content")))
        for message in decode(row["messages"], [])
    ]
    if row["cot"]:
        parts.append(("thought", "chain of thought", shorten(row["cot"])))
    parts.append(("answered", "answer", shorten(row["answer"])))
    if row.get("accusation"):
        parts.append(("asked", "accusation", shorten(row["accusation"])))
    if confessions is not None:
        for said in confessions[confessions["rollout_id"] == row["rollout_id"]].to_dict("records"):
            logit = f", logit {said['logit']:+.2f}" if is_number(said.get("logit")) else ""
            parts.append(("confession", f"confession ({said['mode']}): {said['claim']}{logit}", shorten(said["text"])))
    return Transcript(f"{row['rollout_id']}: {grade}{shorten(why, 400)}", tuple(parts))
