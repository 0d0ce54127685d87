"""What effects these rollouts could have shown, so that "nothing found" can be read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from confesslens.faithfulness.association import usable
from confesslens.faithfulness.clusters import cluster_sums, codes
from confesslens.faithfulness.discrimination import TARGETS, target_rows
from confesslens.faithfulness.witnesses import blocks

COLUMNS = ["question", "measure", "n", "n_other", "scenarios", "design_effect", "null", "detectable", "note"]


QUESTIONS = {
    "association": "an odds ratio of confessing for one standard deviation of the probe",
    "confession_difference": "a difference in P(confess | bad) by whether the probe fires",
    "behaviour": "an AUROC for bad behaviour",
    "confession_given_bad": "an AUROC for confession given a bad act",
    "knowledge_given_bad": "an AUROC for knowledge given a bad act",
}


def power(witnesses: pd.DataFrame, association: pd.DataFrame, power: float = 0.8, alpha: float = 0.05) -> pd.DataFrame:
    """Smallest effects that a two-sided test at `alpha` would find with probability `power`.

    The detectable effect is (z_{1-alpha/2} + z_power) standard errors under the null (Bloom 1995, Evaluation Review
    19). Standard errors count rows of a scenario by their design effect (Kish 1965), estimated from the products that
    the test sums up, at least 1. A detectable effect outside of what is possible gives NaN and a note.

    Args:
        witnesses: from `witnesses`.
        association: from `association`.
        power: probability of finding it.
        alpha: of the test.

    Returns:
        columns question, measure, n, n_other (rows of the two groups compared), scenarios, design_effect, null (value
        of no effect), detectable, note. Questions: "association" (odds ratio of confessing a bad act for one standard
        deviation of the probe), "confession_difference" (points between P(confess | bad, probe fires) and P(confess |
        bad, it does not)), and each target of `discrimination` (AUROC of a score).
    """
    reach = float(norm.ppf(1 - alpha / 2) + norm.ppf(power))
    rows = [_odds(witnesses, association, reach), _difference(witnesses, reach)]
    rows += [_auroc(witnesses, target, reach) for target in TARGETS]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _odds(witnesses: pd.DataFrame, association: pd.DataFrame, reach: float) -> dict[str, Any]:
    row: dict[str, Any] = {"question": "association", "measure": "odds ratio", "null": 1.0}
    primary = association[(association["subset"] == "bad") & (association["term"] == "probe")].iloc[0]
    n, confessed = int(primary["n"]), int(primary["n_confessed"])
    row |= {"n": confessed, "n_other": n - confessed, "scenarios": primary["scenarios"]}
    if np.isnan(primary["error"]):
        return row | {"note": primary["note"] or "no estimate"}
    table, _ = usable(witnesses, "bad")
    x, y = (_centred(table[c].to_numpy(float), table["block"].to_numpy(str)) for c in ("probe", "confessed"))
    effect = design_effect(x * y, codes(table["scenario"]))
    return row | {"design_effect": effect, "detectable": float(np.exp(reach * primary["error"])), "note": ""}


def _difference(witnesses: pd.DataFrame, reach: float) -> dict[str, Any]:
    row: dict[str, Any] = {"question": "confession_difference", "measure": "difference of shares", "null": 0.0}
    table, note = usable(witnesses, "bad")
    fires = table["probe_fires"].fillna(False).to_numpy(bool)
    row |= {"n": int(fires.sum()), "n_other": int((~fires).sum()), "scenarios": table["scenario"].nunique()}
    if note or not row["n"] or not row["n_other"]:
        return row | {"note": note or "the probe fires on all of these bad answers, or on none"}
    x, y = (
        _centred(values.astype(float), table["block"].to_numpy(str))
        for values in (fires, table["confessed"].to_numpy())
    )
    effect = design_effect(x * y, codes(table["scenario"]))
    if not (x**2).sum() > 0:
        return row | {"note": "the probe does not vary inside evaluations"}
    error = np.sqrt(effect * (y**2).mean() / (x**2).sum())
    return row | {"design_effect": effect} | _within(reach * error, 1.0)


def _auroc(witnesses: pd.DataFrame, target: str, reach: float) -> dict[str, Any]:
    row: dict[str, Any] = {"question": target, "measure": "AUROC", "null": 0.5}
    asked, positive = target_rows(witnesses, target)
    keep = asked & witnesses["probe"].notna().to_numpy()
    table, y, names = witnesses[keep], positive[keep], blocks(witnesses).to_numpy(str)[keep]
    row |= {"n": int(y.sum()), "n_other": int((~y).sum()), "scenarios": table["scenario"].nunique()}
    weights, variances, products = [], [], np.zeros(len(y))
    for name in np.unique(names):
        of = names == name
        one, other = int(y[of].sum()), int((~y[of]).sum())
        if one and other:
            weights.append(one * other / (one + other + 1))
            variances.append((one + other + 1) / (12 * one * other))
            products[of] = (y[of] - y[of].mean()) * (rankdata(table["probe"].to_numpy(float)[of]) / of.sum() - 0.5)
    if not weights:
        return row | {"note": "too little data: no evaluation has both kinds"}
    effect = design_effect(products, codes(table["scenario"]))
    weight = np.array(weights) / np.sum(weights)
    error = np.sqrt(effect * (weight**2 * np.array(variances)).sum())
    return row | {"design_effect": effect} | _within(0.5 + reach * error, 1.0)


def design_effect(products: NDArray[np.float64], cluster: NDArray[np.intp]) -> float:
    """Variance of a sum of rows [n] whose clusters hang together over that if they did not, at least 1."""
    alone = float(((products - products.mean()) ** 2).sum()) if len(products) else 0.0
    together = float((cluster_sums(products - products.mean(), cluster) ** 2).sum()) if len(products) else 0.0
    return max(1.0, together / alone) if alone > 0 else 1.0


def _within(value: float, most: float) -> dict[str, Any]:
    if value >= most:
        return {"detectable": np.nan, "note": "too few: no effect that is possible would have been found reliably"}
    return {"detectable": float(value), "note": ""}


def _centred(values: NDArray[np.float64], names: NDArray) -> NDArray[np.float64]:
    return values - pd.Series(values).groupby(names).transform("mean").to_numpy()
