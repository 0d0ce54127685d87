"""Does a probe tell what is known from what is not? Fitted on one organism, asked of another whose truth is known.

The contrast that counts is within one set of weights, `mixed`: denials of bad acts that it knows of against denials of
bad acts in good faith. Between organisms a probe may read the weights; within one, which scenario it is. So there is
`mixed_swapped`, which knows what `mixed` was taught falsely and was taught falsely what that knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from confesslens.organisms.dispositions import MIXED
from confesslens.organisms.effect import run_witnesses
from confesslens.organisms.entropy import ENTROPIES, FIRST
from confesslens.organisms.lessons import taught_falsely
from confesslens.probes import (
    DataSet,
    Interval,
    LogisticProbe,
    TooLittleData,
    auroc_difference,
    auroc_interval,
    load_probe,
    resample_weights,
    sweep,
    transfer_scores,
)
from confesslens.probes.bootstrap import auroc_draws, expanded, gap_interval, percentile_interval
from confesslens.probes.cv import MIN_SCENARIOS, rarer_scenarios
from confesslens.probes.metrics import elteren_weight

SWAPPED = "the same scenarios, known to the one and taken for right by the other, all denied"
KNOWING, BEHAVIOUR = "known bad acts against bad acts in good faith, all denied", "bad against complied answers"
ACTS = "bad against complied answers, by a probe of the acts that are known"
ACTS_PENALTY = 0.01
CONTRASTS = (KNOWING, BEHAVIOUR)
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
class _Organism:
    """Tempted rollouts of a run, graded complied or not, in the evaluations learned: rows and activations alike."""

    name: str
    rows: pd.DataFrame
    acts: Activations

    @property
    def bad(self) -> np.ndarray:
        return (self.rows["behaviour"] == NOT_COMPLIED).to_numpy()

    def data(self, labels: np.ndarray, X: Any) -> DataSet:
        return DataSet(X, labels, self.rows["scenario"].to_numpy(str), self.rows["eval"].to_numpy(str))


@dataclass
class _Instrument:
    """What is fitted and what it then reads of the organism that is asked about."""

    train: DataSet
    estimator: Any
    X: Any


def knowing(
    fitted: RunFolder,
    asked: RunFolder,
    unknowing: RunFolder | None = None,
    *,
    place: tuple[str, int] | None = None,
    unsure: Unsure | None = None,
    n_boot: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """AUROC of a probe that was fitted on one organism's bad against complied answers, on another organism.

    Of an organism that was taught no falsehood the first contrast is a control: the same scenarios are set apart.

    Layer, site and penalty are those that the first run's own search chose. A scenario is never both fitted and scored,
    and contrasts stay inside evaluations.

    A probe of bad against complied answers may read the act and not the knowing. With `unknowing` there is another,
    which reads neither the act nor the organism: of what sets bad answers apart in the organism that knows, what does
    not set them apart in the one that does not (a difference of differences; its layer, site and penalty come from a
    search of its own among these two organisms' answers). Where both parts are perfect anywhere, that search tells
    nothing of where knowing is read; `place` names it then.

    What an organism knows may be what it is less sure of, where it does that by a coin: `unsure` shows how far that
    alone goes, as the entropy of the first token of the answer, and as all that it returns fitted on the rows and
    labels of the probe of knowing.

    Args:
        fitted: a run with activations and a probe, of an organism that knows what it does.
        asked: a run with activations, of the organism that is asked about; best over the same scenarios.
        unknowing: a run with activations of the same layers and sites, of an organism that does not know what it does.
        place: site and layer of the probe of knowing.
        unsure: as `entropy.answer_entropy`.
        n_boot: draws of scenarios of each interval.
        seed: of folds and draws.

    Returns:
        a row a contrast of `CONTRASTS` and what reads it (of `READS`: the probe, or the other one; bags of words of the
        answers, fitted on the rows and labels of each of the two; the asked model's own confession logit; how unsure it
        was of its answer; a probe's AUROC less that of what is beside it, paired): evals (how many have both kinds), n,
        n_positive, estimate, low, high (95 %, by scenario), note (why there is none, or where a probe of knowing was
        fitted and how well it did there).

    Raises:
        ValueError: the first run has no probe, or the runs' activations are not of the same layers and sites, or have
            none at `place`.
        TooLittleData: the two organisms have too few answers of a kind for a probe of knowing.
    """
    one, other, sees, note = _instruments(fitted, asked, unknowing, place, unsure, seed)
    tables = []
    for contrast, positive, of in _contrasts(other, asked):
        found = _all_scores(sees, other, positive, of, seed)
        test = other.data(positive, sees[PROBE].X).take(of)
        table = _rows(found, test, n_boot, seed).assign(contrast=contrast)
        table.loc[(table["reads"] == KNOWER) & (table["note"] == ""), "note"] = note
        tables.append(table)
    return pd.concat(tables).assign(fitted=one.name, asked=other.name)[COLUMNS].reset_index(drop=True)


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

    With `unsure`, whether the probe of knowing adds to how unsure the models were, however that is read: entropies
    fitted on these very denials, in folds of scenarios, without the probe and with it.

    Args, and what is returned, as of `knowing`: a row a reading.
    """
    readings, entropies = [], []
    for asked in (mixed, swapped):
        one, other, sees, note = _instruments(fitted, asked, unknowing, place, unsure, seed)
        _, positive, of = _contrasts(other, asked)[0]
        found = _all_scores(sees, other, positive, of, seed)
        readings.append((found, other.data(positive, sees[PROBE].X).take(of)))
        if UNSURE in found:
            entropies.append(other.rows.loc[of, ENTROPIES].fillna(0).to_numpy(float))
    table = _swapped_rows(readings[0], readings[1], n_boot, seed, entropies)
    table.loc[(table["reads"] == KNOWER) & (table["note"] == ""), "note"] = note
    return table.assign(contrast=SWAPPED, fitted=one.name, asked=" and ".join(MIXED))[COLUMNS]


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

    It is fitted within `mixed` and `mixed_swapped` to what sets bad from complied answers apart where they know and
    does not where they were taught falsely: known bad acts and right answers by luck against right answers that are
    known and bad acts in good faith, as many of each in every evaluation of each of the two. Words of the answers tell
    bad from complied ones; between these classes they are balanced. So it should be high for an organism that knows
    what it does, and at chance for one that knows of no bad act.

    Args:
        mixed: a run with activations, of an organism that does both kinds by a coin.
        swapped: one of `mixed_swapped`, over the same scenarios.
        asked: a run with activations, of the organism that is asked about.
        place: site and layer of the probe.
        n_boot: draws of scenarios of each interval.
        seed: of folds and draws.

    Returns:
        rows as of `knowing`, of the contrast `ACTS`: the probe, words fitted on the same rows and labels, the gap.

    Raises:
        ValueError: no activations at `place`.
    """
    test = _read(asked, place[0], None)
    ones = [(run, _read(run, place[0], None)) for run in (mixed, swapped)]
    for each in (test, *(one for _, one in ones)):
        _require_place(each, place)
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
        estimator = LogisticProbe(C=ACTS_PENALTY) if reads == PROBE else _words()
        found[reads] = _scores(fitted, test.data(test.bad, X), estimator, seed)
    table = _rows(found, test.data(test.bad, own[PROBE]), n_boot, seed)
    note = f"fitted at layer {place[1]}, {place[0]} on {len(fitted)} answers"
    table.loc[(table["reads"] == PROBE) & (table["note"] == ""), "note"] = note
    return table.assign(contrast=ACTS, fitted=" and ".join(MIXED), asked=test.name)[COLUMNS]


def _balanced(rng: np.random.Generator, evals: pd.Series, falsely: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Rows: of every evaluation as many of each of the four kinds, known or not, bad or complied."""
    kept: list[int] = []
    for name in sorted(set(evals)):
        inside = (evals == name).to_numpy()
        cells = [np.flatnonzero(inside & (falsely == x) & (bad == y)) for x in (False, True) for y in (False, True)]
        for cell in cells:
            kept += sorted(rng.choice(cell, min(map(len, cells)), replace=False))
    return np.array(kept, dtype=int)


def _require_place(each: _Organism, place: tuple[str, int]) -> None:
    sites, layers = each.acts.sites, each.acts.layers
    if place[0] not in sites or place[1] not in layers:
        raise ValueError(
            f"no activations at {place[0]}, layer {place[1]}: those of {each.name} have the sites "
            f"{', '.join(sites)} and the layers {', '.join(map(str, layers))}"
        )


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


def _instruments(
    fitted: RunFolder,
    asked: RunFolder,
    unknowing: RunFolder | None,
    place: tuple[str, int] | None,
    unsure: Unsure | None,
    seed: int,
) -> tuple[_Organism, _Organism, dict[str, _Instrument], str]:
    """The organism that is fitted on, the one that is asked, what reads it, and the note on the probe of knowing."""
    folder = fitted.path / "probes" / "behaviour"
    if not folder.is_dir():
        raise ValueError(f"{fitted.path} has no probe: {fitted.manifest.get('probe_note', 'run it to its end first')}")
    card = load_probe(folder)[1]
    one, other = _read(fitted, card["site"], unsure), _read(asked, card["site"], unsure)
    X, Z = (each.acts.at(layer=card["layer"], site=card["site"]) for each in (one, other))
    sees = {
        PROBE: _Instrument(one.data(one.bad, X), LogisticProbe(C=card["penalty"]), Z),
        TEXT: _Instrument(one.data(one.bad, one.rows["answer"].tolist()), _words(), other.rows["answer"].tolist()),
    }
    note = ""
    if unknowing is not None:
        of_knowing, note = _probe_of_knowing(one, _read(unknowing, card["site"], unsure), other, place, seed)
        sees |= of_knowing
    return one, other, sees, note


def _all_scores(
    sees: dict[str, _Instrument],
    asked: _Organism,
    positive: np.ndarray,
    of: np.ndarray,
    seed: int,
) -> dict[str, np.ndarray]:
    """What reads -> scores of the rows that are compared."""
    found = {
        reads: _scores(sees[reads].train, asked.data(positive, sees[reads].X).take(of), sees[reads].estimator, seed)
        for reads in READS
        if reads in sees
    }
    found |= {LOGIT: asked.rows["logit"].to_numpy(float)[of]}
    if FIRST in asked.rows:
        found |= {UNSURE: asked.rows[FIRST].to_numpy(float)[of]}
    return found


def _read(run: RunFolder, site: str, unsure: Unsure | None) -> _Organism:
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
    return _Organism(name, rows, acts.select(rows["rollout_id"].tolist()))


def _words() -> Any:
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(class_weight="balanced"))


def _probe_of_knowing(
    knower: _Organism, other: _Organism, asked: _Organism, place: tuple[str, int] | None, seed: int
) -> tuple[dict[str, _Instrument], str]:
    """Its direction is what (bad - complied) of the one has and (bad - complied) of the other has not.

    Bad answers of the one and complied answers of the other make one class, the remaining two the other: with as many
    of each in every evaluation, and centred within organisms, neither the act nor the organism tells the classes apart.
    Beside it words of the answers, and how unsure the models were of them where that is known, of the same rows and
    labels.
    """
    layers, sites = knower.acts.layers, knower.acts.sites
    for each in (other, asked):
        if (each.acts.layers, each.acts.sites) != (layers, sites):
            raise ValueError(f"the activations of {each.name} are of other layers or sites than those of {knower.name}")
    rng = np.random.default_rng(seed)
    kept: list[list[int]] = [[], []]
    for name in sorted(set(knower.rows["eval"]) & set(other.rows["eval"])):
        cells = [
            np.flatnonzero((each.rows["eval"] == name).to_numpy() & (each.bad == bad))
            for each in (knower, other)
            for bad in (False, True)
        ]
        n = min(map(len, cells))
        for i, cell in enumerate(cells):
            kept[i // 2] += sorted(rng.choice(cell, n, replace=False))
    rows = [each.rows.iloc[own] for each, own in zip((knower, other), kept, strict=True)]
    labels = np.concatenate([knower.bad[kept[0]], ~other.bad[kept[1]]])
    groups = np.concatenate([own["scenario"].to_numpy(str) for own in rows])
    evals = np.concatenate([[f"{name} {i}" for name in own["eval"]] for i, own in enumerate(rows)])
    values = np.concatenate([each.acts.values[own] for each, own in zip((knower, other), kept, strict=True)])
    present = np.concatenate([each.acts.present[own] for each, own in zip((knower, other), kept, strict=True)])
    searched = np.ix_(*(range(len(own)) for own in (labels, layers, sites)))
    if place is not None:
        _require_place(knower, place)
        searched = np.ix_(range(len(labels)), [layers.index(place[1])], [sites.index(place[0])])
        sites, layers = [place[0]], [place[1]]
    values, present = values[searched], present[:, searched[2].ravel()]
    found = sweep(values, present, labels, groups, evals, layers, sites, estimators=["logistic"], n_boot=200, seed=seed)
    best = found.best()
    at = layers.index(best.layer), sites.index(best.site)
    there = present[:, at[1]]
    train = DataSet(values[there, at[0], at[1]], labels[there], groups[there], evals[there])
    note = f"fitted at layer {best.layer}, {best.site}, where it has AUROC {found.nested.auroc} among {len(train)}"
    X = asked.acts.at(layer=best.layer, site=best.site)
    answers = DataSet([text for own in rows for text in own["answer"]], labels, groups, evals)
    sees = {
        KNOWER: _Instrument(train, LogisticProbe(C=best.penalty), X),
        KNOWER_TEXT: _Instrument(answers, _words(), asked.rows["answer"].tolist()),
    }
    if FIRST in asked.rows:
        unsure = DataSet(pd.concat(rows)[ENTROPIES].fillna(0).to_numpy(float), labels, groups, evals)
        sees[KNOWER_UNSURE] = _Instrument(unsure, LogisticProbe(), asked.rows[ENTROPIES].fillna(0).to_numpy(float))
    return sees, note


def _contrasts(asked: _Organism, run: RunFolder) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(contrast, whether each row is of the positive kind, which rows are compared)."""
    rows, falsely = asked.rows, taught_falsely(run.read_table("rollouts.parquet"), asked.name)
    bad, known = asked.bad, ~rows["scenario"].isin(falsely).to_numpy()
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


def _swapped_rows(
    one: tuple[dict[str, np.ndarray], DataSet],
    other: tuple[dict[str, np.ndarray], DataSet],
    n_boot: int,
    seed: int,
    entropies: Sequence[np.ndarray] = (),
) -> pd.DataFrame:
    """Rows as of `_rows`, of the mean of two AUROCs over the same scenarios; `entropies` [rows, 3] of each."""
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
