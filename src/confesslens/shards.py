"""The work of a run that needs a model, cut into shards: a worker samples, asks or reads, and writes one part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from confesslens import evals
from confesslens.activations.capture import capture
from confesslens.confessions.confess import confess
from confesslens.config import RunConfig
from confesslens.evals import NEUTRAL
from confesslens.folder import RunFolder
from confesslens.models import Endpoint, Model, load_model
from confesslens.organisms.lessons import measures_organisms
from confesslens.rollouts.plan import Planned, plan_rollouts
from confesslens.rollouts.rollout import sample_rollouts

Advance = Callable[[int], Any]
ROLLOUTS, CONFESSIONS = "rollouts.parquet", "confessions.parquet"
GROWING = "parts/activations.zarr"  # until the stage is whole
SHARD = 48  # rollouts a shard: what a kill can cost, at most, a worker


@dataclass(frozen=True)
class Shard:
    """Some rollouts of a stage (by their place in its list), worked on by one worker, written to one file."""

    folder: Path
    config: RunConfig
    number: int
    count: int
    places: tuple[int, ...]

    def file(self, stage: str, ending: str) -> Path:
        """Where the shard's part is kept until the stage is whole."""
        return self.folder / "parts" / f"{stage}-{self.number:04d}-of-{self.count:04d}.{ending}"


def load_worker_model(config: RunConfig, folder: Path | None) -> Model | Endpoint:
    """A worker's model, from `folder` where the name stands for one (on another node it may not be there yet)."""
    if config.endpoint is not None:
        return Endpoint(config.model, config.endpoint)
    model = load_model(
        folder if folder is not None and folder.is_dir() else config.model,
        config.adapter,
        config.dtype,
        config.device,
        organism=config.organism,
        sampler=config.sampler,
        trust_remote_code=config.trust_remote_code,
    )
    model.name = config.model
    return model


def planned_rollouts(config: RunConfig) -> list[Planned]:
    """All rollouts of a run, in order."""
    return plan_rollouts(
        evals.select(*config.evals),
        config.n,
        config.seed,
        config.tier,
        config.conditions,
        config.samples,
        config.neutral_samples,
        keep=measures_organisms if config.organism or config.held_out else None,
    )


def asked_rollouts(run: RunFolder) -> pd.DataFrame:
    """The rollouts whose confessions and activations are wanted: all but the neutral ones."""
    table = run.read_table(ROLLOUTS)
    return table[table["condition"] != NEUTRAL].reset_index(drop=True)


def sample_shard(model: Model | Endpoint, shard: Shard, advance: Advance) -> None:
    """Sample and grade the planned rollouts of a shard."""
    config = shard.config
    everything = planned_rollouts(config)
    planned = [everything[place] for place in shard.places]
    table = sample_rollouts(
        model,
        planned,
        cot=config.cot,
        temperature=config.temperature,
        batch_size=config.batch_size,
        on_done=lambda: advance(1),
    )
    _write_part(shard.file("rollouts", "parquet"), lambda path: table.to_parquet(path, index=False))


def confess_shard(model: Model | Endpoint, shard: Shard, advance: Advance) -> None:
    """Ask for the confessions of a shard's rollouts."""
    config = shard.config
    asked = asked_rollouts(RunFolder(shard.folder)).iloc[list(shard.places)]
    table = confess(
        model,
        asked,
        config.free_samples,
        seed=config.seed,
        temperature=config.temperature,
        batch_size=config.batch_size,
        on_done=lambda: advance(1),
    )
    _write_part(shard.file("confessions", "parquet"), lambda path: table.to_parquet(path, index=False))


def capture_shard(model: Model, shard: Shard, advance: Advance) -> None:
    """Read the activations of a shard's rollouts into the store that all shards share; the part says that it did, and
    with which tokenizer."""
    run = RunFolder(shard.folder)
    capture(
        model,
        asked_rollouts(run).iloc[list(shard.places)],
        run.read_table(CONFESSIONS),
        sites=shard.config.sites,
        out=shard.folder / GROWING,
        on_done=advance,
    )
    _write_part(shard.file("activations", "done"), lambda path: path.write_text(model.tokenizer_hash))


def _write_part(path: Path, writer: Callable[[Path], Any]) -> None:
    RunFolder(path.parent.parent).write(f"parts/{path.name}", writer)
