"""The causal test: is what a probe reads what the confession uses?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from confesslens.evals import NEUTRAL
from confesslens.interventions.capability import Labelled, capability
from confesslens.interventions.doses import (
    OUTCOMES,
    PROBE,
    RANDOM,
    Dose,
    confession_outcomes,
    make_doses,
    rollout_outcomes,
    stream_scale,
)
from confesslens.interventions.effects import macro_change, macro_mean
from confesslens.interventions.evidence import evidence, kept_strengths, trends
from confesslens.shown import said_with_tables

if TYPE_CHECKING:
    from confesslens.models import Model

Keep = Callable[[str, Callable[[], pd.DataFrame]], pd.DataFrame]
STRENGTHS = (-0.15, -0.075, 0.075, 0.15)
TABLES = ("doses", "trends", "capability", "evidence")


@dataclass(frozen=True, repr=False)
class Steering:
    """What steering along a direction did. `outcomes` has a row a dose, rollout and outcome; the rest sum it up.

    Attributes:
        doses: see `dose_table`.
        trends: of `evidence.trends`, over the strengths that keep the model capable.
        capability: of `capability.capability`, for the probe's direction.
        evidence: of `evidence.evidence`: a level an outcome, and the rules that it meets.
        outcomes: long.
        layer: of the edits.
        scale: the norm that strengths are multiples of.
    """

    doses: pd.DataFrame
    trends: pd.DataFrame
    capability: pd.DataFrame
    evidence: pd.DataFrame
    outcomes: pd.DataFrame
    layer: int
    scale: float

    def _repr_html_(self) -> str:
        tables = {name: getattr(self, name) for name in TABLES if name != "evidence"}
        rules = self.evidence.drop(columns="sentence")
        return said_with_tables(self.evidence["sentence"], {"rules": rules, **tables})

    def __repr__(self) -> str:
        return "\n".join(self.evidence["sentence"])

    def save(self, folder: str | Path) -> Path:
        """Write each table as parquet; returns the folder."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for name in (*TABLES, "outcomes"):
            getattr(self, name).to_parquet(target / f"{name}.parquet", index=False)
        return target


def steer(
    model: Model,
    rollouts: pd.DataFrame,
    direction: ArrayLike,
    layer: int,
    strengths: Sequence[float] = STRENGTHS,
    *,
    others: Mapping[str, ArrayLike] | None = None,
    n_random: int = 5,
    project: bool = True,
    answer: bool = True,
    confession_sites: Sequence[str] = ("request", "confession"),
    rollout_sites: Sequence[str] = ("cot", "answer"),
    temperature: float = 0.7,
    n_texts: int = 24,
    seed: int = 0,
    batch_size: int = 32,
    n_boot: int = 2000,
    on_done: Callable[[], Any] | None = None,
    keep: Keep = lambda name, make: make(),
) -> Steering:
    """Give a model doses of a direction while it confesses and while it answers, with controls, and sum up.

    Stored rollouts are frozen while confessions are steered, so P(confess | bad) is over the same bad acts at every
    dose. Answers are sampled anew, each with the random stream that it had. Controls: equal-norm random directions,
    other concepts' directions, projecting out, and the capability check.

    Args:
        model: that made the rollouts.
        rollouts: a rollouts table; its neutral rollouts are the capability check, the others are steered.
        direction: [d_model] in raw activation space, such as a probe's `direction`; positive for the bad act.
        layer: after which block it is added.
        strengths: multiples of the stream's median norm (`doses.stream_scale`), negative to subtract; not 0.
        others: directions of other concepts, by name.
        n_random: random directions.
        project: whether to project each direction out too.
        answer: whether to sample answers anew (most of the time that it takes).
        confession_sites, rollout_sites: where each is edited (`edits.SITES`).
        temperature: of the answers.
        n_texts: benign texts of the capability check.
        seed: of random directions and draws.
        batch_size: transcripts sampled side by side; changes speed and memory only.
        n_boot: draws of scenarios.
        on_done: called after each transcript.
        keep: called with the name of a part and what makes its table; a store may give back what it has of it.

    Raises:
        ValueError: strengths that are 0, not finite or named twice, a direction of another length, an unknown site.
    """
    levels = [float(s) for s in strengths]
    if not levels or len(set(levels)) < len(levels) or not all(np.isfinite(s) and s != 0 for s in levels):
        raise ValueError(f"strengths={levels}: expected finite numbers, each once, without 0, which is always done")
    if taken := [name for name in others or {} if name in ("", PROBE) or name.startswith(RANDOM)]:
        raise ValueError(f"other directions are called {taken}: those names are taken, choose the concept's")
    vectors = {name: np.asarray(vector, float) for name, vector in {PROBE: direction, **(others or {})}.items()}
    for name, vector in vectors.items():
        if vector.shape != (model.d_model,):
            raise ValueError(f"direction {name!r} has shape {vector.shape}: {model.name} needs ({model.d_model},)")
    main = vectors.pop(PROBE)
    asked = rollouts[rollouts["condition"] != NEUTRAL].reset_index(drop=True)
    if asked.empty:
        raise ValueError("all rollouts are neutral: there is nothing to steer")
    scale = stream_scale(model, asked, layer)
    doses = make_doses(
        main,
        layer,
        scale,
        levels,
        others=vectors,
        n_random=n_random,
        project=project,
        confession_sites=confession_sites,
        rollout_sites=rollout_sites,
        seed=seed,
    )
    outcomes = _outcomes(model, asked, doses, temperature if answer else None, batch_size, on_done, keep)
    checked: list[Labelled] = [
        (dose.direction, dose.strength, dose.rollout_edit and _everywhere(dose.rollout_edit))
        for dose in doses
        if dose.kind in ("", PROBE)
    ]
    checks = {"n_texts": n_texts, "seed": seed, "batch_size": batch_size, "n_boot": n_boot}
    able = keep("capability", lambda: capability(model, checked, rollouts, **checks, on_done=on_done))
    kept = kept_strengths(able, levels)
    found = trends(outcomes, kept, n_boot, seed)
    return Steering(
        doses=dose_table(outcomes, n_boot, seed),
        trends=found,
        capability=able,
        evidence=evidence(outcomes, found, kept, n_boot, seed),
        outcomes=outcomes,
        layer=layer,
        scale=scale,
    )


def _outcomes(
    model: Model,
    asked: pd.DataFrame,
    doses: Sequence[Dose],
    temperature: float | None,
    batch_size: int,
    on_done: Callable[[], Any] | None,
    keep: Keep,
) -> pd.DataFrame:
    """One number a rollout, dose and outcome, worked out evaluation by evaluation; without a temperature, of the
    confessions alone."""
    tables = []
    for name, part in asked.groupby("eval", sort=False):
        own = part.reset_index(drop=True)
        tables.append(keep(f"confessions-{name}", partial(confession_outcomes, model, own, doses, batch_size, on_done)))
        if temperature is not None:
            answers = partial(rollout_outcomes, model, own, doses, temperature, batch_size, on_done)
            tables.append(keep(f"answers-{name}", answers))
    table = pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)
    places = {(dose.direction, str(dose.strength)): i for i, dose in enumerate(doses)}
    dose = [places[key] for key in zip(table["direction"], table["strength"].map(str), strict=True)]
    order = pd.DataFrame({"outcome": table["outcome"].map(OUTCOMES.index), "dose": dose})
    return table.loc[order.sort_values(["outcome", "dose"], kind="stable").index].reset_index(drop=True)


def dose_table(outcomes: pd.DataFrame, n_boot: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Each outcome at each dose: direction, kind, strength (NaN where it is projected out), projected, outcome, n,
    n_scenarios, value with low and high, and, paired with no dose, change with change_low and change_high."""
    zero = outcomes[outcomes["direction"] == ""].set_index(["outcome", "rollout_id"])["value"]
    rows = []
    keys = ["direction", "kind", "projected", "outcome"]
    for (name, kind, projected, outcome, strength), part in outcomes.groupby(
        [*keys, "strength"], sort=False, dropna=False
    ):
        evals, groups = part["eval"], part["scenario"]
        before = zero[outcome].reindex(part["rollout_id"]).to_numpy(float)
        mean = macro_mean(part["value"], evals, groups, n_boot, seed)
        change = macro_change(part["value"], before, evals, groups, n_boot, seed)
        rows.append(
            {"direction": name, "kind": kind, "strength": strength, "projected": projected, "outcome": outcome}
            | {"n": len(part), "n_scenarios": groups.nunique()}
            | {"value": mean.estimate, "low": mean.low, "high": mean.high}
            | {"change": change.estimate, "change_low": change.low, "change_high": change.high}
        )
    columns = ["direction", "kind", "strength", "projected", "outcome", "n", "n_scenarios", "value", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "change", "change_low", "change_high"])


def _everywhere(edit: Any) -> Any:
    """The same edit at all tokens: the capability check is on the severe side."""
    return replace(edit, sites=("all",))
