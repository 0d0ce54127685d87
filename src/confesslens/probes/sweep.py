"""Probes for every layer and read site, with controls, and the nested headline score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from confesslens.probes.bootstrap import auroc_interval, resample_weights
from confesslens.probes.cv import (
    MIN_SCENARIOS,
    Split,
    TooLittleData,
    contrast_weights,
    rarer_scenarios,
    require_enough,
    scenario_folds,
)
from confesslens.probes.estimators import LogisticProbe
from confesslens.probes.folds import FoldPlan, FoldScores, plan_fold, score_fold, shuffled_labels
from confesslens.probes.metrics import within_eval_auroc_columns
from confesslens.probes.nested import Nested, choose_nested
from confesslens.probes.solver import row_space

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sweep:
    """What a sweep found.

    Attributes:
        table: one row a layer and site: layer, site, n, n_pos, auroc, low, high, shuffled, text, penalty (the one
            chosen most often). AUROCs are inside evaluations, out of fold, the penalty chosen on training folds. The
            best cell of this map is optimistic; the honest headline is `nested`.
        nested: the headline, over `primary_sites` only.
        primary_sites: the sites that the headline may choose from.
        folds: the outer splits (train, test) that every number shares.
        scores: [n, layer, site] out-of-fold scores; NaN where a site is absent or had too little data.
    """

    table: pd.DataFrame
    nested: Nested
    primary_sites: list[str]
    folds: list[Split] = field(repr=False)
    scores: NDArray[np.float64] = field(repr=False)

    def best(self) -> tuple[int, str, float]:
        """(layer, site, penalty) that the folds chose most often: the place to fit a probe for release."""
        counts = Counter((c.layer, c.site, c.penalty) for c in self.nested.choices)
        strength: dict[tuple[int, str, float], float] = {}
        for c in self.nested.choices:
            strength[c.layer, c.site, c.penalty] = max(strength.get((c.layer, c.site, c.penalty), 0.0), c.inner_auroc)
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
    outer: int = 5,
    inner: int = 3,
    seed: int = 0,
    n_boot: int = 500,
    shuffles: int = 3,
    primary_sites: Sequence[str] | None = None,
    text_scores: ArrayLike | None = None,
    jobs: int = 2,
    progress: Progress | None = None,
) -> Sweep:
    """Probe every layer and site for the bad act, with folds by scenario and everything chosen on training folds.

    Args:
        values: [n, layer, site, d] activations.
        present: [n, site] whether the site exists in the rollout; other rows are left out for that site.
        labels: [n] true for the bad act (drop rollouts of behaviour "neither" first).
        groups: [n] scenarios.
        evals: [n] evaluation names.
        layers: [layer] numbers of the layers.
        sites: [site] names of the read sites.
        penalties: values of C to choose from.
        outer: most outer folds.
        inner: most inner folds, inside each training fold.
        seed: of folds, shuffles and bootstrap.
        n_boot: bootstrap draws for each interval.
        shuffles: how often the labels are shuffled inside evaluations for the control.
        primary_sites: sites that the headline may choose from; all but those that begin "confession." when None.
        text_scores: [n] out-of-fold text baseline, for the table's `text` column.
        jobs: threads.
        progress: called with (done, total) after each layer and site.

    Returns:
        The map over layers and sites, and the nested headline.

    Raises:
        TooLittleData: one class, or fewer than 4 scenarios of the rarer class in evaluations that have both.
        ValueError: shapes that do not fit together, or an unknown primary site.
    """
    labels, groups, evals = np.asarray(labels, dtype=bool), np.asarray(groups), np.asarray(evals)
    present = np.asarray(present, dtype=bool)
    _check_shapes(values, present, labels, groups, evals, layers, sites)
    primary = _primary(sites, primary_sites)
    require_enough(labels, groups, evals)
    folds = scenario_folds(labels, groups, evals, outer, seed)
    columns = shuffled_labels(labels, evals, shuffles, seed)
    weights = resample_weights(groups, evals, n_boot, seed)
    codes = np.unique(evals, return_inverse=True)[1]
    task = _Task(columns, groups, codes, folds, sorted(float(p) for p in penalties), inner, seed, weights)

    places = [(i, j) for j in range(len(sites)) for i in range(len(layers))]
    found: dict[tuple[int, int], list[FoldScores] | None] = {}
    for place, result in _each_cell(values, present, task, places, jobs):
        found[place] = result
        if progress is not None:
            progress(len(found), len(places))

    scores = np.full((len(labels), len(layers), len(sites)), np.nan)
    text = None if text_scores is None else np.asarray(text_scores, dtype=float)
    rows = []
    for i, layer in enumerate(layers):
        for j, site in enumerate(sites):
            row, scores[:, i, j] = _summarise(found[i, j], task, present[:, j], text)
            rows.append({"layer": int(layer), "site": str(site), **row})
    candidates = _candidates(found, present, layers, sites, primary)
    nested = choose_nested(candidates, columns, codes, groups, task.penalties, weights)
    return Sweep(pd.DataFrame(rows), nested, primary, folds, scores)


def fit_probe(X: ArrayLike, labels: ArrayLike, evals: ArrayLike, penalty: float) -> LogisticProbe:
    """The probe for release: fitted on all rows [n, d], weighted for the contrast inside evaluations as in `sweep`.

    Its quality is the sweep's nested AUROC, never its fit to these rows. `classes_` is ["complied", "not_complied"].
    """
    bad = np.asarray(labels, dtype=bool)
    names = np.where(bad, "not_complied", "complied")
    return LogisticProbe(C=penalty, class_weight=None).fit(X, names, sample_weight=contrast_weights(bad, evals))


def _each_cell(
    values: NDArray, present: NDArray, task: _Task, places: list[tuple[int, int]], jobs: int
) -> Iterator[tuple[tuple[int, int], list[FoldScores] | None]]:
    def one(place: tuple[int, int]) -> tuple[tuple[int, int], list[FoldScores] | None]:
        layer, site = place
        return place, _cell(values[:, layer, site], present[:, site], task)

    # Threads share `values` without a copy and start at once; the heavy parts release the interpreter lock.
    with threadpool_limits(1):
        yield from Parallel(n_jobs=jobs, backend="threading", return_as="generator_unordered")(
            delayed(one)(place) for place in places
        )


def _cell(x: NDArray, present: NDArray, task: _Task) -> list[FoldScores] | None:
    """All outer folds of one layer and site; None where the rows that have the site are too few."""
    true = task.labels[:, 0]
    if rarer_scenarios(true[present], task.groups[present], task.evals[present]) < MIN_SCENARIOS:
        return None
    x = np.where(present[:, None], x, 0.0)
    out = []
    for train, test in task.folds:
        train, test = train[present[train]], test[present[test]]
        if len(np.unique(task.groups[train])) < 2:
            return None
        out.append(score_fold(row_space(x, train), task.plan(train, test), task.evals))
    return out


def _summarise(
    folds: list[FoldScores] | None, task: _Task, present: NDArray, text: NDArray | None
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
    interval = auroc_interval(y[:, 0], s[:, 0], e, task.groups[present], weights=task.weights[present])
    row |= {"auroc": interval.estimate, "low": interval.low, "high": interval.high}
    if k > 1:
        row["shuffled"] = float(np.mean(within_eval_auroc_columns(y[:, 1:], s[:, 1:], e)))
    if text is not None:
        known = ~np.isnan(text[present])
        row["text"] = float(within_eval_auroc_columns(y[known, :1], text[present][known, None], e[known])[0])
    row["penalty"] = Counter(picked).most_common(1)[0][0]
    return row, scores[:, 0]


def _candidates(
    found: dict[tuple[int, int], list[FoldScores] | None],
    present: NDArray,
    layers: Sequence[int],
    sites: Sequence[str],
    primary: list[str],
) -> list[tuple[int, str, list[FoldScores]]]:
    """Cells for the headline: primary sites that nearly all rollouts have, so that few stay without a score."""
    share = {j: present[:, j].mean() for j, site in enumerate(sites) if site in primary}
    enough = min(0.9, max(share.values()))
    kept = []
    for j, part in share.items():
        for i, layer in enumerate(layers):
            folds = found[i, j]
            if part >= enough and folds is not None:
                kept.append((int(layer), str(sites[j]), folds))
    if not kept:
        raise TooLittleData("Too little data for a probe: no primary site is in enough rollouts of both classes.")
    return kept


def _primary(sites: Sequence[str], asked: Sequence[str] | None) -> list[str]:
    if asked is None:
        asked = [s for s in sites if not s.startswith("confession.")]
    unknown = [s for s in asked if s not in sites]
    if unknown or not asked:
        raise ValueError(f"primary_sites {unknown or list(asked)}: give some of the sites read, {list(sites)}")
    return list(asked)


def _check_shapes(
    values: NDArray,
    present: NDArray,
    labels: NDArray,
    groups: NDArray,
    evals: NDArray,
    layers: Sequence[int],
    sites: Sequence[str],
) -> None:
    n = len(labels)
    expected = {
        "values": (values.shape[:3], (n, len(layers), len(sites))),
        "present": (present.shape, (n, len(sites))),
        "groups": (groups.shape, (n,)),
        "evals": (evals.shape, (n,)),
    }
    for name, (got, want) in expected.items():
        if tuple(got) != want:
            raise ValueError(f"{name} has shape {tuple(got)}, expected {want} for {n} labels, layers and sites")
