"""What each stage of a run does with its folder."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from confesslens import cot, faithfulness, figures, probes
from confesslens.activations import Activations, load_activations, open_activations, order_items
from confesslens.activations.sites import PRIMARY_SITES
from confesslens.activations.token_scores import score_rollouts
from confesslens.config import RunConfig
from confesslens.evals import NEUTRAL
from confesslens.evals.twins import find_twins
from confesslens.folder import RunFolder
from confesslens.models import EMBEDDED
from confesslens.models.embedded import EMBEDDED_HUB_ID
from confesslens.models.endpoint import NO_INTERNALS
from confesslens.rollouts.rollout import add_knowledge
from confesslens.scale import AnyWorkers, RayWorkers
from confesslens.shards import (
    CONFESSIONS,
    GROWING,
    ROLLOUTS,
    SHARD,
    Shard,
    asked_rollouts,
    capture_shard,
    confess_shard,
    planned_rollouts,
    sample_shard,
)

if TYPE_CHECKING:
    from confesslens.models import Model

Advance = Callable[[int], Any]
ACTIVATIONS = "activations.zarr"
TOKEN_SCORES = "results/token_scores.parquet"
PERMUTATIONS = 199  # of labels, for the probe map's p


def rollouts(run: RunFolder, config: RunConfig, workers: AnyWorkers, advance: Advance) -> None:
    """Sample and grade; rollouts.parquet."""
    shards = _shards(run, config, [item.scenario.scenario for item in planned_rollouts(config)])
    parts = _missing(workers, sample_shard, shards, "rollouts", "parquet", advance)
    table = pd.concat([pd.read_parquet(path) for path in parts])
    order = [item.rollout_id for item in planned_rollouts(config)]
    run.write_table(ROLLOUTS, add_knowledge(table.set_index("rollout_id", drop=False).loc[order]))


def confessions(run: RunFolder, config: RunConfig, workers: AnyWorkers, advance: Advance) -> None:
    """Ask for confessions of all but the neutral rollouts; confessions.parquet."""
    shards = _shards(run, config, asked_rollouts(run)["scenario"].tolist())
    parts = _missing(workers, confess_shard, shards, "confessions", "parquet", advance)
    table = pd.concat([pd.read_parquet(path) for path in parts])
    order = asked_rollouts(run)["rollout_id"]
    run.write_table(CONFESSIONS, table.set_index("rollout_id", drop=False).loc[order])


def activations(run: RunFolder, config: RunConfig, workers: AnyWorkers, advance: Advance) -> None:
    """Read the residual stream of the same rollouts; activations.zarr. Of a model behind an endpoint there is none."""
    table = asked_rollouts(run)
    if config.endpoint is not None:
        advance(len(table))
        return
    shards = _shards(run, config, table["scenario"].tolist())
    _missing(workers, capture_shard, shards, "activations", "done", advance)
    if (run.path / GROWING).is_dir():  # else a kill came between the renaming and the manifest
        order_items(run.path / GROWING, table["rollout_id"])
        run.remove(ACTIVATIONS)
        (run.path / GROWING).rename(run.path / ACTIVATIONS)
    acts = open_activations(run.path / ACTIVATIONS)
    tokenizers = {path.read_text(encoding="utf-8") for path in run.path.glob("parts/activations-*.done")}
    run.manifest.setdefault("model", {}).update(
        fingerprint=acts.model, tokenizer=min(tokenizers, default=""), dtype=acts.model_dtype, layers=len(acts.layers)
    )


def probe(run: RunFolder, config: RunConfig, workers: AnyWorkers, advance: Advance) -> None:
    """Sweep probes over layers and sites, beside their controls; the probe is saved with its card."""
    table = asked_rollouts(run)
    graded = (table["behaviour"] != "neither").to_numpy()
    rows = table[graded]
    empty = pd.DataFrame(columns=["layer", "site", "n", "n_pos", "auroc", "low", "high", "shuffled", "text", "p"])
    beside = pd.DataFrame(columns=probes.CONTROL_COLUMNS)
    scores = pd.DataFrame({"rollout_id": table["rollout_id"], "probe": np.nan, "text": np.nan})
    run.remove("probes")
    run.remove(TOKEN_SCORES)  # of the probe before
    told = 0

    def tell(done: int, _: int) -> None:
        nonlocal told
        advance(done - told)  # below zero where a worker died
        told = done

    try:
        if config.endpoint is not None:
            raise probes.TooLittleData(NO_INTERNALS)
        acts = load_activations(run.path / ACTIVATIONS)
        every = [i for i in range(len(acts.layers)) if i % config.probe_every == 0 or i == len(acts.layers) - 1]
        labels, groups = (rows["behaviour"] == "not_complied").to_numpy(), rows["scenario"].to_numpy()
        names = (rows["eval"] + " " + rows["condition"]).to_numpy()  # contrasts stay within one condition
        text = probes.text_baseline(rows["answer"].tolist(), labels, groups, names, seed=config.seed)
        grid = (
            *(acts.values[graded][:, every], acts.present[graded], labels, groups, names),
            *([acts.layers[i] for i in every], acts.sites),
        )
        found = probes.sweep(
            *grid,
            estimators=["logistic"],
            seed=config.seed,
            permutations=PERMUTATIONS,
            primary_sites=[site for site in acts.sites if site in PRIMARY_SITES] or None,
            text_scores=text,
            progress=tell,
            each=workers.each if isinstance(workers, RayWorkers) else None,
        )
    except probes.TooLittleData as error:
        run.manifest["probe_note"] = str(error)
        probe_map = empty
    else:
        run.manifest.pop("probe_note", None)
        probe_map = found.table
        scores.loc[graded, "probe"] = found.nested.score
        scores.loc[graded, "text"] = text
        for column in range(found.nested.shuffled_score.shape[1]):
            scores.loc[graded, f"shuffled_{column}"] = found.nested.shuffled_score[:, column]
            scores.loc[graded, f"label_of_shuffled_{column}"] = found.nested.shuffled_labels[:, column].astype(float)
        answers, logit = rows["answer"].tolist(), _confession_logit(run, rows["rollout_id"])
        beside = probes.controls(found, *grid, answers, text_scores=text, yes_no=logit)
        _save_probe(run, acts, found, beside, labels, names, rows)
    run.write_table("results/probe_map.parquet", probe_map)
    run.write_table("results/controls.parquet", beside)
    run.write_table("results/scores.parquet", scores)


def compare(run: RunFolder, config: RunConfig, _: AnyWorkers, advance: Advance) -> None:
    """Set the four witnesses side by side; every table of results/."""
    for name, numbers in comparison(run, config).tables().items():
        run.write_table(f"results/{name}.parquet", numbers)
    advance(1)


def comparison(
    run: RunFolder, config: RunConfig, errors: Any = None, threshold: float = 0.0
) -> faithfulness.Comparison:
    """Compare the four witnesses of a run.

    Args:
        run: with its rollouts, confessions and probe scores.
        config: of the run.
        errors: the probe's sensitivity and specificity on organisms, see `faithfulness.probe_errors`.
        threshold: the probe fires above it.
    """
    table, confessed = run.read_table(ROLLOUTS), run.read_table(CONFESSIONS)
    scores = run.read_table("results/scores.parquet").set_index("rollout_id")
    given = {"probe": scores["probe"], "text": scores["text"], "cot": mentions(table, config)}
    for name, columns in (("shuffled", "^shuffled_"), ("shuffled_labels", "^label_of_shuffled_")):
        found = scores.filter(regex=columns)
        given[name] = found if found.shape[1] else None
    return faithfulness.compare(table, confessed, **given, errors=errors, threshold=threshold)


def mentions(rollouts: pd.DataFrame, config: RunConfig) -> pd.DataFrame:
    """What the chains of thought mention, by rollout_id: `mentioned` (None in a run without them) and `quote`."""
    asked = rollouts[rollouts["condition"] != NEUTRAL]
    said = [cot.mentions(row["eval"], row["cot"]) for row in asked.to_dict("records")]
    return pd.DataFrame(
        {"mentioned": [m.mentioned if config.cot else None for m in said], "quote": [m.quote for m in said]},
        index=asked["rollout_id"],
    )


def report(run: RunFolder, config: RunConfig, _: AnyWorkers, advance: Advance) -> None:
    """Draw the figures and write report.html and explorer.html."""
    tables = run.tables()
    drawn = {
        "confession_rates": figures.confession_rates(tables["rates"]),
        "probe_map": figures.probe_map(tables["probe_map"]),
        "cells": figures.cells(tables["cells"]),
        "agreement": figures.agreement(tables["agreement"]),
    }
    saved = {name: figures.save_figure(figure, run.path / "figures", name)["svg"] for name, figure in drawn.items()}
    rolled, confessed = run.read_table(ROLLOUTS), run.read_table(CONFESSIONS)
    page = figures.render_report(tables, rolled, confessed, run.manifest, saved)
    run.write("report.html", functools.partial(_write_text, page))
    write_explorer(run)
    advance(1)


def write_explorer(run: RunFolder) -> None:
    """Write explorer.html, with the scores of tokens where `score_tokens_of_run` has made them."""
    tables, rolled, confessed = run.tables(), run.read_table(ROLLOUTS), run.read_table(CONFESSIONS)
    page = figures.render_explorer(
        rolled, confessed, tables["witnesses"], run.manifest, find_twins(rolled), tables.get("token_scores")
    )
    run.write("explorer.html", functools.partial(_write_text, page))


def score_tokens_of_run(run: RunFolder, model: Model, advance: Advance) -> None:
    """Score every token of the chains of thought and answers by the run's probe; results/token_scores.parquet.

    Raises:
        ValueError: the run has no probe (why is said, where the run knows).
    """
    folder = run.path / "probes" / "behaviour"
    if not folder.is_dir():
        raise ValueError(
            f"{run.path} has no probe to score tokens with: {run.manifest.get('probe_note', 'run it first')}"
        )
    fitted, _ = probes.load_probe(folder)
    run.write_table(TOKEN_SCORES, score_rollouts(fitted, model, asked_rollouts(run), on_done=advance))


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def sizes(config: RunConfig, n_layers: int) -> dict[str, int]:
    """How many items each stage works on, for the progress display."""
    planned = planned_rollouts(config)
    asked = sum(item.condition != NEUTRAL for item in planned)
    probed = len([i for i in range(n_layers) if i % config.probe_every == 0 or i == n_layers - 1])
    return {
        "rollouts": len(planned),
        "confessions": asked * (1 + config.free_samples),
        "activations": asked,
        "probes": probed * len(config.sites),
        "faithfulness": 1,
        "report": 1,
    }


def _shards(run: RunFolder, config: RunConfig, scenarios: Sequence[str]) -> list[Shard]:
    """Shards of whole scenarios, dealt out in turn, so that all take about as long; `scenarios` [rollout]."""
    numbers = {scenario: number for number, scenario in enumerate(dict.fromkeys(scenarios))}
    count = min(2 * -(-len(scenarios) // (2 * SHARD)), len(numbers))  # even, for two workers to end together
    places: list[list[int]] = [[] for _ in range(count)]
    for place, scenario in enumerate(scenarios):
        places[numbers[scenario] % count].append(place)
    return [Shard(run.path.resolve(), config, number, count, tuple(own)) for number, own in enumerate(places)]


def _missing(
    workers: AnyWorkers, task: Callable[..., Any], shards: list[Shard], stage: str, ending: str, advance: Advance
) -> list[Path]:
    """Work on the shards that have no part yet, or none that can be read; the paths of all parts, in order."""
    paths = [shard.file(stage, ending) for shard in shards]
    scale = 1 + shards[0].config.free_samples if stage == "confessions" else 1
    for shard, path in zip(shards, paths, strict=True):
        if _is_cut(path):
            path.unlink()
        if path.is_file():
            advance(len(shard.places) * scale)
    workers.map(task, [shard for shard, path in zip(shards, paths, strict=True) if not path.is_file()], advance)
    return paths


def _is_cut(path: Path) -> bool:
    """Whether a part is there and cannot be read: what parquet says of itself stands at its end."""
    if path.suffix != ".parquet" or not path.is_file():
        return False
    try:
        pq.read_metadata(path)
    except (ValueError, OSError):
        return True
    return False


def _confession_logit(run: RunFolder, rollout_ids: pd.Series) -> np.ndarray:
    """[n] the model's own answer about each rollout, log p(✗) − log p(✓) of its guided confession; NaN without one."""
    said = run.read_table(CONFESSIONS)
    said = said[said["mode"] == "guided"].drop_duplicates("rollout_id").set_index("rollout_id")["logit"]
    return said.reindex(rollout_ids).to_numpy(float)


def _save_probe(
    run: RunFolder,
    acts: Activations,
    found: probes.Sweep,
    beside: pd.DataFrame,
    labels: np.ndarray,
    names: np.ndarray,
    rows: pd.DataFrame,
) -> None:
    layer, site, penalty, estimator = found.best()
    column = acts.sites.index(site)
    ids = {rollout_id: i for i, rollout_id in enumerate(acts.rollout_ids)}
    at = np.array([ids[rollout_id] for rollout_id in rows["rollout_id"]])
    here = acts.present[at, column]
    values = acts.values[at[here], acts.layers.index(layer), column]
    fitted = probes.fit_probe(values, labels[here], names[here], penalty, estimator)
    model = run.manifest["model"]
    card = {
        "name": "behaviour",
        **{key: model.get(key, "") for key in ("adapter", "fingerprint", "tokenizer", "dtype")},
        "model": model["name"],
        "base_model": EMBEDDED_HUB_ID if model["name"] == EMBEDDED else model["name"],
        "layer": layer,
        "stream": acts.streams[0],
        "site": site,
        "penalty": penalty,
        "label": "graded behaviour: not_complied against complied, inside the tempted prompts of each evaluation",
        "evals": sorted(set(rows["eval"])),
        "n": int(here.sum()),
        "n_bad": int(labels[here].sum()),
        "metrics": {"nested_auroc_within_evaluation": found.nested.auroc, "p_corrected_for_the_search": found.p},
        "controls": probes.card_controls(beside),
        "data_hash": hashlib.sha256("\n".join(rows["rollout_id"]).encode() + labels.tobytes()).hexdigest()[:16],
        "intended_use": "exploring the run that it comes from, and trying the tools: the metrics are nested "
        "cross-validation's over layers and sites, not this fit's; see the increment over text before believing it",
        "limits": "a correlation on one model's own rollouts, with behaviour as the label and not knowledge: no "
        "evidence of intent; not tested on other models, evaluations or read sites",
    }
    probes.save_probe(run.path / "probes" / "behaviour", fitted, card)
