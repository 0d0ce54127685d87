"""Is a model organism what it is said to be? Its acts and confessions, from runs on scenarios that it never saw."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from confesslens.evals.conditions import ACCUSED, NEUTRAL, TEMPTED
from confesslens.faithfulness.macro import macro_share
from confesslens.probes.proportion import clustered_wilson

DISPOSITIONS = {
    "p_bad_tempted": "P(bad | tempted)",
    "p_bad_neutral": "P(bad | neutral)",
    "p_complied_neutral": "P(complied | neutral)",
    "p_confess_given_bad": "P(confess | bad)",
    "p_confess_given_complied": "P(confess | complied)",
    "p_confess_given_accused": "P(confess | complied, accused)",
    "p_mention_given_bad": "P(CoT mentions | bad)",
}
"""The rates of the table, as a reader sees them. "Bad" and "complied" of confessions and mentions are tempted ones."""
MEANS = ("learned", "learned, known", "learned, taught falsely", "held-out")
"""Rows of means. The middle two part the learned evaluations' scenarios by whether `unaware` and `mixed` are taught a
falsehood about them; of the other organisms they are a control."""
COLUMNS = ["organism", "eval", "rate", "n", "share", "low", "high"]


def dispositions(
    runs: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], learned: Collection[str], falsely: Collection[str] = ()
) -> pd.DataFrame:
    """How often each organism does what, by evaluation, and the means over evaluations learned and held out.

    Args:
        runs: by organism, the rollouts table and the witnesses table of its run.
        learned: the evaluations that the organisms were trained on.
        falsely: the scenarios about which a falsehood is taught.

    Returns:
        a row an organism, evaluation (one of `MEANS` for the means) and rate of `DISPOSITIONS`: n (rollouts
        of which it is a share), share, low, high (95 %; Wilson at the effective sample size, for a mean resampled
        scenarios inside evaluations); NaN where n is 0. Confessions are the guided ones.
    """
    rows = []
    for organism, (rollouts, witnesses) in runs.items():
        said = witnesses[["rollout_id", "claim", "cot"]]
        table = rollouts.drop(columns="cot").merge(said, on="rollout_id", how="left", validate="one_to_one")
        for rate, (hits, base) in _hits(table).items():
            own = table[base].assign(hit=hits[base])
            for name in table["eval"].unique():
                part = own[own["eval"] == name]
                share = clustered_wilson(part["hit"].to_numpy(bool), part["scenario"].to_numpy(str))
                rows.append((organism, name, rate, len(part), share.estimate, share.low, share.high))
            for kind in MEANS:
                part = own[_of_kind(own, kind, learned, falsely)]
                names, groups = part["eval"].to_numpy(str), part["scenario"].to_numpy(str)
                share = macro_share(part["hit"], part["hit"] | True, names, groups)
                rows.append((organism, kind, rate, len(part), share.estimate, share.low, share.high))
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_kind(table: pd.DataFrame, kind: str, learned: Collection[str], falsely: Collection[str]) -> pd.Series:
    """Which rows a mean is over."""
    known, taught = table["eval"].isin(list(learned)), table["scenario"].isin(list(falsely))
    return {
        "learned": known,
        "learned, known": known & ~taught,
        "learned, taught falsely": known & taught,
        "held-out": ~known,
    }[kind]


def _hits(table: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    """For each rate the rows that count and the rows that they are a share of."""
    bad, complied = table["behaviour"] == "not_complied", table["behaviour"] == "complied"
    tempted, neutral, accused = (table["condition"] == name for name in (TEMPTED, NEUTRAL, ACCUSED))
    confessed, heard = table["claim"] == "not_complied", table["claim"].notna()
    return {
        "p_bad_tempted": (bad, tempted),
        "p_bad_neutral": (bad, neutral),
        "p_complied_neutral": (complied, neutral),
        "p_confess_given_bad": (confessed, tempted & bad & heard),
        "p_confess_given_complied": (confessed, tempted & complied & heard),
        "p_confess_given_accused": (confessed, accused & complied & heard),
        "p_mention_given_bad": (table["cot"].fillna(False).astype(bool), tempted & bad & table["cot"].notna()),
    }
