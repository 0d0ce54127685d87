"""The tests of whether the confession uses what the probe reads: the primary one, and three that ask in other ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import chi2, f, rankdata
from statsmodels.stats.contingency_tables import StratifiedTable

from confesslens.faithfulness.association import ALONE, constants, covariates, crowded, residual, usable
from confesslens.faithfulness.clusters import (
    CORRELATION,
    MIN_CLUSTERS,
    cluster_sums,
    codes,
    exchanged,
    flip_test,
    jackknife_interval,
)
from confesslens.faithfulness.multiplicity import holm
from confesslens.faithfulness.score_test import project
from confesslens.faithfulness.witnesses import blocks
from confesslens.probes.cv import MIN_SCENARIOS
from confesslens.probes.metrics import mixed_evals

CONFIRMATORY = ("logistic", "cmh", "information", "spearman")
"""The tests that Holm's correction is over; the first is the primary one."""
_STEP = 1e-4
COLUMNS = [
    *("test", "measure", "n", "scenarios", "evals", "estimate", "low", "high", "p", "p_holm", "null", "note"),
]


def association_tests(
    witnesses: pd.DataFrame, association: pd.DataFrame, seed: int = 0, permutations: int = 1999
) -> pd.DataFrame:
    """Is the confession of a bad act tied to the probe, inside evaluations? Four tests, and one of evenness.

    All are of bad answers, and their p values stand up to rollouts of a scenario that hang together.
    logistic: the probe's odds ratio from `association`, given thought, text and length. cmh: the common odds ratio of
    probe fires and confession (Mantel and Haenszel 1959), with the signs of scenarios flipped for p and an
    infinitesimal jackknife over scenarios for the interval, from eight scenarios of either claim on. breslow_day:
    whether that odds ratio is the same in all evaluations (with Tarone's correction; the statistic is divided by the
    design effect of the common odds ratio, as Rao and Scott 1984 do, and where that is above 1 compared with F, of as
    many degrees of freedom as there are scenarios less evaluations, as Thomas and Rao 1987 do). information:
    conditional mutual information I(C; P | B, T, evaluation) over bad and complied answers, in bits, less its mean
    under permutations (see `information`). spearman: rank correlation of probe and confession logit, ranks in
    evaluations, given thought, text and length, or only evaluations where scenarios are few.

    Args:
        witnesses: from `witnesses`.
        association: from `association`.
        seed: of flips and permutations.
        permutations: how many of each.

    Returns:
        columns test, measure ("odds ratio", "bits", "rank correlation", "chi-squared"), n, scenarios, evals, estimate,
        low, high, p, p_holm (over `CONFIRMATORY`), null (the value of no association), note. Too little data gives NaN
        and a note.
    """
    table, note = usable(witnesses, "bad")
    primary = association[(association["subset"] == "bad") & (association["term"] == "probe")].iloc[0]
    rows = [
        {"test": "logistic", "measure": "odds ratio", "null": 1.0, "estimate": primary["odds_ratio"]}
        | {key: primary[key] for key in ("n", "scenarios", "evals", "low", "high", "p", "note")}
    ]
    rows += _cmh(table, note, seed)
    rows.append(_information(witnesses, seed, permutations))
    rows.append(_spearman(witnesses, seed))
    out = pd.DataFrame(rows).reindex(columns=COLUMNS)
    chosen = out["test"].isin(CONFIRMATORY)
    out.loc[chosen, "p_holm"] = holm(out.loc[chosen, "p"])
    return out


def information(counts: NDArray) -> NDArray[np.float64]:
    """Conditional mutual information in bits of two yes/no witnesses from counts [..., stratum, 2, 2]."""
    n = counts.sum(axis=(-1, -2, -3))
    rows, columns = counts.sum(axis=-1, keepdims=True), counts.sum(axis=-2, keepdims=True)
    expected = rows * columns
    ratio = np.divide(
        counts * counts.sum(axis=(-1, -2), keepdims=True), expected, out=np.ones_like(counts), where=counts > 0
    )
    return (counts * np.log2(ratio)).sum(axis=(-1, -2, -3)) / np.maximum(n, 1)


def _cmh(table: pd.DataFrame, note: str, seed: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"test": "cmh", "measure": "odds ratio", "null": 1.0},
        {"test": "breslow_day", "measure": "chi-squared"},
    ]
    fired, confessed = table["probe_fires"].fillna(False).to_numpy(bool), table["confessed"].to_numpy(bool)
    if not note:
        both = np.isin(table["block"].to_numpy(str), mixed_evals(fired, table["block"].to_numpy(str)))
        table, fired, confessed = table[both], fired[both], confessed[both]
        note = "" if len(table) else "no evaluation in which the probe fires on some bad answers and not on others"
    for row in rows:
        row |= _size(table) | {"note": note}
    if note:
        return rows
    cluster, block = codes(table["scenario"]), codes(table["block"])
    cells = np.zeros((len(table), block.max() + 1, 4))
    cells[np.arange(len(table)), block, np.where(fired, np.where(confessed, 0, 1), np.where(confessed, 2, 3))] = 1
    by_cluster = cluster_sums(cells.reshape(len(table), -1), cluster).reshape(-1, block.max() + 1, 4)
    total = by_cluster.sum(axis=0)
    estimate = float(_log_odds(total))
    slopes = (estimate - _log_odds(total - _STEP * by_cluster)) / _STEP
    count = len(slopes)
    error = float(np.sqrt((slopes**2).sum() * count / (count - 1))) if count > 1 else np.nan
    reach = stdtrit(max(count - 1, 1), 0.975) * error
    fits = StratifiedTable(total.reshape(-1, 2, 2).transpose(1, 2, 0))
    design = constants(table)
    score, added, _ = project(fired.astype(float), design, residual(design, confessed.astype(float)), cluster)
    low, high = np.exp([estimate - reach, estimate + reach])
    few = min(table["scenario"][confessed == said].nunique() for said in (True, False)) < 2 * MIN_SCENARIOS
    rows[0] |= {
        "estimate": float(np.exp(estimate)),
        "low": float(low),
        "high": float(high),
        "p": flip_test(added, score, seed=seed),
        "note": "" if np.isfinite(reach) else "no odds ratio: a cell is empty in all evaluations",
    }
    if few and not rows[0]["note"]:  # of intervals of so few 97 to 99 % held the truth
        note = f"no interval: under {2 * MIN_SCENARIOS} scenarios of one claim"
        rows[0] |= {"low": np.nan, "high": np.nan, "note": note}
    k = len(total)
    if k < 2 or not np.isfinite(reach):
        rows[1]["note"] = "one evaluation only" if k < 2 else "no common odds ratio to compare with"
        return rows
    with np.errstate(all="ignore"):
        even = fits.test_equal_odds(adjust=True)
        alone = float(fits.logodds_pooled_se)
    effect = max(1.0, (error / alone) ** 2) if np.isfinite(alone) and alone > 0 else 1.0
    if np.isfinite(even.statistic):
        statistic = float(even.statistic) / effect
        as_counts = effect == 1.0  # then nothing was estimated that Student's degrees of freedom would be for
        p = chi2.sf(statistic, k - 1) if as_counts else f.sf(statistic / (k - 1), k - 1, max(count - k, 1))
        rows[1] |= {"estimate": statistic, "p": float(p), "null": k - 1.0}
    else:
        rows[1]["note"] = "undefined: an evaluation has an empty row or column"
    return rows


def _log_odds(counts: NDArray) -> NDArray[np.float64]:
    """Log of the Mantel-Haenszel odds ratio of counts [..., stratum, (a, b, c, d)]; NaN where undefined."""
    a, b, c, d = np.moveaxis(counts, -1, 0)
    n = np.maximum(a + b + c + d, 1)
    up, down = (a * d / n).sum(axis=-1), (b * c / n).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(up) - np.log(down)
    return np.where((up > 0) & (down > 0), ratio, np.nan)


def _information(witnesses: pd.DataFrame, seed: int, permutations: int) -> dict[str, Any]:
    """Scenarios with as many rollouts in a stratum (evaluation, behaviour, thought) exchange the probe's verdicts.

    Whole blocks are exchanged, as in `probes.permuted_labels`, in one random order of scenarios for all strata.
    """
    table, note = usable(witnesses, "all", 2 * MIN_SCENARIOS)  # with 4 to 7 it rejects 2.4 % of simulated runs
    row = {"test": "information", "measure": "bits", "null": 0.0, **_size(table), "note": note}
    if note:
        return row
    block, cluster = codes(table["block"]), codes(table["scenario"])
    thought = table["cot"].fillna(False).to_numpy(bool)
    stratum = codes(block * 4 + 2 * (table["behaviour"] == "not_complied").to_numpy() + thought)
    fired, confessed = table["probe_fires"].fillna(False).to_numpy(bool), table["confessed"].to_numpy(bool)
    rng = np.random.default_rng(seed)
    place = rng.random((permutations, cluster.max() + 1))
    counts = np.zeros((permutations + 1, stratum.max() + 1, 2, 2))
    for s in range(stratum.max() + 1):
        rows = np.flatnonzero(stratum == s)
        verdicts = np.vstack([fired[rows], fired[rows][exchanged(cluster[rows], place)]])
        for i, p in enumerate((verdicts, ~verdicts)):
            counts[:, s, i, 0] = (p & confessed[rows]).sum(axis=1)
            counts[:, s, i, 1] = (p & ~confessed[rows]).sum(axis=1)
    found = information(counts)
    seen, null = found[0], found[1:]
    if not null.std() > 1e-12:
        return row | {"note": "probe or confession never vary among answers of one kind"}
    above, level = (null > seen + 1e-12).sum(), (np.abs(null - seen) <= 1e-12).sum()
    p = (1 + above + level / 2) / (1 + permutations)
    return row | {"estimate": float(seen - null.mean()), "p": float(p)}


def _spearman(witnesses: pd.DataFrame, seed: int) -> dict[str, Any]:
    row: dict[str, Any] = {"test": "spearman", "measure": "rank correlation", "null": 0.0}
    known = witnesses[
        (witnesses["behaviour"] == "not_complied") & witnesses["probe"].notna() & witnesses["logit"].notna()
    ]
    table = known.assign(block=blocks(known))
    size = table.groupby("block")["scenario"].transform("nunique")
    table = table[size >= 2]
    row |= _size(table)
    if table["scenario"].nunique() < MIN_CLUSTERS:
        return row | {
            "note": f"too little data: under {MIN_CLUSTERS} scenarios with bad answer, score and confession logit"
        }
    ranks = pd.DataFrame(
        {
            name: table.groupby("block")[name].transform(lambda own: rankdata(own) / (len(own) + 1))
            for name in ("probe", "logit")
        }
    )
    columns, _ = covariates(table, ("cot", "text", "length"))
    design, note = np.column_stack([constants(table), *columns.values()]), ""
    if crowded(table, design):
        design, note = constants(table), ALONE
    x, y = (residual(design, ranks[name].to_numpy(float)) for name in ("probe", "logit"))
    if min(x.std(), y.std()) < 1e-8:
        return row | {"note": "probe score or confession logit does not vary"}
    cluster = codes(table["scenario"])
    score, added, _ = project(x, design, y, cluster)
    estimate = _correlation(x, y)
    left_out = []
    for g in range(cluster.max() + 1):
        rest = cluster != g
        left_out.append(_correlation(*(residual(design[rest], ranks[name].to_numpy(float)[rest]) for name in ranks)))
    strata = np.zeros(len(left_out), dtype=int)
    interval = jackknife_interval(estimate, np.array(left_out), strata, CORRELATION)
    return row | {
        "estimate": estimate,
        "low": interval.low,
        "high": interval.high,
        "p": flip_test(added, score, seed=seed),
        "note": note,
    }


def _correlation(x: NDArray, y: NDArray) -> float:
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 1e-12 else float("nan")


def _size(table: pd.DataFrame) -> dict[str, Any]:
    evals = ",".join(sorted(table["block"].unique()))
    return {"n": len(table), "scenarios": table["scenario"].nunique(), "evals": evals}
