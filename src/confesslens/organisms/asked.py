"""An organism's answers, and what may read them: what every question about knowing has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from confesslens.activations import Activations, open_activations
from confesslens.confessions.requests import COMPLIED, NOT_COMPLIED
from confesslens.evals.conditions import ACCUSED
from confesslens.folder import RunFolder
from confesslens.organisms.demonstrations import DEMONSTRATIONS
from confesslens.organisms.effect import run_witnesses
from confesslens.probes import (
    DataSet,
    TooLittleData,
    auroc_difference,
    auroc_interval,
    resample_weights,
    transfer_scores,
)
from confesslens.probes.cv import MIN_SCENARIOS, rarer_scenarios

PROBE, KNOWER, TEXT, LOGIT = "probe", "probe of knowing", "text of the answer", "confession logit"
KNOWER_TEXT, UNSURE, KNOWER_UNSURE = "text of knowing", "entropy of the first token", "entropies of knowing"
SETTLED, SETTLED_AND = "entropies fitted on these denials", "these and the probe of knowing"
BESIDE = (
    (PROBE, TEXT),
    (KNOWER, KNOWER_TEXT),
    (KNOWER, UNSURE),
    (KNOWER, KNOWER_UNSURE),
    (SETTLED_AND, SETTLED),
)
"""What each probe is set against: what is fitted on the same rows and labels, and how unsure the model was."""
READS = (
    *(PROBE, KNOWER, TEXT, KNOWER_TEXT, LOGIT, UNSURE, KNOWER_UNSURE, SETTLED, SETTLED_AND),
    *(f"{a} above {b}" for a, b in BESIDE),
)
Unsure = Callable[[RunFolder], pd.DataFrame]
"""How unsure a run's model was of its answers: `entropy.answer_entropy`, which runs the model."""
COLUMNS = ["fitted", "asked", "contrast", "reads", "evals", "n", "n_positive", "estimate", "low", "high", "note"]


@dataclass
class Organism:
    """Tempted rollouts of a run, graded complied or not, in the evaluations learned: rows and activations alike."""

    name: str
    rows: pd.DataFrame
    acts: Activations

    @property
    def bad(self) -> np.ndarray:
        """[n] true where the answer was bad."""
        return (self.rows["behaviour"] == NOT_COMPLIED).to_numpy()

    def data(self, labels: np.ndarray, X: Any) -> DataSet:
        """The answers as rows that a probe is fitted on or asked of: `X` [n, d], or n texts."""
        return DataSet(X, labels, self.rows["scenario"].to_numpy(str), self.rows["eval"].to_numpy(str))


@dataclass
class Instrument:
    """What is fitted and what it then reads of the organism that is asked about."""

    train: DataSet
    estimator: Any
    X: Any


def read_organism(run: RunFolder, site: str, unsure: Unsure | None) -> Organism:
    """The answers of a run that have activations at `site`; with `unsure`, how unsure its model was of each.

    Raises ValueError if no activations are of that site.
    """
    table = run.read_table("rollouts.parquet")
    said = run_witnesses(run)[["rollout_id", "claim", "logit"]]
    rows = table.merge(said, on="rollout_id", validate="one_to_one")
    rows = rows[rows["behaviour"].isin([COMPLIED, NOT_COMPLIED]) & (rows["condition"] != ACCUSED)]
    rows = rows[rows["eval"].isin(DEMONSTRATIONS)]
    acts = open_activations(run.path / "activations.zarr", rows["rollout_id"])
    name = Path(run.manifest["model"]["adapter"] or run.manifest["model"]["name"]).name
    if site not in acts.sites:
        raise ValueError(f"no activations at {site}: those of {name} have the sites {', '.join(acts.sites)}")
    rows = rows[acts.present[:, acts.sites.index(site)]].reset_index(drop=True)
    if unsure is not None:
        rows = rows.join(unsure(run), on="rollout_id")
    return Organism(name, rows, acts.select(rows["rollout_id"].tolist()))


def require_place(each: Organism, place: tuple[str, int]) -> None:
    """Raise ValueError unless there are activations at this site and layer."""
    sites, layers = each.acts.sites, each.acts.layers
    if place[0] not in sites or place[1] not in layers:
        raise ValueError(
            f"no activations at {place[0]}, layer {place[1]}: those of {each.name} have the sites "
            f"{', '.join(sites)} and the layers {', '.join(map(str, layers))}"
        )


def answer_words() -> Any:
    """A bag of words, to set beside a probe: of a list of texts."""
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(class_weight="balanced"))


def fitted_scores(train: DataSet, test: DataSet, estimator: Any, seed: int) -> np.ndarray:
    """Scores [n] of `test` by a fit on `train`, no scenario both fitted and scored; NaN where there is too little."""
    try:
        return transfer_scores(train, test, estimator, seed=seed) if len(test) else np.empty(0)
    except TooLittleData:
        return np.full(len(test), np.nan)


def auroc_rows(found: dict[str, np.ndarray], test: DataSet, n_boot: int, seed: int) -> pd.DataFrame:
    """A row each of `found` (what reads -> scores [n]), and each gap of `BESIDE`: n, AUROC in evaluations, interval."""
    both = [name for name, part in test.by_eval().items() if 0 < part.labels.sum() < len(part)]
    counts = {"evals": len(both), "n": len(test), "n_positive": int(test.labels.sum()), "note": ""}
    rarer = rarer_scenarios(test.labels, test.groups, test.evals) if len(test) else 0
    gaps = {f"{reads} above {beside}": (reads, beside) for reads, beside in BESIDE if {reads, beside} <= set(found)}
    if rarer < MIN_SCENARIOS:
        note = f"{rarer} scenarios of the rarer kind in evaluations with both: {MIN_SCENARIOS} are needed"
        nothing = {"estimate": np.nan, "low": np.nan, "high": np.nan, "note": note}
        return pd.DataFrame([{"reads": reads, **counts, **nothing} for reads in (*found, *gaps)])
    rows = []
    for reads, scores in found.items():
        area = auroc_interval(test.labels, scores, test.evals, test.groups, n_boot, seed)
        rows.append({"reads": reads, **counts, "estimate": area.estimate, "low": area.low, "high": area.high})
    weights = resample_weights(test.groups, test.evals, n_boot, seed)
    for name, (reads, beside) in gaps.items():
        gap = auroc_difference(test.labels, found[reads], found[beside], test.evals, weights)
        rows.append({"reads": name, **counts, "estimate": gap.estimate, "low": gap.low, "high": gap.high})
    return pd.DataFrame(rows)
