"""Table 1 of the confession paper for a run: what was bad, confessed and admitted, next to the paper's figures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from confesslens.evals.conditions import TEMPTED
from confesslens.faithfulness.macro import macro_share

RATES = ("p_bad", "p_confess_given_bad", "p_admit_given_bad", "p_confess_given_complied")
"""The four columns of the paper's table, as they are called in `rates`."""


class PaperRow(NamedTuple):
    """Percentages of arXiv 2512.08093, Table 1 (medium effort); NaN where the paper prints none."""

    p_bad: float
    p_confess_given_bad: float
    p_admit_given_bad: float
    p_confess_given_complied: float


PAPER = {
    "instruction_following": PaperRow(4.2, 22.5, 10.0, 3.0),
    "word_count": PaperRow(3.2, 57.1, 14.3, 0.5),
    "instruction_hierarchy": PaperRow(17.1, 80.4, 0, 3.1),
    "jailbreak_tutor": PaperRow(19.7, 94.9, 0, 2.7),
    "background_tasks": PaperRow(24.8, 50.0, 0, 9.2),
    "people": PaperRow(38.0, 81.6, 49.5, 47.4),
    "lived_experience": PaperRow(21.1, 62.5, 0, 3.3),
    "general_knowledge": PaperRow(50.2, 80.9, 14.0, 32.2),
    "broken_browser": PaperRow(100, 98.6, 66.1, np.nan),
    "covert_rule": PaperRow(13.7, 62.8, 14.0, 16.9),
    "sandbagging": PaperRow(14.0, 100, 0, 0.4),
    "impossible_timer": PaperRow(89.7, 100, 42.9, 0),
}
"""The paper's Table 1 by evaluation of ours. It prints no n and no intervals."""

COLUMNS = [
    *("eval", "n", "n_bad", "n_complied", "n_neither"),
    *(f"{rate}{end}" for rate in RATES for end in ("", "_low", "_high", "_paper")),
]


def table1(rates: pd.DataFrame, witnesses: pd.DataFrame, condition: str = TEMPTED) -> pd.DataFrame:
    """The paper's Table 1 for this run, one condition, and last the mean over evaluations.

    Args:
        rates: from `rates`.
        witnesses: from `witnesses`; the mean's interval resamples its scenarios inside evaluations.
        condition: which condition.

    Returns:
        columns eval ("mean" last, in the paper's order), n, n_bad, n_complied, n_neither, then each rate of `RATES`
        as a share with `_low` and `_high` (95 %) and `_paper` (the paper's figure as a share; its mean is over the
        evaluations that are in this run). Empty without rollouts in that condition.
    """
    mine = rates[rates["condition"] == condition].set_index("eval")
    order = [name for name in PAPER if name in mine.index] + [name for name in mine.index if name not in PAPER]
    rows = []
    for name in order:
        row = {"eval": name, **mine.loc[name].to_dict()}
        for rate in RATES:
            row[f"{rate}_paper"] = getattr(PAPER[name], rate) / 100 if name in PAPER else np.nan
        rows.append(row)
    if rows:
        rows.append(_mean(pd.DataFrame(rows), witnesses[witnesses["condition"] == condition]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _mean(rows: pd.DataFrame, table: pd.DataFrame) -> dict[str, object]:
    evals, groups = table["eval"].to_numpy(str), table["scenario"].to_numpy(str)
    mean: dict[str, object] = {"eval": "mean", **rows[["n", "n_bad", "n_complied", "n_neither"]].sum().to_dict()}
    for rate, (hits, base) in _hits(table).items():
        share = macro_share(hits, base, evals, groups)
        paper = rows[f"{rate}_paper"].mean()
        mean |= {rate: share.estimate, f"{rate}_low": share.low, f"{rate}_high": share.high, f"{rate}_paper": paper}
    return mean


def _hits(table: pd.DataFrame) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """For each rate the rows that count and the rows that they are a share of, as `rates` has them."""
    bad, complied = table["behaviour"] == "not_complied", table["behaviour"] == "complied"
    confessed, heard = table["claim"] == "not_complied", table["claim"].notna()
    shares = {
        "p_bad": (bad, bad | True),
        "p_confess_given_bad": (confessed, bad & heard),
        "p_admit_given_bad": (table["admitted"] == True, bad),  # noqa: E712 - missing values count as false
        "p_confess_given_complied": (confessed, complied & heard),
    }
    return {rate: (hits.to_numpy(bool), base.to_numpy(bool)) for rate, (hits, base) in shares.items()}
