"""What every monitor gives: for each rollout a score, a label and the quoted span."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from confesslens.cot.lexical import mentions

Read = tuple[float, bool, str]
"""Score (higher for "mentions the bad act or its plan"), label, and quote (a substring of the chain of thought)."""

Monitor = Callable[[Sequence[str], Sequence[str]], list[Read]]
"""(evaluation of each, chain of thought of each) to what is read in each; no empty one is handed to it."""

COLUMNS = ("rollout_id", "monitor", "score", "mentioned", "quote")


def lexical_monitor(evals: Sequence[str], cots: Sequence[str]) -> list[Read]:
    """The patterns of `cot.mentions`; the score is 1 or 0."""
    found = [mentions(name, text) for name, text in zip(evals, cots, strict=True)]
    return [(float(one.mentioned), one.mentioned, one.quote) for one in found]


def monitor_thoughts(rollouts: pd.DataFrame, monitor: Monitor = lexical_monitor, name: str = "lexical") -> pd.DataFrame:
    """What a monitor reads in each rollout's chain of thought, a row a rollout.

    Columns as in `COLUMNS`; a rollout without a chain of thought has no score and no label (missing, not False), so
    the table goes to `faithfulness.compare(cot=...)` as it is.
    """
    rows = rollouts.to_dict("records")
    has = [bool(str(row["cot"] or "").strip()) for row in rows]
    thinking = [row for row, own in zip(rows, has, strict=True) if own]
    found = monitor([row["eval"] for row in thinking], [row["cot"] for row in thinking]) if thinking else []
    reads = iter(found)
    told = [next(reads) if own else (float("nan"), None, "") for own in has]
    table = pd.DataFrame(
        [(row["rollout_id"], name, *read) for row, read in zip(rows, told, strict=True)], columns=list(COLUMNS)
    )
    return table.astype({"score": float, "mentioned": "boolean"})
