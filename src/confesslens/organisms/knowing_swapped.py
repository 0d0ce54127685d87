"""What one set of weights knows and the other takes for right: the crossover, in which topics tell nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from confesslens.folder import RunFolder
from confesslens.organisms.asked import (
    BESIDE,
    COLUMNS,
    KNOWER,
    KNOWER_TEXT,
    KNOWER_UNSURE,
    LOGIT,
    PROBE,
    SETTLED,
    SETTLED_AND,
    UNSURE,
    Unsure,
)
from confesslens.organisms.dispositions import MIXED
from confesslens.organisms.entropy import ENTROPIES
from confesslens.organisms.knowing import all_scores, contrasts, instruments
from confesslens.probes import DataSet, Interval, LogisticProbe, resample_weights, transfer_scores
from confesslens.probes.bootstrap import auroc_draws, expanded, gap_interval, percentile_interval
from confesslens.probes.cv import MIN_SCENARIOS, rarer_scenarios
from confesslens.probes.metrics import elteren_weight

SWAPPED = "the same scenarios, known to the one and taken for right by the other, all denied"


def knowing_swapped(
    fitted: RunFolder,
    mixed: RunFolder,
    swapped: RunFolder,
    unknowing: RunFolder | None = None,
    *,
    place: tuple[str, int] | None = None,
    unsure: Unsure | None = None,
    n_boot: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """The first contrast of `knowing` within each of two sets of weights, as the mean of the two AUROCs.

    What `mixed` knows of `mixed_swapped` takes for right, and the other way round (a crossover design). Only scenarios
    count whose bad act both have done and denied, and each counts the same, however often it was done: so what reads
    which scenario it is, and not whether it is known, is exactly as far above a half in the one as below it in the
    other. Without that it is not, for what is known is done by a coin, and oftener where it tempts more. Scenarios are
    drawn for both at once.

    With `unsure`, whether the probe of knowing adds to how unsure the models were: entropies fitted on these very
    denials, in folds of scenarios, without the probe and with it. The fit is linear and one for all evaluations, so
    that it is not all that certainty could tell.

    Args, and what is returned, as of `knowing`: a row a reading.
    """
    readings, entropies = [], []
    for asked in (mixed, swapped):
        one, other, sees, note = instruments(fitted, asked, unknowing, place, unsure, seed)
        _, positive, of = contrasts(other, asked)[0]
        found = all_scores(sees, other, positive, of, seed)
        readings.append((found, other.data(positive, sees[PROBE].X).take(of)))
        if UNSURE in found:
            entropies.append(other.rows.loc[of, ENTROPIES].fillna(0).to_numpy(float))
    table = swapped_rows(readings[0], readings[1], n_boot, seed, entropies)
    table.loc[(table["reads"] == KNOWER) & (table["note"] == ""), "note"] = note
    return table.assign(contrast=SWAPPED, fitted=one.name, asked=" and ".join(MIXED))[COLUMNS]


def knowing_controls(table: pd.DataFrame) -> pd.DataFrame:
    """The probe of knowing beside what might explain it away, where two sets of weights swap what they know.

    Args:
        table: of `knowing_swapped`, or one with its rows among others.

    Returns:
        a row each, as of `probes.controls`, for `figures.probe_controls`.

    Raises:
        ValueError: no such row, or without a probe of knowing.
    """
    rows = table[table["contrast"] == SWAPPED].set_index("reads")
    if KNOWER not in rows.index:
        raise ValueError(
            f"no probe of knowing asked of {' and '.join(MIXED)}: both runs, and one of an organism that knows of "
            "nothing, are needed"
        )

    def numbers(reads: str, estimate: str, bound: str) -> dict[str, float]:
        row = rows.loc[reads]
        return {estimate: row["estimate"], f"{bound}low": row["low"], f"{bound}high": row["high"]}

    found = []
    for reads, label in _LABELS.items():
        if reads in rows.index:
            found.append({"control": label, "n": rows.loc[reads, "n"], **numbers(reads, "auroc", "")})
            for probe in (KNOWER, SETTLED_AND):
                if (gap := f"{probe} above {reads}") in rows.index:
                    found[-1] |= numbers(gap, "increment", "increment_")
    columns = ["control", "n", "auroc", "low", "high", "increment", "increment_low", "increment_high"]
    return pd.DataFrame(found).reindex(columns=columns)


_LABELS = {
    KNOWER: "probe",
    KNOWER_TEXT: "words",
    UNSURE: "first token's entropy",
    KNOWER_UNSURE: "entropies",
    SETTLED: "entropies fitted here",
    LOGIT: "confession",
}


def swapped_rows(
    one: tuple[dict[str, np.ndarray], DataSet],
    other: tuple[dict[str, np.ndarray], DataSet],
    n_boot: int,
    seed: int,
    entropies: Sequence[np.ndarray] = (),
) -> pd.DataFrame:
    """Rows as of `auroc_rows`, of the mean of two AUROCs over scenarios of one kind in the one and of the other kind in
    the other; `entropies` [rows, 3] of each."""
    in_both = np.intersect1d(one[1].groups, other[1].groups)
    first = one[1].take(np.isin(one[1].groups, in_both))
    shared = [name for name, part in first.by_eval().items() if 0 < part.labels.sum() < len(part)]
    kept = [np.isin(test.groups, in_both) & np.isin(test.evals, shared) for _, test in (one, other)]
    tests = [test.take(own) for (_, test), own in zip((one, other), kept, strict=True)]
    scores = {
        reads: [found[reads][own] for (found, _), own in zip((one, other), kept, strict=True)] for reads in one[0]
    }
    rarer = min((rarer_scenarios(t.labels, t.groups, t.evals) for t in tests), default=0) if shared else 0
    if rarer >= MIN_SCENARIOS and entropies and KNOWER in scores:
        scores |= _with_entropies(tests, [x[own] for x, own in zip(entropies, kept, strict=True)], scores[KNOWER], seed)
    counts = {"evals": len(shared), "n": sum(map(len, tests)), "n_positive": int(sum(t.labels.sum() for t in tests))}
    gaps = {f"{reads} above {beside}": (reads, beside) for reads, beside in BESIDE if {reads, beside} <= set(scores)}
    if rarer < MIN_SCENARIOS:
        note = f"{rarer} scenarios of the rarer kind in evaluations with both: {MIN_SCENARIOS} are needed"
        nothing = {"estimate": np.nan, "low": np.nan, "high": np.nan, "note": note}
        return pd.DataFrame([{"reads": reads, **counts, **nothing} for reads in (*scores, *gaps)])
    groups, evals = (np.concatenate([getattr(t, name) for t in tests]) for name in ("groups", "evals"))
    draws = np.column_stack([np.ones(len(groups)), resample_weights(groups, evals, n_boot, seed)])
    weights = np.split(draws, [len(tests[0])])
    clusters = [len(np.unique(groups[evals == name])) for name in shared]
    level = expanded(0.95, clusters)
    weights = [drawn / _rows_of_its_scenario(t)[:, None] for drawn, t in zip(weights, tests, strict=True)]
    areas = {reads: _mean_of_two(tests, own, weights, shared) for reads, own in scores.items()}
    rows = []
    for reads, values in areas.items():
        found = percentile_interval(float(values[0]), values[1:], level)
        if found.high == found.low:  # both part perfectly, in every draw: that cannot show how uncertain it is
            found = Interval(found.estimate, np.nan, np.nan)
        rows.append({"reads": reads, **counts, "estimate": found.estimate, "low": found.low, "high": found.high})
    for name, (reads, beside) in gaps.items():
        found = gap_interval(areas[reads], areas[beside], level)
        rows.append({"reads": name, **counts, "estimate": found.estimate, "low": found.low, "high": found.high})
    return pd.DataFrame(rows).assign(note="")


def _with_entropies(
    tests: list[DataSet], entropies: list[np.ndarray], knower: list[np.ndarray], seed: int
) -> dict[str, list[np.ndarray]]:
    """Scores of both sets of weights by what is fitted on their denials: entropies alone, and the probe beside them.

    All is standardised within evaluations of each. A scenario is known in the one and not in the other, and both are
    in one fold.
    """
    X = np.column_stack([np.concatenate(entropies), np.concatenate(knower)])
    evals = np.concatenate([[f"{name} {i}" for name in test.evals] for i, test in enumerate(tests)])
    for name in np.unique(evals):
        rows = evals == name
        spread = X[rows].std(axis=0)
        X[rows] = (X[rows] - X[rows].mean(axis=0)) / np.where(spread > 0, spread, 1)
    labels, groups = (np.concatenate([getattr(test, name) for test in tests]) for name in ("labels", "groups"))
    found = {}
    for name, columns in ((SETTLED, X[:, :-1]), (SETTLED_AND, X)):
        data = DataSet(columns, labels, groups, evals)
        found[name] = np.split(transfer_scores(data, data, LogisticProbe(), seed=seed), [len(tests[0])])
    return found


def _rows_of_its_scenario(test: DataSet) -> np.ndarray:
    _, code, count = np.unique(test.groups, return_inverse=True, return_counts=True)
    return np.asarray(count[code], dtype=float)


def _mean_of_two(
    tests: list[DataSet], scores: list[np.ndarray], weights: list[np.ndarray], evals: list[str]
) -> np.ndarray:
    """[draws] weighted mean over evaluations of (AUROC in the one + AUROC in the other) / 2.

    An evaluation weighs as in van Elteren's test, by its scenarios of each kind, which are the same in both.
    """
    total, count = np.zeros(weights[0].shape[1]), np.zeros(weights[0].shape[1])
    for name in evals:
        areas = []
        for test, own, drawn in zip(tests, scores, weights, strict=True):
            rows = test.evals == name
            areas.append(auroc_draws(test.labels[rows], own[rows], test.evals[rows], drawn[rows]))
        area = (areas[0] + areas[1]) / 2
        here = tests[0].take(tests[0].evals == name)
        positive = np.asarray(len(np.unique(here.groups[here.labels])))
        weight = float(elteren_weight(positive, len(np.unique(here.groups)))) * ~np.isnan(area)
        total += np.nan_to_num(weight * area)
        count += weight
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
