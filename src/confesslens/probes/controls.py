"""What a probe's number is worth: controls and baselines on the same folds, and the increment over each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from confesslens.probes.bootstrap import (
    Interval,
    auroc_difference,
    auroc_interval,
    gap_interval,
    mean_draws,
    percentile_interval,
    resample_weights,
)
from confesslens.probes.closed_forms import mass_mean_fold, ridge_fold
from confesslens.probes.cv import Split, TooLittleData
from confesslens.probes.folds import plan_fold, score_fold
from confesslens.probes.metrics import within_eval_auroc_columns
from confesslens.probes.solver import linear_features
from confesslens.probes.sweep import Place, Sweep, sweep
from confesslens.probes.tall import features, standardised
from confesslens.probes.text import feature_baseline, text_baseline

COLUMNS = ["control", "what", "n", "auroc", "low", "high", "increment", "increment_low", "increment_high"]

WHAT = {
    "probe": "the probe: layer, site, estimator and penalty chosen inside the training folds",
    "text": "TF-IDF of words and word pairs, and the length, of the text at the read site",
    "probe + text": "the sum of both scores; increment: what it has over the text alone",
    "length": "the number of words alone",
    "yes_no": "the model's own answer when it is asked: log p(yes) - log p(no), nothing fitted",
    "shuffled labels": "the same search on labels shuffled inside evaluations",
    "labels by scenario": "a random label for each scenario, unseen in the fit; increment: selectivity",
    "labels by scenario, seen": "the same with rows of every scenario in the fit: what remembering scenarios yields",
    "random direction": "random directions at the places chosen, the sign taken from the training rows",
    "embedding": "the same search over what enters the first block",
    "random model": "the same search over a model of the same shape with random weights",
}
"""What each row of the table is."""


def controls(
    found: Sweep,
    values: NDArray,
    present: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    evals: ArrayLike,
    layers: Sequence[int],
    sites: Sequence[str],
    texts: Sequence[str] | None = None,
    text_scores: ArrayLike | None = None,
    yes_no: ArrayLike | None = None,
    embedding: NDArray | None = None,
    random_model: NDArray | None = None,
    draws: int = 20,
    n_boot: int = 2000,
    jobs: int = 2,
) -> pd.DataFrame:
    """The headline of a sweep beside all that might explain it away, each with its interval, in one table.

    Everything is out of fold on the sweep's own folds. What is chosen for the probe is chosen for a control too: the
    embedding layer and the random model go through the whole nested search. Random labels by scenario are the control
    task of Hewitt and Liang (2019, arXiv 1909.03368), with scenarios as types: the probe's AUROC above theirs is its
    selectivity. Folds by scenario make it 0.5 unless something leaks; with rows of the same scenarios in the fit it
    shows what remembering scenarios would have yielded.

    Args:
        found: from `sweep`, of the next seven arguments.
        values: [n, layer, site, d] activations.
        present: [n, site] whether the site exists in the rollout.
        labels: [n] true for the bad act.
        groups: [n] scenarios.
        evals: [n] evaluation names.
        layers: [layer] numbers of the layers.
        sites: [site] names of the read sites.
        texts: [n] the text that the read site could see; gives the rows `text`, `probe + text` and `length`.
        text_scores: [n] from `text_baseline` of the same seed and folds, when it is there already.
        yes_no: [n] log p(yes) - log p(no) of the model about its own act (the confession logit, for one).
        embedding: [n, site, d] activations that enter the first block (`blocks.0.hook_resid_pre`).
        random_model: [n, layer, site, d] of a randomly initialised model of the same configuration; any layers of it.
        draws: random label sets and random directions.
        n_boot: draws of each interval.
        jobs: threads.

    Returns:
        One row a control that was given what it needs, the probe first: control, what (it is), n, auroc, low, high,
        and the increment of the probe over it (its AUROC minus the control's, paired, clustered by scenario) with
        increment_low and increment_high. NaN where there is too little data.
    """
    label, group, name = np.asarray(labels, dtype=bool), np.asarray(groups), np.asarray(evals)
    there = np.asarray(present, dtype=bool)
    weights = resample_weights(group, name, n_boot, found.settings["seed"])
    given = {key: found.settings[key] for key in ("outer", "inner", "seed")}
    table = _Table(label, group, name, weights, found.nested.score)
    table.add("probe", found.nested.score)
    if texts is not None or text_scores is not None:
        said = text_baseline(texts or [], label, group, name, **given) if text_scores is None else text_scores
        score = np.asarray(said, dtype=float)
        table.add("text", score)
        table.add("probe + text", found.nested.score + score, over=score)
    if texts is not None:
        words = np.log1p([len(str(t).split()) for t in texts])
        table.add("length", feature_baseline(words[:, None], label, group, name, **given))
    if yes_no is not None:
        table.add("yes_no", np.asarray(yes_no, dtype=float))
    if found.nested.shuffled_score.shape[1]:
        table.add("shuffled labels", found.nested.shuffled_score, found.nested.shuffled_labels)
    random = _labels_by_scenario(label, group, name, draws, found.settings["seed"])
    places = [Place(c.layer, c.site, c.penalty, c.estimator) for c in found.nested.choices]
    layers, sites = list(layers), list(sites)
    arrays = (values, there, layers, sites)
    table.add("labels by scenario", _refit(places, found.folds, random, group, name, *arrays, found), random)
    if (splits := _splits_of_rows(group, len(found.folds), found.settings["seed"])) is not None:
        seen = _refit([found.best()] * len(splits), splits, random, group, name, *arrays, found)
        table.add("labels by scenario, seen", seen, random)
    table.add("random direction", _random_directions(places, found, label, name, draws, *arrays))
    for key, other in (
        ("embedding", None if embedding is None else embedding[:, None]),
        ("random model", random_model),
    ):
        if other is not None:
            table.add(key, _search(other, there, label, group, name, sites, found, jobs))
    return pd.DataFrame(table.rows, columns=COLUMNS)


def card_controls(table: pd.DataFrame) -> dict[str, Interval]:
    """Rows of a controls table as a card has them: the AUROC of each with its interval, and the probe's increments."""
    found = {}
    for row in table.to_dict("records"):
        name = str(row["control"])
        if name == "probe":
            continue
        found[name] = Interval(row["auroc"], row["low"], row["high"])
        if name in ("text", "labels by scenario", "yes_no"):
            increment = (row["increment"], row["increment_low"], row["increment_high"])
            found[f"probe above {name}"] = Interval(*increment)
    return found


class _Table:
    """Rows of the table, each measured against the probe."""

    def __init__(self, labels: NDArray, groups: NDArray, evals: NDArray, weights: NDArray, probe: NDArray) -> None:
        self.labels, self.groups, self.evals, self.weights, self.probe = labels, groups, evals, weights, probe
        self.rows: list[dict[str, object]] = []

    def add(
        self, control: str, scores: NDArray | None, labels: NDArray | None = None, over: NDArray | None = None
    ) -> None:
        """A control with scores [n] or [n, k], for labels [n, k] of its own; its increment is over `over` instead."""
        row: dict[str, object] = {"control": control, "what": WHAT[control], "n": 0} | dict.fromkeys(
            COLUMNS[3:], np.nan
        )
        self.rows.append(row)
        if scores is None:
            return
        columns = scores.reshape(len(scores), -1)
        known = ~np.isnan(columns).any(axis=1)
        own = self._own(columns, labels, known)
        row |= {"n": int(known.sum()), "auroc": own.estimate, "low": own.low, "high": own.high}
        if over is not None:
            gap = auroc_difference(self.labels, scores, over, self.evals, self.weights)
        elif control == "probe" or not known.any():
            return
        else:
            both = known & ~np.isnan(self.probe)
            draws = np.column_stack([np.ones(len(both)), self.weights])[both]
            mine = mean_draws(self.labels[both], self.probe[both, None], self.evals[both], draws)
            theirs = mean_draws(
                (self.labels if labels is None else labels)[both], columns[both], self.evals[both], draws
            )
            gap = gap_interval(mine, theirs)
        row |= {"increment": gap.estimate, "increment_low": gap.low, "increment_high": gap.high}

    def _own(self, columns: NDArray, labels: NDArray | None, known: NDArray) -> Interval:
        if labels is None or not known.any():
            return auroc_interval(self.labels, columns, self.evals, self.groups, weights=self.weights)
        draws = np.column_stack([np.ones(int(known.sum())), self.weights[known]])
        areas = mean_draws(labels[known], columns[known], self.evals[known], draws)
        return percentile_interval(float(areas[0]), areas[1:])


def _labels_by_scenario(labels: NDArray, groups: NDArray, evals: NDArray, draws: int, seed: int) -> NDArray[np.bool_]:
    """[n, draws] one random label a scenario; in every evaluation about as many bad ones as there are in truth."""
    rng = np.random.default_rng(seed)
    out = np.zeros((len(labels), draws), dtype=bool)
    for name in np.unique(evals):
        rows = np.flatnonzero(evals == name)
        names, scenario = np.unique(groups[rows], return_inverse=True)
        bad = int(np.clip(round(labels[rows].mean() * len(names)), min(1, len(names) - 1), max(len(names) - 1, 0)))
        for j in range(draws):
            out[rows, j] = (rng.permutation(len(names)) < bad)[scenario]
    return out


def _splits_of_rows(groups: NDArray, folds: int, seed: int) -> list[Split] | None:
    """Folds that spread the rows of every scenario; None where scenarios have one row each."""
    names, code, count = np.unique(groups, return_inverse=True, return_counts=True)
    if (count < 2).all():
        return None
    several = np.flatnonzero(count[code] > 1)
    folds = min(folds, int(count.max()))
    order = np.random.default_rng(seed).permutation(several)
    _, place = np.unique(code[order], return_inverse=True)
    turn = np.zeros(len(order), dtype=int)  # the rows of a scenario take turns over the folds
    for scenario in np.unique(place):
        turn[place == scenario] = np.arange((place == scenario).sum()) % folds
    return [(np.sort(order[turn != fold]), np.sort(order[turn == fold])) for fold in range(folds)]


def _refit(
    places: Sequence[Place],
    folds: Sequence[Split],
    columns: NDArray,
    groups: NDArray,
    evals: NDArray,
    values: NDArray,
    present: NDArray,
    layers: list[int],
    sites: list[str],
    found: Sweep,
) -> NDArray[np.float64]:
    """[n, k] held-out scores of fits on other label columns, at the place that each fold has chosen."""
    code = np.unique(evals, return_inverse=True)[1]
    out = np.full(columns.shape, np.nan)
    for place, (train, test) in zip(places, folds, strict=True):
        j = sites.index(place.site)
        train, test = train[present[train, j]], test[present[test, j]]
        x = features(values[:, layers.index(place.layer), j], present[:, j])
        penalty = 1.0 if np.isnan(place.penalty) else place.penalty
        inner, seed = found.settings["inner"], found.settings["seed"]
        plan = plan_fold(columns, groups, code, (train, test), [penalty], inner, seed)
        if place.estimator == "mass_mean":
            fold = mass_mean_fold(x, plan, code)
        else:
            z = linear_features(x, train)
            fold = ridge_fold(z, plan, code) if place.estimator == "ridge" else score_fold(z, plan, code)
        out[test] = fold.scores[:, 0]
    return out


def _random_directions(
    places: Sequence[Place],
    found: Sweep,
    labels: NDArray,
    evals: NDArray,
    draws: int,
    values: NDArray,
    present: NDArray,
    layers: list[int],
    sites: list[str],
) -> NDArray[np.float64]:
    """[n, draws] held-out projections on random directions of standardised features."""
    rng = np.random.default_rng(found.settings["seed"])
    out = np.full((len(labels), draws), np.nan)
    for place, (train, test) in zip(places, found.folds, strict=True):
        j = sites.index(place.site)
        train, test = train[present[train, j]], test[present[test, j]]
        z = standardised(features(values[:, layers.index(place.layer), j]), train)
        direction = rng.normal(size=(z.shape[1], draws))
        fit, ask = (z[rows] @ direction for rows in (train, test))
        area = within_eval_auroc_columns(labels[train, None], fit, evals[train])
        out[test] = ask * np.where(np.nan_to_num(area, nan=0.5) < 0.5, -1, 1) / np.maximum(fit.std(axis=0), 1e-12)
    return out


def _search(
    values: NDArray,
    present: NDArray,
    labels: NDArray,
    groups: NDArray,
    evals: NDArray,
    sites: list[str],
    found: Sweep,
    jobs: int,
) -> NDArray[np.float64] | None:
    """[n] nested scores of the same search over other activations; None where they have too little data."""
    try:
        return sweep(
            *(values, present, labels, groups, evals, range(values.shape[1]), sites),
            **found.settings,
            n_boot=10,
            shuffles=0,
            primary_sites=found.primary_sites,
            jobs=jobs,
        ).nested.score
    except TooLittleData:
        return None
