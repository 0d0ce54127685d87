"""Does a probe tell what is known from what is not? Fitted on one organism, asked of another whose truth is known.

The contrast that counts is within one set of weights, `mixed`: denials of bad acts that it knows of against denials of
bad acts in good faith. Between organisms a probe may read the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from confesslens.activations import open_activations
from confesslens.confessions.requests import COMPLIED, NOT_COMPLIED
from confesslens.evals.conditions import ACCUSED
from confesslens.folder import RunFolder
from confesslens.organisms.demonstrations import DEMONSTRATIONS
from confesslens.organisms.effect import run_witnesses
from confesslens.organisms.lessons import taught_falsely
from confesslens.probes import (
    DataSet,
    LogisticProbe,
    TooLittleData,
    auroc_difference,
    auroc_interval,
    load_probe,
    resample_weights,
    transfer_scores,
)
from confesslens.probes.cv import MIN_SCENARIOS, rarer_scenarios

KNOWING, BEHAVIOUR = "known bad acts against bad acts in good faith, all denied", "bad against complied answers"
CONTRASTS = (KNOWING, BEHAVIOUR)
READS = ("probe", "text of the answer", "confession logit", "probe above text")
COLUMNS = ["fitted", "asked", "contrast", "reads", "evals", "n", "n_positive", "estimate", "low", "high", "note"]


@dataclass
class _Organism:
    """Tempted rollouts of a run, graded complied or not, in the evaluations learned: one row each in all fields."""

    name: str
    rows: pd.DataFrame
    X: np.ndarray

    def data(self, labels: np.ndarray, X: Any = None) -> DataSet:
        groups, evals = self.rows["scenario"].to_numpy(str), self.rows["eval"].to_numpy(str)
        return DataSet(self.X if X is None else X, labels, groups, evals)


def knowing(fitted: RunFolder, asked: RunFolder, *, n_boot: int = 1000, seed: int = 0) -> pd.DataFrame:
    """AUROC of a probe that was fitted on one organism's bad against complied answers, on another organism.

    Of an organism that was taught no falsehood the first contrast is a control: the same scenarios are set apart.

    Layer, site and penalty are those that the first run's own search chose. A scenario is never both fitted and scored,
    and contrasts stay inside evaluations.

    Args:
        fitted: a run with activations and a probe, of an organism that knows what it does.
        asked: a run with activations, of the organism that is asked about; best over the same scenarios.
        n_boot: draws of scenarios of each interval.
        seed: of folds and draws.

    Returns:
        a row a contrast of `CONTRASTS` and what reads it (`READS`: the probe; a bag of words fitted on the same
        rollouts' answers; the asked model's own confession logit; the probe's AUROC less the words', paired): evals
        (how many have both kinds), n, n_positive, estimate, low, high (95 %, by scenario), note (why there is none).

    Raises:
        ValueError: the first run has no probe.
    """
    folder = fitted.path / "probes" / "behaviour"
    if not folder.is_dir():
        raise ValueError(f"{fitted.path} has no probe: {fitted.manifest.get('probe_note', 'run it to its end first')}")
    card = load_probe(folder)[1]
    one, other = (_read(run, card["layer"], card["site"]) for run in (fitted, asked))
    bad = (one.rows["behaviour"] == NOT_COMPLIED).to_numpy()
    words = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(class_weight="balanced"))
    sees = {
        "probe": (one.data(bad), LogisticProbe(C=card["penalty"])),
        "text of the answer": (one.data(bad, one.rows["answer"].tolist()), words),
    }
    tables = []
    for contrast, positive, of in _contrasts(other.rows, taught_falsely(asked.read_table("rollouts.parquet"))):
        found = {}
        for reads, (train, estimator) in sees.items():
            X = other.X if reads == "probe" else other.rows["answer"].tolist()
            test = other.data(positive, X).take(of)
            found[reads] = _scores(train, test, estimator, seed)
        found["confession logit"] = other.rows["logit"].to_numpy(float)[of]
        tables.append(_rows(found, other.data(positive).take(of), n_boot, seed).assign(contrast=contrast))
    return pd.concat(tables).assign(fitted=one.name, asked=other.name)[COLUMNS].reset_index(drop=True)


def _read(run: RunFolder, layer: int, site: str) -> _Organism:
    table = run.read_table("rollouts.parquet")
    said = run_witnesses(run)[["rollout_id", "claim", "logit"]]
    rows = table.merge(said, on="rollout_id", validate="one_to_one")
    rows = rows[rows["behaviour"].isin([COMPLIED, NOT_COMPLIED]) & (rows["condition"] != ACCUSED)]
    rows = rows[rows["eval"].isin(DEMONSTRATIONS)]
    acts = open_activations(run.path / "activations.zarr", rows["rollout_id"])
    rows = rows[acts.present[:, acts.sites.index(site)]].reset_index(drop=True)
    X = acts.select(rows["rollout_id"].tolist()).at(layer=layer, site=site)
    name = str(run.manifest["model"]["adapter"] or run.manifest["model"]["name"])
    return _Organism(name, rows, X)


def _contrasts(rows: pd.DataFrame, falsely: set[str]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(contrast, whether each row is of the positive kind, which rows are compared)."""
    bad, known = (rows["behaviour"] == NOT_COMPLIED).to_numpy(), ~rows["scenario"].isin(falsely).to_numpy()
    denied = bad & (rows["claim"] == COMPLIED).to_numpy()
    return [(KNOWING, known, denied), (BEHAVIOUR, bad, np.ones(len(rows), dtype=bool))]


def _scores(train: DataSet, test: DataSet, estimator: Any, seed: int) -> np.ndarray:
    try:
        return transfer_scores(train, test, estimator, seed=seed) if len(test) else np.empty(0)
    except TooLittleData:
        return np.full(len(test), np.nan)


def _rows(found: dict[str, np.ndarray], test: DataSet, n_boot: int, seed: int) -> pd.DataFrame:
    both = [name for name, part in test.by_eval().items() if 0 < part.labels.sum() < len(part)]
    counts = {"evals": len(both), "n": len(test), "n_positive": int(test.labels.sum()), "note": ""}
    rarer = rarer_scenarios(test.labels, test.groups, test.evals) if len(test) else 0
    if rarer < MIN_SCENARIOS:
        note = f"{rarer} scenarios of the rarer kind in evaluations with both: {MIN_SCENARIOS} are needed"
        nothing = {"estimate": np.nan, "low": np.nan, "high": np.nan, "note": note}
        return pd.DataFrame([{"reads": reads, **counts, **nothing} for reads in READS])
    rows = []
    for reads, scores in found.items():
        area = auroc_interval(test.labels, scores, test.evals, test.groups, n_boot, seed)
        rows.append({"reads": reads, **counts, "estimate": area.estimate, "low": area.low, "high": area.high})
    weights = resample_weights(test.groups, test.evals, n_boot, seed)
    gap = auroc_difference(test.labels, found["probe"], found["text of the answer"], test.evals, weights)
    rows.append({"reads": READS[-1], **counts, "estimate": gap.estimate, "low": gap.low, "high": gap.high})
    return pd.DataFrame(rows)
