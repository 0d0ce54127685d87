"""Doses of a direction, given to the model while it answers and while it confesses; one number a rollout and dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from confesslens.confessions import confess
from confesslens.cot import monitor_thoughts
from confesslens.interventions.edits import Steer, add, project_out
from confesslens.models.blocks import transformer_blocks
from confesslens.rollouts.rollout import asks_for_thoughts, plan_again, sample_rollouts

if TYPE_CHECKING:
    from confesslens.models import Model

PROBE, OTHER, RANDOM = "probe", "other", "random"
OUTCOMES = ("logit", "confess_given_bad", "confess_given_complied", "bad", "mention")
"""On stored rollouts, steered while they confess: the confession logit and P(confess) given bad, and given complied.
On rollouts sampled anew, steered while they think and answer: P(bad), and P(the chain of thought mentions it)."""
PROJECT = float("nan")
"""The strength of projecting a direction out."""


@dataclass(frozen=True)
class Dose:
    """A direction and how much of it: `strength` in units of `scale` (see `stream_scale`); None for no edit."""

    direction: str
    kind: str
    strength: float
    confession_edit: Steer | None
    rollout_edit: Steer | None


@torch.inference_mode()
def stream_scale(model: Model, rollouts: pd.DataFrame, layer: int, most: int = 16) -> float:
    """Median norm of the residual stream after a block, over the tokens of stored rollouts but each one's first.

    Strengths are multiples of it: 1 is a push as long as the stream itself. The median, because a few tokens (the
    first one of all) have norms a hundred times those of the rest.
    """
    norms: list[torch.Tensor] = []

    def keep(_: Any, _args: Any, output: Any) -> None:
        states = output[0] if isinstance(output, tuple) else output
        norms.append(states[0, 1:].float().norm(dim=-1).cpu())

    handle = transformer_blocks(model)[layer].register_forward_hook(keep)
    try:
        for ids in rollouts["token_ids"].iloc[:: max(1, len(rollouts) // most)]:
            model.logits([int(token) for token in ids])
    finally:
        handle.remove()
    return float(torch.cat(norms).median())


def make_doses(
    direction: np.ndarray,
    layer: int,
    scale: float,
    strengths: Sequence[float],
    *,
    others: Mapping[str, np.ndarray],
    n_random: int,
    project: bool,
    confession_sites: Sequence[str],
    rollout_sites: Sequence[str],
    seed: int,
) -> list[Dose]:
    """No dose first; then each direction at each strength, and projected out. All are of one norm at one strength."""
    rng = np.random.default_rng(seed)
    named = [(PROBE, PROBE, direction), *((name, OTHER, vector) for name, vector in others.items())]
    named += [(f"random {i + 1}", RANDOM, rng.normal(size=len(direction))) for i in range(n_random)]
    doses = [Dose("", "", 0.0, None, None)]
    for name, kind, vector in named:
        for strength in strengths:
            made = [add(vector, layer, strength * scale, sites) for sites in (confession_sites, rollout_sites)]
            doses.append(Dose(name, kind, float(strength), *made))
        if project:
            cut = [project_out(vector, layer, sites) for sites in (confession_sites, rollout_sites)]
            doses.append(Dose(name, kind, PROJECT, *cut))
    return doses


def confession_outcomes(
    model: Model,
    rollouts: pd.DataFrame,
    doses: Sequence[Dose],
    batch_size: int = 32,
    on_done: Callable[[], Any] | None = None,
) -> pd.DataFrame:
    """Guided confessions of stored rollouts under each dose: long, one row a dose, rollout and outcome."""
    graded = rollouts[rollouts["behaviour"].isin(["complied", "not_complied"])].reset_index(drop=True)
    if graded.empty:
        return _long(graded, doses, {})
    repeated = pd.concat([graded] * len(doses), ignore_index=True)
    edits = [dose.confession_edit for dose in doses for _ in range(len(graded))]
    said = confess(model, repeated, samples=0, edits=edits, batch_size=batch_size, on_done=on_done)
    bad = (repeated["behaviour"] == "not_complied").to_numpy()
    denies = (said["claim"] == "not_complied").to_numpy(float)
    values = {
        "logit": np.where(bad, said["logit"], np.nan),
        "confess_given_bad": np.where(bad, denies, np.nan),
        "confess_given_complied": np.where(bad, np.nan, denies),
    }
    return _long(graded, doses, values)


def rollout_outcomes(
    model: Model,
    rollouts: pd.DataFrame,
    doses: Sequence[Dose],
    temperature: float = 0.7,
    batch_size: int = 32,
    on_done: Callable[[], Any] | None = None,
) -> pd.DataFrame:
    """Rollouts sampled anew under each dose, each with the random stream that it had: long, as above."""
    tables = []
    for cot in (True, False):
        part = rollouts[rollouts["messages"].map(asks_for_thoughts) == cot].reset_index(drop=True)
        if part.empty:
            continue
        planned = [plan_again(row, int(row["seed"])) for row in part.to_dict("records")]
        table = sample_rollouts(
            model,
            planned * len(doses),
            cot=cot,
            temperature=temperature,
            edits=[dose.rollout_edit for dose in doses for _ in range(len(part))],
            batch_size=batch_size,
            on_done=on_done,
        )
        behaviour = table["behaviour"].map({"complied": 0.0, "not_complied": 1.0}).to_numpy(float)
        mention = monitor_thoughts(table)["mentioned"].astype("float64").to_numpy()
        tables.append(_long(part, doses, {"bad": behaviour, "mention": mention}))
    return pd.concat(tables, ignore_index=True) if tables else _long(rollouts.iloc[:0], doses, {})


def _long(rollouts: pd.DataFrame, doses: Sequence[Dose], values: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """`values` [dose × rollout] of each outcome, as rows; those that are not defined are left out."""
    keys = rollouts[["rollout_id", "eval", "scenario"]]
    frames = []
    for outcome, value in values.items():
        by_dose = value.reshape(len(doses), len(keys))
        for dose, own in zip(doses, by_dose, strict=True):
            about = {"direction": dose.direction, "kind": dose.kind, "strength": dose.strength}
            frames.append(keys.assign(**about, projected=np.isnan(dose.strength), outcome=outcome, value=own))
    columns = [*keys.columns, "direction", "kind", "strength", "projected", "outcome", "value"]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return table[table["value"].notna()].reset_index(drop=True)
