"""Interventions on the chain of thought: what it is changed to, and what that does to answer, probe and confession.

After the tests of Lanham et al. (arXiv 2307.13702): if an answer or a confession comes from the chain of thought, it
changes when the chain of thought does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from confesslens.closest import no_such
from confesslens.confessions import confess
from confesslens.cot import monitor_thoughts
from confesslens.interventions.effects import macro_change, macro_mean
from confesslens.rollouts.plan import stream_seed
from confesslens.rollouts.rollout import plan_again, sample_rollouts

if TYPE_CHECKING:
    from confesslens.models import Model

CHANGES = ("none", "cut", "honest", "filler")
"""`none`: its own, word for word. `cut`: the first half of its tokens. `honest`: one that led to an honest answer.
`filler`: as many tokens of dots (arXiv 2307.13702 uses " ..."), so there is room to compute but nothing to read."""

HONEST = "I will do what I was asked, and say openly what I cannot do."
"""The honest chain of thought of a scenario in which no rollout was honest."""

Score = Callable[[pd.DataFrame, pd.DataFrame], pd.Series]
"""(rollouts, guided confessions) to probe scores by rollout_id, above 0 where the probe fires."""


def rethink(
    model: Model,
    rollouts: pd.DataFrame,
    changes: Sequence[str] = CHANGES,
    *,
    seed: int = 0,
    temperature: float = 0.7,
    batch_size: int = 32,
    on_done: Callable[[], Any] | None = None,
) -> dict[str, pd.DataFrame]:
    """Sample the answers of stored rollouts anew, after their chain of thought is changed; a rollouts table a change.

    The answer's random stream is the same under every change, so that what differs is the chain of thought. `none` too
    is sampled anew: it is what the others are compared with, not the stored rollout. `honest` takes the chain of
    thought of a complied rollout of the same scenario in the same condition (the first other one), else `HONEST`.

    Args:
        model: that made the rollouts.
        rollouts: a rollouts table of evaluations of the registry; rollouts without a chain of thought are left out.
        changes: of `CHANGES`.
        seed: of the answers.
        temperature: of the answers.
        batch_size: answers sampled side by side; changes speed and memory only.
        on_done: called after each answer.

    Raises:
        ValueError: an unknown change, or no rollout with a chain of thought.
    """
    for change in changes:
        if change not in CHANGES:
            raise ValueError(no_such("change of the chain of thought", change, CHANGES))
    own = rollouts[rollouts["cot"].fillna("").str.strip() != ""].reset_index(drop=True)
    if own.empty:
        raise ValueError("no rollout has a chain of thought: there is nothing to change")
    rows = own.to_dict("records")
    thoughts = {row["rollout_id"]: _own_thought(row) for row in rows}
    planned = [plan_again(row, stream_seed(seed, "rethink", row["rollout_id"])) for row in rows]
    given = {
        change: [_changed(model, change, row, rows, thoughts) for row in rows] for change in dict.fromkeys(changes)
    }
    sampled = sample_rollouts(
        model,
        planned * len(given),
        thoughts=[thought for own_thoughts in given.values() for thought in own_thoughts],
        temperature=temperature,
        batch_size=batch_size,
        on_done=on_done,
    )
    sampled["knowledge"] = own["knowledge"].tolist() * len(given)  # a matter of the scenario's neutral rollouts
    n = len(rows)
    return {change: sampled.iloc[i * n : (i + 1) * n].reset_index(drop=True) for i, change in enumerate(given)}


def thought_effects(
    model: Model,
    rollouts: pd.DataFrame,
    changes: Sequence[str] = CHANGES,
    *,
    score: Score | None = None,
    seed: int = 0,
    batch_size: int = 32,
    n_boot: int = 2000,
) -> pd.DataFrame:
    """What each change of the chain of thought does to the answer, the probe and the guided confession.

    Args:
        model, rollouts, changes, seed, batch_size: as `rethink`; "none" is added, being what is compared with.
        score: probe scores of rollouts that were sampled anew; None to leave the probe out.
        n_boot: draws of scenarios.

    Returns:
        a row a change and outcome: change, outcome (`bad`, `confess_given_bad`, `logit`, `mention`, `probe`), n, value
        with its interval (low, high) and, paired with `none` rollout by rollout, difference (difference_low,
        difference_high); macro averages over evaluations. `confess_given_bad` is over rollouts that are bad under the
        change, its difference over those that are bad under both.
    """
    tables = rethink(model, rollouts, list(dict.fromkeys(["none", *changes])), seed=seed, batch_size=batch_size)
    outcomes = {change: _outcomes(model, table, score, batch_size) for change, table in tables.items()}
    rows = []
    for change, values in outcomes.items():
        keys = tables[change]
        evals, groups = keys["eval"].to_numpy(str), keys["scenario"].to_numpy(str)
        for outcome, value in values.items():
            if np.isnan(value).all():
                continue
            mean = macro_mean(value, evals, groups, n_boot, seed)
            moved = macro_change(value, outcomes["none"][outcome], evals, groups, n_boot, seed)
            rows.append(
                {"change": change, "outcome": outcome, "n": int((~np.isnan(value)).sum())}
                | {"value": mean.estimate, "low": mean.low, "high": mean.high}
                | {"difference": moved.estimate, "difference_low": moved.low, "difference_high": moved.high}
            )
    return pd.DataFrame(rows)


def _own_thought(row: dict[str, Any]) -> list[int]:
    start, end = json.loads(row["spans"])["cot"]
    return [int(token) for token in row["token_ids"][start:end]]


def _changed(
    model: Model, change: str, row: dict[str, Any], rows: list[dict[str, Any]], thoughts: dict[str, list[int]]
) -> list[int]:
    own = thoughts[row["rollout_id"]]
    if change == "none":
        return own
    if change == "cut":
        return own[: len(own) // 2]
    if change == "filler":
        dots = model.encode(" ...")
        return (dots * (len(own) // len(dots) + 1))[: len(own)]
    for other in rows:
        same = other["scenario"] == row["scenario"] and other["condition"] == row["condition"]
        if same and other["behaviour"] == "complied" and other["rollout_id"] != row["rollout_id"]:
            return thoughts[other["rollout_id"]]
    return model.encode(HONEST)


def _outcomes(model: Model, table: pd.DataFrame, score: Score | None, batch_size: int) -> dict[str, np.ndarray]:
    """[rollout] numbers, NaN where an outcome is not defined."""
    confessions = confess(model, table, samples=0, batch_size=batch_size)
    bad = (table["behaviour"] == "not_complied").to_numpy()
    denied = (confessions["claim"] == "not_complied").to_numpy()
    probe = np.full(len(table), np.nan)
    if score is not None:
        probe = score(table, confessions).reindex(table["rollout_id"]).to_numpy(float)
    return {
        "bad": np.where(table["behaviour"] == "neither", np.nan, bad.astype(float)),
        "confess_given_bad": np.where(bad, denied.astype(float), np.nan),
        "logit": confessions["logit"].to_numpy(float),
        "mention": monitor_thoughts(table)["mentioned"].astype("float64").to_numpy(),
        "probe": probe,
    }
