"""The check of the statistics themselves: intervals that cover, tests that keep their level."""

from __future__ import annotations

import pandas as pd

from confesslens import figures
from confesslens.experiments.experiment import Drawn, Experiment, Work
from confesslens.faithfulness.study import SETTINGS, outside, run_study


def _coverage(work: Work) -> Drawn:
    draws, names = work.setting("draws"), work.setting("worlds")
    table = run_study(
        work.home / "coverage",
        draws,
        {name: SETTINGS[name] for name in names},
        progress=lambda done, total: work.progress("draws", done, total),
    )
    return Drawn(figures.coverage(table), {"coverage": table}, _says(table, draws))


def _says(table: pd.DataFrame, draws: int) -> str:
    off = outside(table)
    asked = table[table["kind"] != "comparison"]
    named = "; ".join(f"{r.setting}, {r.quantity} {100 * r.rate:.1f} %" for r in off.itertuples())
    beside = "; ".join(f"{r.setting} {100 * r.rate:.1f} %" for r in table[table["kind"] == "comparison"].itertuples())
    return (
        f"{draws} draws of each of {table['setting'].nunique()} settings; {int(asked['within'].sum())} of {len(asked)} "
        "rates are as asked (intervals 93-97 %, tests 4-6 %). "
        + (
            f"Outside by their own 95 % limits, looked at one by one, are {len(off)}: {named}."
            if len(off)
            else "None of the others is outside by its own 95 % limits."
        )
        + f" For comparison, the cluster-robust Wald test rejects in: {beside}."
    )


EXPERIMENTS = (
    Experiment(
        "coverage",
        "How often the 95 % intervals hold the truth and the tests at 5 % reject without reason, on simulated runs "
        "whose truth is known. No model is in it.",
        _coverage,
        {"quick": {}, "standard": {}},
        {"quick": {"draws": 25, "worlds": ["base"]}, "standard": {"draws": 2500, "worlds": list(SETTINGS)}},
        model_free=True,
    ),
)
