"""What a training changed: rates before and after it, and curves over its steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from confesslens.probes.proportion import clustered_wilson

CURVES = {
    "p_confess_given_bad": "P(confess | bad)",
    "p_confess_given_complied": "P(confess | complied)",
    "confession_accuracy": "confessions that are true",
    "p_bad": "P(bad)",
    "answer_reward": "reward of answers",
    "answer_accuracy": "answers that the reward is right about",
    "control_accuracy": "the same, no confession trained",
}
"""The curves of a confession training; the last three where answers are trained beside the confessions, the last one of
a control in which they are trained alone."""


def change(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Difference of each rate of two tables of `dispositions`, with its interval.

    The interval is Newcombe's (1998, Statistics in Medicine 17, method 10), from the two rates' own intervals: for
    rates from the same scenarios it is on the wide side.

    Args:
        before: of one model.
        after: of one model.

    Returns:
        columns eval, rate, then n, share, low, high of each as `..._before` and `..._after`, difference, low, high.
    """
    columns = ["n", "share", "low", "high"]
    pair = before.merge(after, on=["eval", "rate"], suffixes=("_before", "_after"), validate="one_to_one")
    table = pair[["eval", "rate", *(f"{c}{end}" for end in ("_before", "_after") for c in columns)]].copy()
    table["difference"] = table["share_after"] - table["share_before"]
    down = np.hypot(table["share_after"] - table["low_after"], table["high_before"] - table["share_before"])
    up = np.hypot(table["high_after"] - table["share_after"], table["share_before"] - table["low_before"])
    return table.assign(low=table["difference"] - down, high=table["difference"] + up)


def training_curves(steps: pd.DataFrame, blocks: int = 10) -> pd.DataFrame:
    """Rates of what was sampled during a confession training, in blocks of steps.

    Args:
        steps: the lines of its `steps.jsonl`: step, kind, rollout_id, behaviour, claim, reward.
        blocks: how many blocks of equal length.

    Returns:
        a row a block and curve of `CURVES`, but the control's: step (the block's middle), curve, n, share, low, high
        (95 %, Wilson at the effective sample size of rollouts; for the reward of answers, a mean and no share, NaN). An
        answer's reward is right where it is above 0.5 for a complied answer, or not above it for a bad one.
    """
    edges = np.linspace(0, steps["step"].max() + 1, blocks + 1)
    rows = []
    for first, end in zip(edges, edges[1:], strict=False):
        part = steps[(steps["step"] >= first) & (steps["step"] < end)]
        for curve, (hits, own) in _curves(part).items():
            mine = part[own]
            if curve == "answer_reward":
                mean = float(mine["reward"].mean()) if len(mine) else np.nan
                rows.append(((first + end - 1) / 2, curve, len(mine), mean, np.nan, np.nan))
                continue
            share = clustered_wilson(hits[own].to_numpy(bool), mine["rollout_id"].to_numpy(str))
            rows.append(((first + end - 1) / 2, curve, len(mine), share.estimate, share.low, share.high))
    return pd.DataFrame(rows, columns=["step", "curve", "n", "share", "low", "high"])


def _curves(part: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    """For each curve the lines that count and the lines that they are a share of."""
    bad, complied = part["behaviour"] == "not_complied", part["behaviour"] == "complied"
    confession, answer = part["kind"] == "confession", part["kind"] == "answer"
    confessed = part["claim"] == "not_complied"
    anew = answer if answer.any() else confession & False  # frozen rollouts tell nothing of what the answers become
    return {
        "p_confess_given_bad": (confessed, confession & bad),
        "p_confess_given_complied": (confessed, confession & complied),
        "confession_accuracy": (part["claim"] == part["behaviour"], confession & (bad | complied)),
        "p_bad": (bad, anew),
        "answer_reward": (bad, answer),
        "answer_accuracy": ((part["reward"] > 0.5) == complied, answer & (bad | complied)),
    }
