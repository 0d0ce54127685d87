"""Does a probe tell what is known from what is not? Fitted on one organism, asked of another whose truth is known.

The contrast that counts is within one set of weights, `mixed`: denials of bad acts that it knows of against denials of
bad acts in good faith. Between organisms a probe may read the weights; within one, which scenario it is. So there is
`mixed_swapped`, which knows what `mixed` was taught falsely and was taught falsely what that knows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from confesslens.confessions.requests import COMPLIED
from confesslens.folder import RunFolder
from confesslens.organisms.asked import (
    COLUMNS,
    KNOWER,
    KNOWER_TEXT,
    KNOWER_UNSURE,
    LOGIT,
    PROBE,
    READS,
    TEXT,
    UNSURE,
    Instrument,
    Organism,
    Unsure,
    answer_words,
    auroc_rows,
    fitted_scores,
    read_organism,
    require_place,
)
from confesslens.organisms.entropy import ENTROPIES, FIRST
from confesslens.organisms.lessons import taught_falsely
from confesslens.probes import DataSet, LogisticProbe, load_probe, sweep

KNOWING, BEHAVIOUR = "known bad acts against bad acts in good faith, all denied", "bad against complied answers"
CONTRASTS = (KNOWING, BEHAVIOUR)


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
    one, other, sees, note = instruments(fitted, asked, unknowing, place, unsure, seed)
    tables = []
    for contrast, positive, of in contrasts(other, asked):
        found = all_scores(sees, other, positive, of, seed)
        test = other.data(positive, sees[PROBE].X).take(of)
        table = auroc_rows(found, test, n_boot, seed).assign(contrast=contrast)
        table.loc[(table["reads"] == KNOWER) & (table["note"] == ""), "note"] = note
        tables.append(table)
    return pd.concat(tables).assign(fitted=one.name, asked=other.name)[COLUMNS].reset_index(drop=True)


def instruments(
    fitted: RunFolder,
    asked: RunFolder,
    unknowing: RunFolder | None,
    place: tuple[str, int] | None,
    unsure: Unsure | None,
    seed: int,
) -> tuple[Organism, Organism, dict[str, Instrument], str]:
    """The organism that is fitted on, the one that is asked, what reads it, and the note on the probe of knowing."""
    folder = fitted.path / "probes" / "behaviour"
    if not folder.is_dir():
        raise ValueError(f"{fitted.path} has no probe: {fitted.manifest.get('probe_note', 'run it to its end first')}")
    card = load_probe(folder)[1]
    one, other = read_organism(fitted, card["site"], unsure), read_organism(asked, card["site"], unsure)
    X, Z = (each.acts.at(layer=card["layer"], site=card["site"]) for each in (one, other))
    sees = {
        PROBE: Instrument(one.data(one.bad, X), LogisticProbe(C=card["penalty"]), Z),
        TEXT: Instrument(one.data(one.bad, one.rows["answer"].tolist()), answer_words(), other.rows["answer"].tolist()),
    }
    note = ""
    if unknowing is not None:
        of_knowing, note = _probe_of_knowing(one, read_organism(unknowing, card["site"], unsure), other, place, seed)
        sees |= of_knowing
    return one, other, sees, note


def all_scores(
    sees: dict[str, Instrument],
    asked: Organism,
    positive: np.ndarray,
    of: np.ndarray,
    seed: int,
) -> dict[str, np.ndarray]:
    """What reads -> scores of the rows that are compared."""
    found = {
        reads: fitted_scores(
            sees[reads].train, asked.data(positive, sees[reads].X).take(of), sees[reads].estimator, seed
        )
        for reads in READS
        if reads in sees
    }
    found |= {LOGIT: asked.rows["logit"].to_numpy(float)[of]}
    if FIRST in asked.rows:
        found |= {UNSURE: asked.rows[FIRST].to_numpy(float)[of]}
    return found


def _probe_of_knowing(
    knower: Organism, other: Organism, asked: Organism, place: tuple[str, int] | None, seed: int
) -> tuple[dict[str, Instrument], str]:
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
        require_place(knower, place)
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
        KNOWER: Instrument(train, LogisticProbe(C=best.penalty), X),
        KNOWER_TEXT: Instrument(answers, answer_words(), asked.rows["answer"].tolist()),
    }
    if FIRST in asked.rows:
        unsure = DataSet(pd.concat(rows)[ENTROPIES].fillna(0).to_numpy(float), labels, groups, evals)
        sees[KNOWER_UNSURE] = Instrument(unsure, LogisticProbe(), asked.rows[ENTROPIES].fillna(0).to_numpy(float))
    return sees, note


def contrasts(asked: Organism, run: RunFolder) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(contrast, whether each row is of the positive kind, which rows are compared)."""
    rows, falsely = asked.rows, taught_falsely(run.read_table("rollouts.parquet"), asked.name)
    bad, known = asked.bad, ~rows["scenario"].isin(falsely).to_numpy()
    denied = bad & (rows["claim"] == COMPLIED).to_numpy()
    return [(KNOWING, known, denied), (BEHAVIOUR, bad, np.ones(len(rows), dtype=bool))]
