"""The primary test: does what the probe reads go with what is confessed, beyond what the text and the thought tell?"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.linalg import lstsq

from confesslens.faithfulness.clusters import codes
from confesslens.faithfulness.score_test import coefficient
from confesslens.faithfulness.witnesses import blocks
from confesslens.probes.cv import MIN_SCENARIOS, rarer_scenarios
from confesslens.probes.metrics import mixed_evals

ALONE = "few or rare: evaluations alone are allowed for, no other covariates"
SUBSETS = ("bad", "all")
TERMS = ("probe", "cot", "text", "length", "behaviour")
COLUMNS = [
    *("subset", "term", "n", "n_confessed", "scenarios", "evals"),
    *("odds_ratio", "low", "high", "p", "p_wald", "error", "note"),
]


def association(
    witnesses: pd.DataFrame,
    seed: int = 0,
    flips: int = 1999,
    subsets: tuple[str, ...] = SUBSETS,
    only: tuple[str, ...] = TERMS,
    interval: bool = True,
) -> pd.DataFrame:
    """Logistic regression of the confession on probe, chain of thought, text score and length, within evaluations.

    Each evaluation (under each condition) has a constant of its own; one in which all confess, or none, tells nothing
    and is left out. Probe, text score and log length are in units of their standard deviation, so their odds ratios are
    for one of those. Odds ratios are Firth's (1993) and stay finite where classes separate; intervals and p come from
    the score bootstrap that flips the signs of scenarios (see `score_test.coefficient`), at any number of scenarios, as
    the cluster-robust Wald test of statsmodels, beside it as p_wald, rejects too often when they are few. Where the
    rarer claim or the scenarios are too few for the covariates (see `crowded`), evaluations alone are allowed for.

    Args:
        witnesses: from `witnesses`.
        seed: of the flips.
        flips: how many.
        subsets: of `SUBSETS`.
        only: the terms to give (all of them are in the regression).
        interval: whether to search for intervals (the slow part).

    Returns:
        columns subset ("bad": bad answers alone, the primary test; "all": bad and complied ones, with the behaviour as
        one more covariate), term, n, n_confessed, scenarios, evals (those used, joined by commas), odds_ratio, low,
        high, p, p_wald, error (cluster-robust standard error of the log odds ratio under the null), note. Too little
        data gives NaN and a note; so does an end of an interval that the data do not bound.
    """
    rows = []
    for subset in subsets:
        table, note = usable(witnesses, subset)
        terms = TERMS if subset == "all" else TERMS[:-1]
        row = {"subset": subset, "n": len(table), "n_confessed": int(table["confessed"].sum())}
        row |= {"scenarios": table["scenario"].nunique(), "evals": ",".join(sorted(table["block"].unique()))}
        row |= dict.fromkeys(("odds_ratio", "low", "high", "p", "p_wald", "error"), np.nan)
        if note:
            rows += [row | {"term": term, "note": note} for term in terms if term in only]
            continue
        columns, dropped = covariates(table, terms)
        wald = _wald(columns, table)
        for term in (term for term in terms if term in only):
            told = (
                {"term": term, "note": dropped[term]}
                if term in dropped
                else _term(term, columns, table, seed, flips, interval)
            )
            rows.append(row | told | {"p_wald": wald.get(term, np.nan)})
    return pd.DataFrame(rows, columns=COLUMNS)


def covariates(table: pd.DataFrame, terms: tuple[str, ...]) -> tuple[dict[str, NDArray], dict[str, str]]:
    """Columns [n] of the terms that vary inside evaluations, and why each of the others is left out."""
    raw = {
        "probe": table["probe"].to_numpy(float),
        "cot": table["cot"].fillna(False).to_numpy(float),
        "text": table["text_score"].to_numpy(float),
        "length": np.log1p(table["length"].to_numpy(float)),
        "behaviour": (table["behaviour"] == "not_complied").to_numpy(float),
    }
    columns: dict[str, NDArray] = {}
    dropped = {}
    design = constants(table)
    for term in terms:
        values = raw[term]
        if np.isnan(values).any():
            dropped[term] = "not known for all of these rollouts"
            continue
        inside = residual(design, values)
        if inside.std() < 1e-8 * max(1.0, float(np.abs(values).max())):
            dropped[term] = "does not vary beyond evaluation and the covariates above it"
            continue
        columns[term] = values if term in ("cot", "behaviour") else (values - values.mean()) / values.std()
        design = np.column_stack([design, columns[term]])
    return columns, dropped


def residual(design: NDArray, values: NDArray) -> NDArray[np.float64]:
    """What least squares on `design` [n, k] leaves of `values` [n].

    By QR: the divide-and-conquer SVD of `numpy.linalg.lstsq` was seen not to converge on harmless data.
    """
    return values - design @ lstsq(design, values, lapack_driver="gelsy")[0]


def crowded(table: pd.DataFrame, design: NDArray) -> bool:
    """Whether scenarios are too few for the columns of `design`: under three each, signs flipped by scenario reject too
    seldom (2.6 % instead of 5 % of simulated runs of three evaluations with few scenarios and rare bad acts)."""
    return table["scenario"].nunique() < 3 * design.shape[1]


def constants(table: pd.DataFrame) -> NDArray[np.float64]:
    """[n, evaluations] a column of ones for each evaluation and condition."""
    return np.eye(table["block"].nunique())[codes(table["block"])]


def usable(witnesses: pd.DataFrame, subset: str, least: int = MIN_SCENARIOS) -> tuple[pd.DataFrame, str]:
    """Rows with a probe score and a clear claim, in evaluations where some confess and some do not; or why not.

    The rarer claim has to be made in at least `least` scenarios.
    Adds the columns block (what a row may be compared within) and confessed.
    """
    table = witnesses.assign(block=blocks(witnesses), confessed=witnesses["claim"] == "not_complied")
    behaviours = ["not_complied"] if subset == "bad" else ["not_complied", "complied"]
    table = table[table["behaviour"].isin(behaviours) & table["claim"].isin(["complied", "not_complied"])]
    scored = table[table["probe"].notna()]
    if not len(scored):
        return scored, "no rollout has this probe score and claim" if len(table) else "no confession to explain"
    y, names = scored["confessed"].to_numpy(bool), scored["block"].to_numpy(str)
    mixed = np.isin(names, mixed_evals(y, names))
    if not mixed.any():
        told = "confessed" if y.all() else "denied" if not y.any() else "confessed or all denied, in each evaluation"
        return scored, f"too little data: all were {told}"
    found = rarer_scenarios(y, scored["scenario"].to_numpy(str), names)
    if found < least:
        return scored, f"too little data: only {found} scenarios of the rarer claim, at least {least} needed"
    return scored[mixed], ""


def _term(
    term: str, columns: dict[str, NDArray], table: pd.DataFrame, seed: int, draws: int, interval: bool
) -> dict[str, Any]:
    others = np.column_stack([constants(table), *(values for name, values in columns.items() if name != term)])
    y, cluster = table["confessed"].to_numpy(bool), codes(table["scenario"])
    note = ""
    if min(y.sum(), (~y).sum()) <= others.shape[1] or crowded(table, others):
        others, note = constants(table), ALONE
    found = coefficient(columns[term], others, y, cluster, draws, seed, interval)
    if interval and not np.isfinite([found.low, found.high]).all():
        note = "; ".join(part for part in (note, "the data do not bound it on one side") if part)
    low, high = np.exp([found.low, found.high])
    return {
        "term": term,
        "odds_ratio": float(np.exp(found.estimate)),
        "low": float(low),
        "high": float(high),
        "p": found.p,
        "error": found.error,
        "note": note,
    }


def _wald(columns: dict[str, NDArray], table: pd.DataFrame) -> dict[str, float]:
    """p of statsmodels' logistic regression with cluster-robust errors; empty where it does not converge."""
    design = np.column_stack([*columns.values(), constants(table)])
    model = sm.GLM(table["confessed"].to_numpy(float), design, family=sm.families.Binomial())
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            fit = model.fit(cov_type="cluster", cov_kwds={"groups": codes(table["scenario"])})
        except (ValueError, np.linalg.LinAlgError):
            return {}
    if not fit.converged or np.abs(fit.params).max() > 15:
        return {}
    return dict(zip(columns, np.asarray(fit.pvalues, dtype=float), strict=False))
