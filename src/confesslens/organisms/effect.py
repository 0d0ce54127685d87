"""What confession training did: the same scenarios before and after, on frozen rollouts and on the model's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from confesslens.confessions.confess import confess
from confesslens.config import RunConfig
from confesslens.evals.conditions import NEUTRAL
from confesslens.faithfulness import change, dispositions, training_curves, witnesses
from confesslens.folder import RunFolder
from confesslens.models import load_model
from confesslens.stages import mentions

FROZEN_CONFESSIONS = "results/frozen_confessions.parquet"


def run_witnesses(run: RunFolder) -> pd.DataFrame:
    """What grader, chain of thought and confession say of a run's rollouts; `run --until confessions` is enough for it.

    Returns:
        as `faithfulness.witnesses`, without a probe.
    """
    table = run.read_table("rollouts.parquet")
    thought = mentions(table, RunConfig(**run.manifest["config"]))
    return witnesses(table, run.read_table("confessions.parquet"), cot=thought)


def training_effect(
    before: RunFolder, after: RunFolder, *, on_done: Callable[[], Any] | None = None
) -> dict[str, pd.DataFrame]:
    """Rates before and after a confession training, and its curves.

    Args:
        before: a run of the model that the training began with.
        after: a run of the trained adapter, over the same scenarios.
        on_done: called after each confession of a frozen rollout; they are asked for once and kept in `after`.

    Returns:
        `frozen`: `faithfulness.change` with the trained model's confessions of the rollouts of `before`; `on-policy`:
        of its own rollouts; `curves`: `faithfulness.training_curves`.

    Raises:
        ValueError: `after` is no run of an adapter that `train confession` made, or not of the same scenarios.
    """
    adapter = Path(after.manifest["config"]["adapter"] or "")
    if not (adapter / "steps.jsonl").is_file():
        raise ValueError(
            f"{after.path} is no run of an adapter that `train confession` made: expected steps.jsonl in {adapter}"
        )
    tables = [run.read_table("rollouts.parquet") for run in (before, after)]
    if set(tables[0]["rollout_id"]) != set(tables[1]["rollout_id"]):
        raise ValueError(f"{before.path} and {after.path} are of other scenarios: expected the same evals, n and seed")
    learned = json.loads((adapter / "settings.json").read_text())["evals"]
    said = _frozen(tables[0], after, on_done)
    runs = {
        "before": (tables[0], run_witnesses(before)),
        "frozen": (tables[0], witnesses(tables[0], said)),
        "on-policy": (tables[1], run_witnesses(after)),
    }
    rates = dispositions(runs, learned)
    first = rates[rates["organism"] == "before"]
    steps = pd.read_json(adapter / "steps.jsonl", lines=True)
    changed = {name: change(first, rates[rates["organism"] == name]) for name in ("frozen", "on-policy")}
    return {**changed, "curves": training_curves(steps)}


def _frozen(rollouts: pd.DataFrame, after: RunFolder, on_done: Callable[[], Any] | None) -> pd.DataFrame:
    if not (after.path / FROZEN_CONFESSIONS).is_file():
        config = after.manifest["config"]
        model = load_model(config["model"], config["adapter"], config["dtype"], config["device"])
        asked = rollouts[rollouts["condition"] != NEUTRAL]
        after.write_table(FROZEN_CONFESSIONS, confess(model, asked, samples=0, on_done=on_done))
    return after.read_table(FROZEN_CONFESSIONS)
