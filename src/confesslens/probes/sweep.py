"""Probes for every layer and read site, with controls, and the nested headline score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from confesslens.closest import no_such
from confesslens.probes.bootstrap import auroc_interval, resample_weights
from confesslens.probes.closed_forms import mass_mean_fold, ridge_alpha, ridge_fold
from confesslens.probes.cv import (
    MIN_SCENARIOS,
    Split,
    TooLittleData,
    rarer_scenarios,
    require_enough,
    scenario_folds,
)
from confesslens.probes.each import Each, in_threads
from confesslens.probes.fit import ESTIMATORS
from confesslens.probes.folds import FoldPlan, FoldScores, plan_fold, score_fold, shuffled_labels
from confesslens.probes.grid import check_shapes, primary_of
from confesslens.probes.metrics import within_eval_auroc_columns
from confesslens.probes.nested import NO_PENALTY, Nested, choose_nested
from confesslens.probes.permutation import PermutationTest, permutation_test
from confesslens.probes.solver import linear_features
from confesslens.probes.tall import features

Progress = Callable[[int, int], None]
Cell = dict[str, list[FoldScores]]


class Place(NamedTuple):
    """Where to fit a probe, and which; the penalty is C, NaN for mass-mean."""

    layer: int
    site: str
    penalty: float
    estimator: str


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Attributes:
        table: one row a layer, site and estimator: layer, site, n, n_pos, auroc, low, high, shuffled, text, penalty
            (the one chosen most often), estimator, p. AUROCs are inside evaluations, out of fold, the penalty chosen on
            training folds. The best cell of this map is optimistic; the honest headline is `nested`. p is corrected for
            the search over the grid, NaN without permutations; a logistic row has that of ridge in the same cell.
        nested: the headline, over `primary_sites` only.
        primary_sites: the sites that the headline may choose from.
        folds: the outer splits (train, test) that every number shares.
        scores: [n, layer, site, estimator] out-of-fold scores; NaN where a site is absent or had too little data.
        p: of the best primary cell, corrected for the search over layers, primary sites, penalties and estimators: the
            chance of any such cell when nothing is there. NaN without permutations.
        test: the permutation test behind it.
        settings: what the sweep was asked for (penalties, estimators, outer, inner, seed), for controls to do alike.
    """

    table: pd.DataFrame
    nested: Nested
    primary_sites: list[str]
    folds: list[Split] = field(repr=False)
    scores: NDArray[np.float64] = field(repr=False)
    p: float = float("nan")
    test: PermutationTest | None = field(default=None, repr=False)
    settings: dict[str, Any] = field(default_factory=dict, repr=False)

    def best(self) -> Place:
        """What the folds chose most often: where to fit a probe for release."""
        places = [Place(c.layer, c.site, c.penalty, c.estimator) for c in self.nested.choices]
        counts = Counter(places)
        strength: dict[Place, float] = {}
        for place, choice in zip(places, self.nested.choices, strict=True):
            strength[place] = max(strength.get(place, 0.0), choice.inner_auroc)
        return max(counts, key=lambda place: (counts[place], strength[place]))


@dataclass(frozen=True)
class _Task:
    """What all cells of a sweep share."""

    labels: NDArray[np.bool_]
    groups: NDArray
    evals: NDArray
    folds: list[Split]
    penalties: Sequence[float]
    inner: int
    seed: int
    weights: NDArray[np.float64]
    estimators: tuple[str, ...] = ("logistic",)
    plans: dict[bytes, FoldPlan] = field(default_factory=dict)

    def plan(self, train: NDArray[np.intp], test: NDArray[np.intp]) -> FoldPlan:
        """The fits on these rows; the same for all layers, and for all sites that the same rows have."""
        key = train.tobytes() + b"|" + test.tobytes()
        if key not in self.plans:
            split = (train, test)
            self.plans[key] = plan_fold(
                self.labels, self.groups, self.evals, split, self.penalties, self.inner, self.seed
            )
        return self.plans[key]


def sweep(
    values: NDArray,
    present: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    evals: ArrayLike,
    layers: Sequence[int],
    sites: Sequence[str],
    penalties: Sequence[float] = (1e-3, 1e-2, 1e-1),
    estimators: Sequence[str] = ESTIMATORS,
    outer: int = 5,
    inner: int = 3,
    seed: int = 0,
    n_boot: int = 500,
    shuffles: int = 3,
    permutations: int = 0,
    permute_within: bool = False,
    primary_sites: Sequence[str] | None = None,
    text_scores: ArrayLike | None = None,
    jobs: int = 2,
    progress: Progress | None = None,
    each: Each | None = None,
) -> Sweep:
    """Probe every layer and site for the bad act, with folds by scenario and everything chosen on training folds.

    A layer and site of many rows (`tall.LARGE`) is never copied: it is worked on in blocks of rows, in float32.

    Args:
        values: [n, layer, site, d] activations.
        present: [n, site] whether the site exists in the rollout; other rows are left out for that site.
        labels: [n] true for the bad act (drop rollouts of behaviour "neither" first).
        groups: [n] scenarios.
        evals: [n] evaluation names.
        layers: [layer] numbers of the layers.
        sites: [site] names of the read sites.
        penalties: values of C to choose from; ridge takes alpha = 4 / C, which pulls about as much.
        estimators: of `ESTIMATORS`, to choose from.
        outer: most outer folds.
        inner: most inner folds, inside each training fold.
        seed: of folds, shuffles, permutations and bootstrap.
        n_boot: bootstrap draws for each interval.
        shuffles: how often the labels are shuffled inside evaluations for the control; all choices are made for them
            too.
        permutations: how often the labels are permuted by scenario for `p` (see `permutation_test`), by ridge at every
            penalty, and mass-mean where it is asked for: 200 columns cost these little more than one.
        permute_within: permute rows inside scenarios instead; where every scenario is a set of matched rows.
        primary_sites: sites that the headline may choose from; all but those that begin "confession." when None.
        text_scores: [n] out-of-fold text baseline, for the table's `text` column.
        jobs: threads.
        progress: called with (done, total) after each layer and site.
        each: works on the layers and sites in place of threads, such as `scale.RayWorkers.each` on a cluster.

    Returns:
        The map over layers, sites and estimators, and the nested headline.

    Raises:
        TooLittleData: one class, or fewer than 4 scenarios of the rarer class in evaluations that have both.
        ValueError: shapes that do not fit together, an unknown primary site or estimator.
    """
    for estimator in estimators:
        if estimator not in ESTIMATORS:
            raise ValueError(no_such("estimator", estimator, ESTIMATORS))
    labels, groups, evals = np.asarray(labels, dtype=bool), np.asarray(groups), np.asarray(evals)
    present = np.asarray(present, dtype=bool)
    check_shapes(values, present, labels, groups, evals, layers, sites)
    primary = primary_of(sites, primary_sites)
    require_enough(labels, groups, evals)
    folds = scenario_folds(labels, groups, evals, outer, seed)
    columns = shuffled_labels(labels, evals, shuffles, seed)
    weights = resample_weights(groups, evals, n_boot, seed)
    codes = np.unique(evals, return_inverse=True)[1]
    ordered = sorted(float(p) for p in penalties)
    task = _Task(columns, groups, codes, folds, ordered, inner, seed, weights, tuple(dict.fromkeys(estimators)))

    places = [(i, j) for j in range(len(sites)) for i in range(len(layers))]
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        if progress is not None:
            progress(done, len(places))

    each = each or in_threads(jobs)
    cells = each(partial(_cell, values, present, task), places, advance)
    found: dict[tuple[int, int], Cell | None] = dict(zip(places, cells, strict=True))

    scores = np.full((len(labels), len(layers), len(sites), len(task.estimators)), np.nan)
    text = None if text_scores is None else np.asarray(text_scores, dtype=float)
    rows = []
    for i, layer in enumerate(layers):
        for j, site in enumerate(sites):
            for e, estimator in enumerate(task.estimators):
                cell = found[i, j]
                row, scores[:, i, j, e] = _summarise(
                    None if cell is None else cell[estimator], task, present[:, j], text, estimator
                )
                rows.append({"layer": int(layer), "site": str(site), **row, "estimator": estimator})
    candidates = _candidates(found, present, layers, sites, primary)
    nested = choose_nested(candidates, columns, codes, groups, task.penalties, weights)
    test = None
    if permutations:
        test = _test(values, present, labels, groups, evals, layers, sites, task, permutations, each, permute_within)
    table = pd.DataFrame(rows).assign(p=np.nan)
    if test is not None:
        corrected = test.table.set_index(["layer", "site", "estimator"])["p"]
        twins = table["estimator"].replace("logistic", "ridge")
        table["p"] = [corrected[key] for key in zip(table["layer"], table["site"], twins, strict=True)]
    p = np.nan if test is None else test.p_among(primary)
    settings = {"penalties": ordered, "estimators": task.estimators, "outer": outer, "inner": inner, "seed": seed}
    return Sweep(table, nested, primary, folds, scores, p, test, settings)


def _test(
    values: NDArray,
    present: NDArray,
    labels: NDArray,
    groups: NDArray,
    evals: NDArray,
    layers: Sequence[int],
    sites: Sequence[str],
    task: _Task,
    permutations: int,
    each: Each,
    within: bool,
) -> PermutationTest | None:
    """None where no labels can be exchanged between scenarios: there is then no null to compare with."""
    kinds = [
        e for e in ("ridge", "mass_mean") if e in task.estimators or (e == "ridge" and "logistic" in task.estimators)
    ]
    alphas = [float(ridge_alpha(C)) for C in task.penalties]
    try:
        where = (values, labels, groups, evals, layers, sites, present)
        return permutation_test(
            *where, permutations, alphas, kinds, len(task.folds), task.seed, within=within, each=each
        )
    except TooLittleData:
        return None


def _cell(values: NDArray, present: NDArray, task: _Task, place: tuple[int, int]) -> Cell | None:
    """All outer folds of one layer and site; None where the rows that have the site are too few."""
    present = present[:, place[1]]
    true = task.labels[:, 0]
    if rarer_scenarios(true[present], task.groups[present], task.evals[present]) < MIN_SCENARIOS:
        return None
    x = features(values[:, place[0], place[1]], present)
    out: Cell = {estimator: [] for estimator in task.estimators}
    for train, test in task.folds:
        train, test = train[present[train]], test[present[test]]
        if len(np.unique(task.groups[train])) < 2:
            return None
        plan = task.plan(train, test)
        z = linear_features(x, train) if {"logistic", "ridge"} & out.keys() else x
        for estimator in out:
            if estimator == "logistic":
                out[estimator].append(score_fold(z, plan, task.evals))
            elif estimator == "ridge":
                out[estimator].append(ridge_fold(z, plan, task.evals))
            else:
                out[estimator].append(mass_mean_fold(x, plan, task.evals))
    return out


def _summarise(
    folds: list[FoldScores] | None, task: _Task, present: NDArray, text: NDArray | None, estimator: str
) -> tuple[dict[str, float], NDArray]:
    n, k = task.labels.shape
    scores = np.full((n, k), np.nan)
    row: dict[str, float] = {"n": int(present.sum()), "n_pos": int(task.labels[present, 0].sum())}
    row |= dict.fromkeys(("auroc", "low", "high", "shuffled", "text", "penalty"), np.nan)
    if folds is None:
        return row, scores[:, 0]
    picked = []
    for fold in folds:
        best = fold.best_penalty()
        scores[fold.test] = fold.scores[:, best, np.arange(k)]
        picked.append(task.penalties[best[0]])
    y, s, e = task.labels[present], scores[present], task.evals[present]
    weights = task.weights if present.all() else task.weights[present]
    interval = auroc_interval(y[:, 0], s[:, 0], e, task.groups[present], weights=weights)
    row |= {"auroc": interval.estimate, "low": interval.low, "high": interval.high}
    if k > 1:
        row["shuffled"] = float(np.mean(within_eval_auroc_columns(y[:, 1:], s[:, 1:], e)))
    if text is not None:
        known = ~np.isnan(text[present])
        row["text"] = float(within_eval_auroc_columns(y[known, :1], text[present][known, None], e[known])[0])
    row["penalty"] = NO_PENALTY if estimator == "mass_mean" else Counter(picked).most_common(1)[0][0]
    return row, scores[:, 0]


def _candidates(
    found: dict[tuple[int, int], Cell | None],
    present: NDArray,
    layers: Sequence[int],
    sites: Sequence[str],
    primary: list[str],
) -> list[tuple[int, str, str, list[FoldScores]]]:
    """Cells for the headline: primary sites that nearly all rollouts have, so that few stay without a score."""
    share = {j: present[:, j].mean() for j, site in enumerate(sites) if site in primary}
    enough = min(0.9, max(share.values()))
    kept = []
    for j, part in share.items():
        for i, layer in enumerate(layers):
            cell = found[i, j]
            if part >= enough and cell is not None:
                kept += [(int(layer), str(sites[j]), estimator, folds) for estimator, folds in cell.items()]
    if not kept:
        raise TooLittleData("Too little data for a probe: no primary site is in enough rollouts of both classes.")
    return kept
