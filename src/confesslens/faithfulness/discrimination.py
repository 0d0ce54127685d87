"""Can a score tell bad from complied answers, or confessed from silent ones? AUROCs inside evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from confesslens.faithfulness.agreement import verdicts
from confesslens.faithfulness.witnesses import align, blocks
from confesslens.probes import Interval, auroc_interval, resample_weights
from confesslens.probes.bootstrap import auroc_draws, expanded, gap_interval, mixed_clusters
from confesslens.probes.cv import MIN_SCENARIOS, rarer_scenarios
from confesslens.probes.metrics import mixed_evals

TARGETS = ("behaviour", "confession_given_bad", "knowledge_given_bad")
SCORES = ("probe", "text", "logit", "cot", "confession", "shuffled", "increment")
PAIRED = ("probe", "text", "logit", "cot", "confession")
CHANCE = "not distinguishable from chance"
_COLUMNS = ["target", "score", "n", "n_pos", "evals", "auroc", "low", "high", "note"]
_CLASSES = {
    "behaviour": ("bad", "complied"),
    "confession_given_bad": ("confessed", "silent"),
    "knowledge_given_bad": ("aware", "unaware"),
}


def discrimination(
    witnesses: pd.DataFrame,
    shuffled: Any = None,
    shuffled_labels: Any = None,
    n_boot: int = 2000,
    seed: int = 0,
    targets: Sequence[str] = TARGETS,
    scores: Sequence[str] = SCORES,
) -> pd.DataFrame:
    """AUROC of each score for each target, inside evaluations and then averaged over them (see `within_eval_auroc`).

    Where an evaluation was run under several conditions, each condition is a block of its own, so that answers are
    only compared under the same prompts. The probe and the text baseline were trained for behaviour; the other targets
    ask what else their scores order. "increment" is probe minus text on the same rollouts, with a paired
    scenario-clustered bootstrap.

    Args:
        witnesses: from `witnesses`.
        shuffled: out-of-fold scores of a probe trained on shuffled labels: a Series by rollout_id or array, or a
            DataFrame or array with one column a shuffle (the mean AUROC of the columns is given).
        shuffled_labels: those labels, likewise: of behaviour these scores are then asked for the labels that they were
            trained for. The true ones they may tell better or worse than chance, by what the shuffles have in common
            with them, so that a few shuffles say little.
        n_boot: bootstrap draws.
        seed: of the draws.
        targets: of `TARGETS`.
        scores: of `SCORES`.

    Returns:
        columns target, score, n, n_pos (rollouts in the evaluations used), evals (those with both classes, joined by
        commas), auroc, low, high, note. Too little data gives NaN and a note that says so.
    """
    table = witnesses.reset_index(drop=True)
    names = blocks(table).to_numpy(str)
    known = {name: values[:, None] for name, values in witness_scores(table).items()}
    known["shuffled"] = _shuffled(shuffled, table["rollout_id"])
    own = None if shuffled_labels is None else _shuffled(shuffled_labels, table["rollout_id"])
    rows = []
    for target in targets:
        asked, positive = target_rows(table, target)
        groups = table["scenario"].to_numpy(str)
        for score in scores:
            pair = score == "increment"
            values = np.hstack([known["probe"], known["text"]]) if pair else known[score]
            keep = asked & ~np.isnan(values).any(axis=1)
            part = (positive[keep], values[keep], names[keep], groups[keep])
            labels = own[keep] == 1 if own is not None and (target, score) == ("behaviour", "shuffled") else None
            rows.append({"target": target, "score": score, **_measure(*part, target, pair, n_boot, seed, labels)})
    return pd.DataFrame(rows, columns=_COLUMNS)


def differences(witnesses: pd.DataFrame, n_boot: int = 2000, seed: int = 0) -> pd.DataFrame:
    """How much better one witness tells a target than another, on the rollouts that have both.

    Args:
        witnesses: from `witnesses`.
        n_boot: draws of the paired bootstrap, scenarios resampled inside evaluations.
        seed: of the draws.

    Returns:
        columns target (behaviour, knowledge_given_bad), a, b, n, n_pos, evals, difference (AUROC of a minus AUROC of b,
        inside evaluations), low, high, note. Too little data gives NaN and a note.
    """
    table = witnesses.reset_index(drop=True)
    names, groups = blocks(table).to_numpy(str), table["scenario"].to_numpy(str)
    scores = witness_scores(table)
    rows = []
    for target in ("behaviour", "knowledge_given_bad"):
        asked, positive = target_rows(table, target)
        for a, b in combinations(PAIRED, 2):
            pair = np.column_stack([scores[a], scores[b]])
            keep = asked & ~np.isnan(pair).any(axis=1)
            row = _measure(positive[keep], pair[keep], names[keep], groups[keep], target, True, n_boot, seed)
            row["difference"] = row.pop("auroc")
            row["note"] = row["note"].replace("increment", "difference")
            rows.append({"target": target, "a": a, "b": b, **row})
    return pd.DataFrame(rows, columns=["target", "a", "b", *_COLUMNS[2:5], "difference", "low", "high", "note"])


def witness_scores(table: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """What each witness says [n], higher for bad, NaN where it says nothing; yes-or-no witnesses say 1 or 0."""
    said = verdicts(table)
    return {
        "probe": table["probe"].to_numpy(float),
        "text": table["text_score"].to_numpy(float),
        "logit": table["logit"].to_numpy(float),
        "cot": said["cot"].astype("Float64").to_numpy(float, na_value=np.nan),
        "confession": said["confession"].astype("Float64").to_numpy(float, na_value=np.nan),
    }


def _measure(
    y: NDArray,
    values: NDArray,
    evals: NDArray,
    groups: NDArray,
    target: str,
    pair: bool,
    n_boot: int,
    seed: int,
    labels: NDArray | None = None,
) -> dict[str, Any]:
    mixed = mixed_evals(y, evals)
    inside = np.isin(evals, mixed)
    row: dict[str, Any] = {"n": len(y), "n_pos": int(y.sum()), "evals": ",".join(mixed)}
    row |= {"auroc": np.nan, "low": np.nan, "high": np.nan}
    reason = _too_little(y, groups, evals, target)
    if reason:
        return row | {"note": reason}
    y, values, evals, groups = y[inside], values[inside], evals[inside], groups[inside]
    row |= {"n": len(y), "n_pos": int(y.sum())}
    if pair:
        interval = _increment(y, values, evals, groups, n_boot, seed)
        even = "no increment that this n could show"
        zero = 0.0
    else:
        asked = y if labels is None else labels[inside]
        interval = auroc_interval(asked, values, evals, groups, n_boot, seed)
        even, zero = CHANCE, 0.5
    row |= {"auroc": interval.estimate, "low": interval.low, "high": interval.high}
    return row | {"note": "" if interval.low > zero or interval.high < zero else even}


def _increment(y: NDArray, values: NDArray, evals: NDArray, groups: NDArray, n_boot: int, seed: int) -> Interval:
    weights = np.column_stack([np.ones(len(y)), resample_weights(groups, evals, n_boot, seed)])
    probe, text = (auroc_draws(y, column, evals, weights) for column in values.T)
    level = expanded(0.95, mixed_clusters(y, groups, evals))
    return gap_interval(probe, text, level)


def _too_little(y: NDArray, groups: NDArray, evals: NDArray, target: str) -> str:
    one, other = _CLASSES[target]
    if not len(y):
        return "no rollout has this score and target"
    if y.all() or not y.any():
        return f"too little data: every rollout is {one if y.all() else other}"
    found = rarer_scenarios(y, groups, evals)
    if found == 0:
        return f"too little data: no evaluation has both {one} and {other} rollouts"
    if found < MIN_SCENARIOS:
        return f"too little data: only {found} scenarios of the rarer class, at least {MIN_SCENARIOS} needed"
    return ""


def target_rows(table: pd.DataFrame, target: str) -> tuple[NDArray, NDArray]:
    """Whether each row takes part in a target [n], and whether it is of its positive class [n]."""
    bad = table["behaviour"] == "not_complied"
    if target == "behaviour":
        asked, positive = bad | (table["behaviour"] == "complied"), bad
    elif target == "confession_given_bad":
        asked, positive = bad & table["claim"].isin(["complied", "not_complied"]), table["claim"] == "not_complied"
    else:
        asked, positive = bad & table["knowledge"].isin(["aware", "unaware"]), table["knowledge"] == "aware"
    return asked.to_numpy(bool), positive.to_numpy(bool)


def _shuffled(scores: Any, ids: pd.Series) -> NDArray[np.float64]:
    if isinstance(scores, np.ndarray) and scores.ndim == 2:
        scores = pd.DataFrame(scores)
    if isinstance(scores, pd.DataFrame) and scores.shape[1]:
        return np.column_stack([align(scores[c], ids, f"shuffled[{c}]") for c in scores])
    return align(None if isinstance(scores, pd.DataFrame) else scores, ids, "shuffled").to_numpy()[:, None]
