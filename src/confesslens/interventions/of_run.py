"""The causal test of a run: its probe's direction, on its rollouts, with the model that made them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from confesslens.activations import open_activations
from confesslens.config import RunConfig
from confesslens.evals import NEUTRAL
from confesslens.figures import dose_response, save_figure
from confesslens.folder import RunFolder, content_key
from confesslens.interventions.doses import OTHER
from confesslens.interventions.steering import STRENGTHS, Steering, steer
from confesslens.models import EMBEDDED, embedded_folder
from confesslens.models.endpoint import NO_INTERNALS, Endpoint
from confesslens.probes import load_probe
from confesslens.probes.estimators import CCSProbe
from confesslens.shards import load_worker_model

if TYPE_CHECKING:
    from confesslens.models import Model

ACTIVATIONS, ROLLOUTS = "activations.zarr", "rollouts.parquet"
LENGTH = "answer length"
STEERING = "steering"


def load_run_model(run: RunFolder) -> tuple[Model, RunConfig]:
    """The model that made a run's rollouts, and the run's settings.

    Raises ValueError for a folder without a run, or one of a model behind an endpoint.
    """
    if "config" not in run.manifest:
        raise ValueError(f"{run.path} holds no run: expected a folder with manifest.json")
    config = RunConfig(**run.manifest["config"])
    model = load_worker_model(config, embedded_folder() if config.model == EMBEDDED else None)
    if isinstance(model, Endpoint):
        raise ValueError(f"{run.path}: {NO_INTERNALS}, and nothing inside it can be changed")
    model.sampler = None  # what is compared is sampled in one place
    return model, config


def steer_run(
    folder: str | Path,
    probe: str | Path | None = None,
    out: str | Path | None = None,
    *,
    strengths: Sequence[float] = STRENGTHS,
    others: Sequence[str | Path] = (),
    n: int | None = None,
    n_random: int = 5,
    answer: bool = True,
    seed: int = 0,
    on_done: Callable[[], Any] | None = None,
) -> tuple[Steering, Path]:
    """Steer a run's model along a probe's direction; writes tables, figure and settings.

    The direction of another concept is that of `others`; where none is given, of the answer's length at the same layer
    (mean of long answers minus mean of short ones, inside each evaluation), from the run's activations.

    Args:
        folder: the run's.
        probe: a probe's folder; default the run's `probes/behaviour`.
        out: where to write; default the run's `steering`.
        strengths: multiples of the stream's median norm.
        others: folders of probes of other concepts, at the same layer.
        n: scenarios per evaluation; default all.
        n_random: random directions.
        answer: whether answers are sampled anew too.
        seed: of random directions and draws.
        on_done: called after each transcript.

    Repeated after it was stopped, with the same settings, it goes on where it was (evaluation by evaluation).

    Returns:
        what steering did, and the folder that was written.

    Raises:
        ValueError: no run, a probe of another model, width or layer, or settings that `steer` refuses.
        FileNotFoundError: the run has no rollouts yet.
    """
    run = RunFolder(folder)
    model, config = load_run_model(run)
    rollouts = run.read_table(ROLLOUTS)
    place = Path(probe) if probe is not None else run.path / "probes" / "behaviour"
    if probe is None and not place.is_dir():
        raise ValueError(f"{run.path} has no probe ({run.manifest.get('probe_note', 'not fitted yet')}): give --probe")
    direction, card = _direction(place, model)
    layer = int(card["layer"])
    concepts: dict[str, np.ndarray] = {}
    for path in map(Path, others):
        vector, its = _direction(path, model)
        if int(its["layer"]) != layer:
            raise ValueError(f"{path} is of layer {its['layer']}, the probe of layer {layer}: choose one of that layer")
        concepts[path.name] = vector
    if not concepts and (run.path / ACTIVATIONS).is_dir():
        concepts = _length_direction(run, rollouts, layer, str(card["site"]))
    kept = _first_scenarios(rollouts, n)
    target = Path(out) if out is not None else run.path / STEERING
    about = {
        **{"direction": direction.tolist(), "layer": layer, "strengths": list(strengths), "n_random": n_random},
        **{"others": {name: vector.tolist() for name, vector in concepts.items()}, "seed": seed},
        **{"rollouts": kept["rollout_id"].tolist(), "tokens": kept["token_ids"].map(list).tolist()},
        **{"fingerprint": model.fingerprint, "dtype": str(model.dtype), "temperature": config.temperature},
    }
    parts = target / "parts" / content_key(about)
    steered = steer(
        model,
        kept,
        direction,
        layer,
        strengths,
        others=concepts,
        n_random=n_random,
        answer=answer,
        temperature=config.temperature,
        batch_size=config.batch_size,
        seed=seed,
        on_done=on_done,
        keep=partial(_kept, parts),
    )
    steered.save(target)
    save_figure(dose_response(steered.doses), target, "dose_response")
    settings = {
        **{"probe": place.name, "layer": layer, "site": card["site"], "scale": steered.scale},
        **{"strengths": list(strengths), "n_random": n_random, "answer": answer, "seed": seed},
        "others": sorted(set(steered.doses.loc[steered.doses["kind"] == OTHER, "direction"])),
        "model": model.name,
        "fingerprint": model.fingerprint,
    }
    (target / "steering.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(parts)
    if not any(parts.parent.iterdir()):
        parts.parent.rmdir()
    return steered, target


def _kept(folder: Path, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The table that a steering that was stopped left, or a new one, which is left for the next."""
    path = folder / f"{name}.parquet"
    if not path.is_file():
        table, begun = make(), path.with_suffix(".part")
        folder.mkdir(parents=True, exist_ok=True)
        table.to_parquet(begun, index=False)
        os.replace(begun, path)
    return pd.read_parquet(path)


def transcripts_to_do(
    folder: str | Path, n: int | None, n_doses: int, n_random: int, n_others: int, answer: bool
) -> int:
    """How many transcripts `steer_run` goes through, for a progress display."""
    kept = _first_scenarios(RunFolder(folder).read_table(ROLLOUTS), n)
    asked = kept[kept["condition"] != NEUTRAL]
    graded = int((asked["behaviour"] != "neither").sum())
    every = 1 + (1 + n_random + max(1, n_others)) * (n_doses + 1)
    neutral = int((kept["condition"] == NEUTRAL).sum()) * (n_doses + 2)
    return every * (graded + (len(asked) if answer else 0)) + neutral


def _direction(place: Path, model: Model) -> tuple[np.ndarray, dict[str, Any]]:
    probe, card = load_probe(place, {"d_model": model.d_model})
    if isinstance(probe, CCSProbe):
        raise ValueError(f"{place} is a CCS probe, whose sign is arbitrary: choose another estimator")
    if card.get("fingerprint") not in (None, "", model.fingerprint):
        raise ValueError(f"{place} was fitted on another model ({card.get('model')}): its direction means nothing here")
    if not isinstance(card.get("layer"), int) or not 0 <= card["layer"] < model.n_layers:
        raise ValueError(f"{place / 'card.json'}: layer is {card.get('layer')!r}: expected 0 to {model.n_layers - 1}")
    return np.asarray(probe.direction, float), card


def _length_direction(run: RunFolder, rollouts: pd.DataFrame, layer: int, site: str) -> dict[str, np.ndarray]:
    """Mean difference between long and short answers, inside evaluations; none where all are equally long."""
    acts = open_activations(run.path / ACTIVATIONS)
    if layer not in acts.layers or site not in acts.sites:
        return {}
    here = acts.present[:, acts.sites.index(site)]
    acts = acts.select(np.array(acts.rollout_ids)[here].tolist())
    table = rollouts.set_index("rollout_id").loc[acts.rollout_ids]
    length = table["answer"].str.len()
    long = (length > length.groupby(table["eval"]).transform("median")).to_numpy()
    values = np.asarray(acts.at(layer=layer, site=site), float)
    differences = []
    for name in table["eval"].unique():
        own = (table["eval"] == name).to_numpy()
        if (own & long).any() and (own & ~long).any():
            differences.append(values[own & long].mean(axis=0) - values[own & ~long].mean(axis=0))
    found = np.mean(differences, axis=0) if differences else np.zeros(0)
    return {LENGTH: found} if found.any() else {}


def _first_scenarios(rollouts: pd.DataFrame, n: int | None) -> pd.DataFrame:
    if n is None:
        return rollouts
    scenarios = rollouts.drop_duplicates("scenario").groupby("eval", sort=False)["scenario"].head(n)
    return rollouts[rollouts["scenario"].isin(scenarios)].reset_index(drop=True)
