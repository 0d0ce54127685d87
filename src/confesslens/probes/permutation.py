"""Is anything there at all: a permutation test of the best cell of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold

from confesslens.probes.closed_forms import centred
from confesslens.probes.cv import MIN_SCENARIOS, Split, TooLittleData, rarer_scenarios, require_enough
from confesslens.probes.each import Each, in_threads
from confesslens.probes.metrics import within_eval_auroc_columns
from confesslens.probes.tall import Features, TallRows, features, gram, less, over, spread_of, transposed_times


@dataclass(frozen=True)
class PermutationTest:
    """What a permutation test found.

    Attributes:
        p: of the best cell, corrected for the search over all cells.
        best: (layer, site) of that cell: the one furthest above its own chance, in units of its spread.
        table: one row a layer, site and estimator: layer, site, estimator, n, auroc, chance (mean AUROC under permuted
            labels), z, p (corrected for all cells).
        permutations: how often the labels were permuted.
        null: [permutations] the largest z of the grid under permuted labels.
        statistics: [cell, 1 + permutations] AUROCs of the table's rows: the data's, then the permuted labels'.
    """

    p: float
    best: tuple[int, str]
    table: pd.DataFrame
    permutations: int
    null: NDArray[np.float64] = field(repr=False)
    statistics: NDArray[np.float64] = field(repr=False)

    def p_among(self, sites: Sequence[str]) -> float:
        """p of the best cell of these sites alone, corrected for the search over them; NaN where none has a number."""
        inside = self.table["site"].isin(list(sites)).to_numpy() & self.table["p"].notna().to_numpy()
        return float(np.nanmin(max_statistic(self.statistics[inside])[1])) if inside.any() else float("nan")


def permuted_labels(
    labels: ArrayLike, groups: ArrayLike, evals: ArrayLike, permutations: int, seed: int = 0, within: bool = False
) -> NDArray[np.bool_]:
    """Labels permuted by scenario inside evaluations: scenarios of as many rows swap their labels as a whole.

    Whole-block exchange of Winkler et al. (2015, NeuroImage 123): what rows of a scenario share, in labels
    and in activations, is kept, so that the null has the dependence of the data. A scenario that has no partner of its
    size in its evaluation keeps its labels, which only costs power.

    Of matched rows, such as text-matched twins, every scenario has the same labels and nothing can be swapped: there
    rows of a scenario are what can be exchanged (within-block exchange, in the same paper).

    Args:
        labels: [n] true for the bad act.
        groups: [n] scenarios.
        evals: [n] evaluation names.
        permutations: how many.
        seed: of the permutations.
        within: exchange the rows of each scenario in place of scenarios; for matched rows only, for it takes rows of a
            scenario for independent.

    Returns:
        [n, permutations] booleans.

    Raises:
        TooLittleData: no two scenarios (or rows of one, with `within`) could swap labels that differ.
    """
    label, name = np.asarray(labels, dtype=bool), np.unique(np.asarray(evals), return_inverse=True)[1]
    code = np.unique(np.asarray(groups), return_inverse=True)[1]
    if len({len(label), len(name), len(code)}) > 1:
        raise ValueError(f"labels, groups and evals need one entry a row, got {[len(label), len(code), len(name)]}")
    _, block, size = np.unique(name * (code.max() + 1) + code, return_inverse=True, return_counts=True)
    out = np.repeat(label[:, None], permutations, axis=1)
    rng = np.random.default_rng(seed)
    moved = False
    for kind in np.unique(np.column_stack([name, size[block]]), axis=0):
        rows = np.flatnonzero((name == kind[0]) & (size[block] == kind[1]))
        table = rows[np.argsort(block[rows], kind="stable")].reshape(-1, kind[1])  # [scenario, row]
        moved = moved or bool((label[table] != (label[table[:, :1]] if within else label[table[0]])).any())
        for j in range(permutations):
            out[table, j] = rng.permuted(label[table], axis=1) if within else label[table[rng.permutation(len(table))]]
    if not moved:
        what = (
            "no scenario has both labels" if within else "no two scenarios of one evaluation and size differ in labels"
        )
        hint = "" if within else " Where scenarios are matched rows, permute within them."
        raise TooLittleData(f"Too little data to permute: {what}.{hint}")
    return out


def permutation_test(
    values: NDArray,
    labels: ArrayLike,
    groups: ArrayLike,
    evals: ArrayLike,
    layers: Sequence[int] | None = None,
    sites: Sequence[str] | None = None,
    present: ArrayLike | None = None,
    permutations: int = 999,
    alpha: float | Sequence[float] = 40.0,
    estimators: Sequence[str] = ("ridge",),
    folds: int = 5,
    seed: int = 0,
    jobs: int = 2,
    within: bool = False,
    each: Each | None = None,
) -> PermutationTest:
    """Whether the best cell of a grid of layers and sites beats what the best cell of noise does.

    Each cell's statistic is the within-evaluation AUROC of out-of-fold ridge scores. Features and labels are centred
    inside evaluations on the training rows, so that nothing is learned from which evaluation a row is of; a ridge fit
    is linear in the labels, so one factorisation serves all penalties and permutations. Of several penalties the
    statistic is the largest AUROC, for the data as for every permutation. Folds keep scenarios whole and do not look at
    labels, or the true ones would be better spread than the permuted. Cells may have different numbers of rows, so
    their AUROCs are put in units of their own spread over the permutations. p is the share of permutations (the data
    counted as one: Phipson and Smyth 2010) whose largest cell is as large: the single-step maxT of Westfall and Young
    (1993), which controls the chance of any false discovery.

    Args:
        values: [n, layer, site, d] activations.
        labels: [n] true for the bad act.
        groups: [n] scenarios.
        evals: [n] evaluation names.
        layers: [layer] numbers; 0 and up when None.
        sites: [site] names; "0" and up when None.
        present: [n, site] whether the site exists in the rollout; everywhere when None.
        permutations: how often labels are permuted; p is at least 1 / (permutations + 1).
        alpha: ridge penalty on standardised features, as in RidgeProbe; or several.
        estimators: "ridge", "mass_mean" (no penalty; linear in the labels too), or both.
        folds: most folds.
        seed: of folds and permutations.
        jobs: threads.
        within: permute rows inside scenarios, for matched rows: see `permuted_labels`.
        each: works on the layers and sites in place of threads, such as `scale.RayWorkers.each` on a cluster.

    Raises:
        TooLittleData: fewer than 4 scenarios of the rarer class, in every cell, or labels that cannot be permuted.
        ValueError: shapes that do not fit together, or another estimator.
    """
    label, group, name = np.asarray(labels, dtype=bool), np.asarray(groups), np.asarray(evals)
    layers = list(range(values.shape[1])) if layers is None else list(layers)
    sites = [str(i) for i in range(values.shape[2])] if sites is None else list(sites)
    there = np.ones((len(label), len(sites)), dtype=bool) if present is None else np.asarray(present, dtype=bool)
    shape = (len(label), len(layers), len(sites))
    for what, got, want in (("values", values.shape[:3], shape), ("present", there.shape, shape[::2])):
        if tuple(got) != want:
            raise ValueError(
                f"{what} has shape {tuple(got)}, expected {want} for {len(label)} labels, layers and sites"
            )
    for estimator in estimators:
        if estimator not in ("ridge", "mass_mean"):
            raise ValueError(f"estimator {estimator!r} has no permutation test: expected ridge or mass_mean")
    require_enough(label, group, name)
    columns = np.column_stack([label, permuted_labels(label, group, name, permutations, seed, within)])
    code = np.unique(name, return_inverse=True)[1]
    alphas = [float(a) for a in np.atleast_1d(alpha)]

    ask = _Asked(columns, code, group, name, label, alphas, tuple(estimators), folds, seed)
    places = [(i, j) for j in range(len(sites)) for i in range(len(layers))]
    areas = (each or in_threads(jobs))(partial(_cell_areas, values, there, ask), places, lambda n: None)
    rows = [
        {"layer": int(layers[i]), "site": str(sites[j]), "estimator": estimator, "n": int(there[:, j].sum())}
        for i, j in places
        for estimator in estimators
    ]
    statistics = np.array([own for cell in areas for own in cell])
    z, p, null = max_statistic(statistics)
    table = pd.DataFrame(rows).assign(auroc=statistics[:, 0], chance=statistics[:, 1:].mean(axis=1), z=z, p=p)
    best = table.loc[table["z"].idxmax()]
    place = (int(best["layer"]), str(best["site"]))
    return PermutationTest(float(best["p"]), place, table, permutations, null, statistics)


def max_statistic(
    statistics: NDArray,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Corrected p values of many cells from one set of permutations (single-step maxT, Westfall and Young 1993).

    Args:
        statistics: [cell, 1 + permutations] larger for more signal: the data's first, then the permutations'. A cell
            of NaN takes no part.

    Returns:
        z [cell] (the data's statistic in units of the spread of all columns of its cell), p [cell] (share of columns,
        the data's among them, whose largest z is as large) and the largest z of each permutation [permutations].
    """
    # The data's column takes part in centre and spread: under the null all columns are then exchangeable.
    spread = statistics.std(axis=1, keepdims=True)
    centred = statistics - statistics.mean(axis=1, keepdims=True)
    z = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    z[np.isnan(statistics).any(axis=1)] = np.nan
    known = ~np.isnan(z[:, 0])
    if not known.any():
        raise TooLittleData("Too little data for a permutation test: no cell has a statistic.")
    largest = z[known].max(axis=0)
    p = np.full(len(z), np.nan)
    p[known] = (largest[None, :] >= z[known, :1] - 1e-12).mean(axis=1)
    return z[:, 0], p, largest[1:]


@dataclass(frozen=True)
class _Asked:
    """What all cells of a test share."""

    columns: NDArray[np.bool_]
    code: NDArray
    groups: NDArray
    evals: NDArray
    labels: NDArray[np.bool_]
    alphas: Sequence[float]
    estimators: tuple[str, ...]
    folds: int
    seed: int


def _cell_areas(values: NDArray, present: NDArray, ask: _Asked, place: tuple[int, int]) -> list[NDArray[np.float64]]:
    """`_areas` of one layer and site; NaN where the rows that have the site are too few."""
    i, j = place
    inside = np.flatnonzero(present[:, j])
    if rarer_scenarios(ask.labels[inside], ask.groups[inside], ask.evals[inside]) < MIN_SCENARIOS:
        return [np.full(ask.columns.shape[1], np.nan)] * len(ask.estimators)
    x = features(values[:, i, j])[inside]
    rows = (ask.columns[inside], ask.code[inside], ask.groups[inside])
    return _areas(x, *rows, ask.alphas, ask.estimators, ask.folds, ask.seed)


def _areas(
    x: Features,
    columns: NDArray,
    code: NDArray,
    groups: NDArray,
    alphas: Sequence[float],
    estimators: Sequence[str],
    folds: int,
    seed: int,
) -> list[NDArray[np.float64]]:
    """For each estimator [1 + permutations] within-evaluation AUROC of out-of-fold scores; of the best penalty."""
    sizes = {"ridge": len(alphas), "mass_mean": 1}
    scores = {each: np.empty((len(x), sizes[each], columns.shape[1])) for each in estimators}
    for train, test in _folds(code, groups, folds, seed):
        if "ridge" in scores:
            scores["ridge"][test] = _ridge_scores(x, columns, code, train, test, alphas)
        if "mass_mean" in scores:
            scores["mass_mean"][test, 0] = _mass_mean_scores(x, columns, code, train, test)
    return [
        np.max([within_eval_auroc_columns(columns, scores[each][:, a], code) for a in range(sizes[each])], axis=0)
        for each in estimators
    ]


def _folds(code: NDArray, groups: NDArray, folds: int, seed: int) -> list[Split]:
    count = min(folds, len(np.unique(groups)))
    evenly = code if np.bincount(code).max() >= count else np.zeros_like(code)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(code)), evenly, groups))


def _ridge_scores(
    x: Features, columns: NDArray, code: NDArray, train: NDArray, test: NDArray, alphas: Sequence[float]
) -> NDArray[np.float64]:
    """[m_test, alpha, k] ridge scores for every penalty and label column."""
    fit, y, means = centred(x[train], columns[train], code[train])
    ask = _less(x[test], means, code[test])
    spread = spread_of(fit)
    fit, ask = over(fit, spread), over(ask, spread)
    if len(train) < x.shape[1] and not isinstance(fit, TallRows):
        power, axes = np.linalg.eigh(fit @ fit.T)
        back, aim = transposed_times(fit, axes), axes.T @ y
    else:
        power, axes = np.linalg.eigh(gram(fit))
        back, aim = axes, axes.T @ transposed_times(fit, y)
    power = np.maximum(power, 0.0)
    shrunk = [aim / (power + alpha)[:, None] for alpha in alphas]
    if isinstance(ask, TallRows):
        return np.stack([ask @ (back @ each) for each in shrunk], axis=1)
    turned = ask @ back
    return np.stack([turned @ each for each in shrunk], axis=1)


def _mass_mean_scores(
    x: Features, columns: NDArray, code: NDArray, train: NDArray, test: NDArray
) -> NDArray[np.float64]:
    """[m_test, k] projections on the difference of the class means, in units of its length."""
    fit, y, means = centred(x[train], columns[train], code[train])
    ask = _less(x[test], means, code[test])
    direction = transposed_times(fit, y)
    length = np.linalg.norm(direction, axis=0)
    return ask @ (direction / np.where(length > 0, length, 1.0))


def _less(x: Features, means: NDArray, code: NDArray) -> Features:
    """Held-out rows less their evaluation's training mean; one that the training rows lack is compared within itself
    only, where any centre will do."""
    known = np.vstack([means, np.zeros((max(0, code.max() + 1 - len(means)), x.shape[1]))])
    return less(x, known, code)
