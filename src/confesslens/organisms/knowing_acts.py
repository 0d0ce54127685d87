"""Bad against complied answers by a probe of acts that go against what the organism takes for right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from confesslens.folder import RunFolder
from confesslens.organisms.asked import (
    COLUMNS,
    PROBE,
    TEXT,
    answer_words,
    auroc_rows,
    fitted_scores,
    read_organism,
    require_place,
)
from confesslens.organisms.dispositions import MIXED
from confesslens.organisms.lessons import taught_falsely
from confesslens.probes import DataSet, LogisticProbe

ACTS = "bad against complied answers, by a probe of the acts that are known"
ACTS_PENALTY = 0.01


def knowing_acts(
    mixed: RunFolder,
    swapped: RunFolder,
    asked: RunFolder,
    place: tuple[str, int],
    *,
    n_boot: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Bad against complied answers of an organism, by a probe of the acts that are known, fitted on neither.

    It is fitted within `mixed` and `mixed_swapped` to what sets bad from complied answers apart where they know, and
    complied from bad ones where they were taught falsely: known bad acts and right answers by luck, which both go
    against what the organism takes for right, against right answers that are known and bad acts in good faith, as many
    of each in every evaluation of each of the two. Words of the answers tell bad from complied ones; between these
    classes they are balanced. So it should be high for an organism that knows what it does; one that knows of no bad
    act goes against what it takes for right where it complies, so there it should be at chance or below.

    Args:
        mixed: a run with activations, of an organism that does both kinds by a coin.
        swapped: one of `mixed_swapped`, over the same scenarios.
        asked: a run with activations, of the organism that is asked about.
        place: site and layer of the probe.
        n_boot: draws of scenarios of each interval.
        seed: of folds and draws.

    Returns:
        rows as of `knowing`, of the contrast `ACTS`: the probe, words fitted on the same rows and labels, the gap; then
        the same for each evaluation, its name after the contrast.

    Raises:
        ValueError: no activations at `place`.
    """
    test = read_organism(asked, place[0], None)
    ones = [(run, read_organism(run, place[0], None)) for run in (mixed, swapped)]
    for each in (test, *(one for _, one in ones)):
        require_place(each, place)
    rng = np.random.default_rng(seed)
    parts: dict[str, list[DataSet]] = {PROBE: [], TEXT: []}
    for run, one in ones:
        falsely = one.rows["scenario"].isin(taught_falsely(run.read_table("rollouts.parquet"), one.name)).to_numpy()
        kept = _balanced(rng, one.rows["eval"], falsely, one.bad)
        evals = one.rows["eval"] + f" {one.name} " + pd.Series(np.where(falsely, "falsely", "known"))
        values = {PROBE: one.acts.at(layer=place[1], site=place[0]), TEXT: one.rows["answer"].tolist()}
        for reads, X in values.items():
            parts[reads].append(
                DataSet(X, one.bad ^ falsely, one.rows["scenario"].to_numpy(str), evals.to_numpy(str)).take(kept)
            )
    found = {}
    own = {PROBE: test.acts.at(layer=place[1], site=place[0]), TEXT: test.rows["answer"].tolist()}
    for reads, X in own.items():
        first, second = parts[reads]
        together = [*first.X, *second.X]
        fitted = DataSet(
            np.asarray(together) if reads == PROBE else together,
            *(np.concatenate([getattr(d, name) for d in (first, second)]) for name in ("labels", "groups", "evals")),
        )
        estimator = LogisticProbe(C=ACTS_PENALTY) if reads == PROBE else answer_words()
        found[reads] = fitted_scores(fitted, test.data(test.bad, X), estimator, seed)
    answers = test.data(test.bad, own[PROBE])
    tables = [auroc_rows(found, answers, n_boot, seed).assign(contrast=ACTS)]
    for name in sorted(set(answers.evals)):
        rows = np.flatnonzero(answers.evals == name)
        alone = auroc_rows({reads: scores[rows] for reads, scores in found.items()}, answers.take(rows), n_boot, seed)
        tables.append(alone.assign(contrast=f"{ACTS}: {name}"))
    table = pd.concat(tables, ignore_index=True)
    note = f"fitted at layer {place[1]}, {place[0]} on {len(fitted)} answers"
    table.loc[(table["reads"] == PROBE) & (table["note"] == ""), "note"] = note
    return table.assign(fitted=" and ".join(MIXED), asked=test.name)[COLUMNS]


def _balanced(rng: np.random.Generator, evals: pd.Series, falsely: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Rows: of every evaluation as many of each of the four kinds, known or not, bad or complied."""
    kept: list[int] = []
    for name in sorted(set(evals)):
        inside = (evals == name).to_numpy()
        cells = [np.flatnonzero(inside & (falsely == x) & (bad == y)) for x in (False, True) for y in (False, True)]
        for cell in cells:
            kept += sorted(rng.choice(cell, min(map(len, cells)), replace=False))
    return np.array(kept, dtype=int)
