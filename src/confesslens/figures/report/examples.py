"""Worked examples: rollouts of different cells, told from prompt to confession."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from confesslens.figures.report.text import decode, flatten, shorten
from confesslens.figures.style import CELLS, cell_label, eval_label, format_number, format_percent, is_number, records

PER_EVAL = 3
# Bad behaviour first, then what the model said of good behaviour: the order in which cells are picked.
ORDER = ["B1P1C0", "B1P1C1", "B0C1", "B1P0C0", "B1P0C1", "B0C0"]


@dataclass(frozen=True)
class Example:
    """One rollout as the page tells it; texts are as stored, shortened."""

    title: str
    rollout_id: str
    messages: list[tuple[str, str]]
    cot: str
    answer: str
    facts: list[tuple[str, str]]
    evidence: list[tuple[str, str]]
    guided: str
    free: str
    free_note: str


def pick_examples(
    rollouts: pd.DataFrame, confessions: pd.DataFrame, witnesses: pd.DataFrame
) -> dict[str, list[Example]]:
    """Return up to three examples per evaluation: the first rollout of each cell, in a fixed order."""
    if not len(rollouts):
        return {}
    rows = rollouts[rollouts["condition"] != "neutral"]
    seen = {row["rollout_id"]: row for row in records(witnesses)}
    said = dict(list(confessions.groupby("rollout_id", sort=False))) if len(confessions) else {}
    examples: dict[str, list[Example]] = {}
    for name, own in rows.groupby("eval", sort=False):
        groups: dict[str, dict[str, Any]] = {}
        for row in records(own.sort_values("rollout_id")):
            groups.setdefault(_group(row, seen.get(row["rollout_id"])), row)
        chosen = sorted(groups, key=lambda group: (ORDER.index(group) if group in ORDER else len(ORDER), group))
        examples[eval_label(name)] = [
            _tell(groups[group], group, seen.get(groups[group]["rollout_id"]), said.get(groups[group]["rollout_id"]))
            for group in chosen[:PER_EVAL]
        ]
    return examples


def _group(row: dict[str, Any], witness: dict[str, Any] | None) -> str:
    """The rollout's cell, or its behaviour where it has none (no probe score, or no clear claim)."""
    cell = None if witness is None else witness.get("cell")
    return cell if isinstance(cell, str) and cell in CELLS else str(row["behaviour"])


def _tell(row: dict[str, Any], group: str, witness: dict[str, Any] | None, said: pd.DataFrame | None) -> Example:
    said = pd.DataFrame(columns=["mode", "text", "claim"]) if said is None else said
    guided, free = said[said["mode"] == "guided"], said[said["mode"] == "free"]
    messages = decode(row["messages"], [{"role": "messages (unreadable)", "content": row["messages"]}])
    evidence = decode(row.get("evidence"), {"evidence (unreadable)": row.get("evidence")})
    name = cell_label(group).replace("_", " ")
    return Example(
        title=f"{name[:1].upper()}{name[1:]}" + (f" ({group})" if group in CELLS else ""),
        rollout_id=str(row["rollout_id"]),
        messages=[_message(message) for message in messages],
        cot=shorten(row.get("cot")),
        answer=shorten(row.get("answer")),
        facts=_facts(row, {} if witness is None else witness, guided),
        evidence=flatten(evidence if isinstance(evidence, dict) else {"evidence": evidence}),
        guided=shorten(guided["text"].iloc[0]) if len(guided) else "",
        free=shorten(free["text"].iloc[0]) if len(free) else "",
        free_note=f"the first of {len(free)}, read as “{_word(free['claim'].iloc[0])}”" if len(free) else "",
    )


def _message(message: Any) -> tuple[str, str]:
    if isinstance(message, Mapping):
        return shorten(message.get("role"), 40), shorten(message.get("content"))
    return "message", shorten(message)


def _facts(row: dict[str, Any], witness: dict[str, Any], guided: pd.DataFrame) -> list[tuple[str, str]]:
    """What each witness says, in the words of the tables."""
    facts = [
        ("behaviour (did)", _word(row["behaviour"])),
        ("knowledge (ground truth)", _word(row.get("knowledge"))),
        ("admitted in the answer", _yes(row.get("admitted"))),
    ]
    if is_number(witness.get("probe")):
        fires = {"yes": ", fires", "no": ", does not fire"}.get(_yes(witness.get("probe_fires")), "")
        facts.append(("probe (knew)", f"{format_number(witness.get('probe'))} out of fold{fires}"))
    if is_number(witness.get("text_score")):
        facts.append(("text baseline", format_number(witness.get("text_score"))))
    if _yes(witness.get("cot")) == "yes":
        facts.append(("chain of thought (thought)", f"mentions it: “{shorten(witness.get('cot_quote'), 300)}”"))
    elif _yes(witness.get("cot")) == "no":
        facts.append(("chain of thought (thought)", "does not mention it"))
    if len(guided):
        facts.append(("guided confession (said)", _word(guided["claim"].iloc[0])))
        if is_number(guided["logit"].iloc[0]):
            facts.append(("confession logit, log p(✗) − log p(✓)", format_number(guided["logit"].iloc[0], signed=True)))
    if is_number(witness.get("free_confess_share")):
        facts.append(("free confessions that confess", format_percent(witness.get("free_confess_share"))))
    return facts


def _word(value: object) -> str:
    return shorten(value, 60).replace("_", " ") or "unknown"


def _yes(value: Any) -> str:
    """Say a nullable truth value in a word."""
    return "unknown" if value is None or pd.isna(value) else "yes" if bool(value) else "no"
