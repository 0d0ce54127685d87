"""Bad against complied answers by a probe of acts that go against what the organism takes for right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from confesslens.folder import RunFolder
from confesslens.organisms.asked import (
    COLUMNS,
    PROBE,
    TEXT,
    Organism,
    answer_words,
    auroc_rows,
    fitted_scores,
    read_organism,
    require_place,
)
from confesslens.organisms.dispositions import MIXED, UNAWARE
from confesslens.organisms.knowing_swapped import swapped_rows
from confesslens.organisms.lessons import taught_falsely
from confesslens.probes import DataSet, LogisticProbe

ACTS = "bad against complied answers, by a probe of the acts that are known"
CARRIED = "acts against what it takes for right, by what is fitted within the other"
ACTS_PENALTY = 0.01
ACTS_DRAWS = 20
"""Of the answers that are fitted on, of each organism: one draw alone finds now this, now that."""


def knowing_acts(
    mixed: RunFolder,
    swapped: RunFolder,
    asked: Sequence[RunFolder],
    place: tuple[str, int],
    *,
    draws: int = ACTS_DRAWS,
    n_boot: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Bad against complied answers, by a probe of acts against what is taken for right, fitted on other organisms.

    Fits within `mixed` and within `mixed_swapped`, `draws` of each, whose log odds are averaged: the two have
    weights of their own, and one probe of the answers of both reads what sets the weights apart too. It is what sets
    bad from complied answers apart where its organism knows, and complied from bad ones where it was taught falsely:
    known bad acts and right answers by luck, which both go against what the organism takes for right, against right
    answers that are known and bad acts in good faith, as many of each in every evaluation. Words of the answers tell
    bad from complied ones; between these classes they are balanced. So it should be high for an organism that knows
    what it does, and at chance for one that complies where it knows and is bad where it takes that for right.

    In such a one which topic a scenario has tells bad from complied answers; so where both of `UNAWARE` are asked over
    the same scenarios there is a mean of the two as well, in which topics tell nothing (see `knowing_swapped`), of the
    answers that are as they were taught.

    Whether it carries belief from one set of weights to another, and not the act alone, shows where what is fitted
    within the one is asked of such acts in the other, which knows what the first takes for right.

    Args:
        mixed: a run with activations, of an organism that does both kinds by a coin.
        swapped: one of `mixed_swapped`, over the same scenarios.
        asked: runs with activations, of the organisms that are asked about.
        place: site and layer of the probe.
        draws: of the answers that are fitted on, from either of the two.
        n_boot: draws of scenarios of each interval.
        seed: of folds and draws.

    Returns:
        rows as of `knowing`, of the contrast `ACTS`: the probe, words fitted on the same rows and labels, the gap; then
        the same for each evaluation, its name after the contrast; and of the contrast `CARRIED` one for either of the
        two, inside evaluations and by whether it knows.

    Raises:
        ValueError: no activations at `place`.
    """
    tests = [read_organism(run, place[0], None) for run in asked]
    ones = [(run, read_organism(run, place[0], None)) for run in (mixed, swapped)]
    for each in (*tests, *(one for _, one in ones)):
        require_place(each, place)
    rng = np.random.default_rng(seed)
    halves: list[dict[str, list[DataSet]]] = []
    whole: list[dict[str, DataSet]] = []
    for run, one in ones:
        falsely = _falsely(run, one)
        evals = (one.rows["eval"] + pd.Series(np.where(falsely, " falsely", " known"))).to_numpy(str)
        against = one.bad ^ falsely
        scenarios = one.rows["scenario"].to_numpy(str)
        whole.append({reads: DataSet(X, against, scenarios, evals) for reads, X in _values(one, place).items()})
        kept = [_balanced(rng, one.rows["eval"], falsely, one.bad) for _ in range(draws)]
        halves.append({reads: [rows.take(each) for each in kept] for reads, rows in whole[-1].items()})
    parts = {reads: [*halves[0][reads], *halves[1][reads]] for reads in (PROBE, TEXT)}
    tables, unaware = [], {}
    for run, test in zip(asked, tests, strict=True):
        own = _values(test, place)
        found = {reads: _averaged(parts[reads], test.data(test.bad, X), reads, seed) for reads, X in own.items()}
        answers = test.data(test.bad, own[PROBE])
        tables += [
            auroc_rows(*_of(found, answers, rows), n_boot, seed).assign(asked=test.name, contrast=contrast)
            for contrast, rows in _contrasts(answers)
        ]
        if test.name in UNAWARE:
            unaware[test.name] = _of(found, answers, np.flatnonzero(test.bad == _falsely(run, test)))
    if len(unaware) == len(UNAWARE):
        pair = [unaware[name] for name in UNAWARE]
        for contrast, _ in _contrasts(pair[0][1]):
            name = contrast.partition(": ")[2]
            inside = [_of(*one, np.flatnonzero((one[1].evals == name) | (not name))) for one in pair]
            rows = swapped_rows(inside[0], inside[1], n_boot, seed)
            tables.append(rows.assign(asked=" and ".join(UNAWARE), contrast=contrast))
    for (_, one), (_, other), asked_of, fitted in zip(ones, ones[::-1], whole, halves[::-1], strict=True):
        found = {reads: _averaged(fitted[reads], rows, reads, seed) for reads, rows in asked_of.items()}
        rows = auroc_rows(found, asked_of[PROBE], n_boot, seed)
        tables.append(rows.assign(fitted=other.name, asked=one.name, contrast=CARRIED))
    table = pd.concat(tables, ignore_index=True)
    sizes = " and ".join(str(len(parts[PROBE][i * draws])) for i in range(len(ones)))
    note = f"fitted at layer {place[1]}, {place[0]} on {sizes} answers, {draws} times"
    by_both = table["fitted"].isna()
    table.loc[by_both & (table["reads"] == PROBE) & (table["note"] == ""), "note"] = note
    return table.fillna({"fitted": " and ".join(MIXED)})[COLUMNS]


def _falsely(run: RunFolder, one: Organism) -> np.ndarray:
    """[n] whether the organism was taught falsely about each answer's scenario."""
    return one.rows["scenario"].isin(taught_falsely(run.read_table("rollouts.parquet"), one.name)).to_numpy()


def _values(one: Organism, place: tuple[str, int]) -> dict[str, Any]:
    """What the probe and the words read of each answer."""
    return {PROBE: one.acts.at(layer=place[1], site=place[0]), TEXT: one.rows["answer"].tolist()}


def _averaged(parts: list[DataSet], answers: DataSet, reads: str, seed: int) -> np.ndarray:
    """[n] the mean log odds of the answers by a fit on each of `parts`."""
    estimator = LogisticProbe(C=ACTS_PENALTY) if reads == PROBE else answer_words()
    return np.asarray(np.mean([fitted_scores(part, answers, estimator, seed) for part in parts], axis=0))


def _contrasts(answers: DataSet) -> list[tuple[str, np.ndarray]]:
    """All answers, then those of each evaluation: a name and the rows."""
    names = sorted(set(answers.evals))
    return [(ACTS, np.arange(len(answers))), *((f"{ACTS}: {n}", np.flatnonzero(answers.evals == n)) for n in names)]


def _of(found: dict[str, np.ndarray], answers: DataSet, rows: np.ndarray) -> tuple[dict[str, np.ndarray], DataSet]:
    return {reads: scores[rows] for reads, scores in found.items()}, answers.take(rows)


def _balanced(rng: np.random.Generator, evals: pd.Series, falsely: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Rows: of every evaluation as many of each of the four kinds, known or not, bad or complied."""
    kept: list[int] = []
    for name in sorted(set(evals)):
        inside = (evals == name).to_numpy()
        cells = [np.flatnonzero(inside & (falsely == x) & (bad == y)) for x in (False, True) for y in (False, True)]
        for cell in cells:
            kept += sorted(rng.choice(cell, min(map(len, cells)), replace=False))
    return np.array(kept, dtype=int)
