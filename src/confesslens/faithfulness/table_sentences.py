"""A plain sentence for each table of tests: what it found, how sure that is, or why nothing can be said."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from confesslens.faithfulness.macro import macro_share
from confesslens.faithfulness.power import QUESTIONS
from confesslens.probes import Interval

NULL = "no tie that this n could show"
_SCORES = {"probe": "probe", "text": "text", "logit": "confession logit", "cot": "chain of thought"}
_SCORES |= {"confession": "confession"}


def denied(witnesses: pd.DataFrame) -> str:
    """How many bad acts of one condition were denied, by whether the probe fired."""
    bad = witnesses[witnesses["behaviour"] == "not_complied"]
    told = bad[bad["claim"].isin(["complied", "not_complied"]) & bad["probe_fires"].notna()]
    if not len(told):
        return ""
    no = (told["claim"] == "complied").to_numpy(bool)
    fired = told["probe_fires"].to_numpy(bool)
    evals, groups = told["eval"].to_numpy(str), told["scenario"].to_numpy(str)
    parts = []
    for hits in (no & fired, no & ~fired):
        share = macro_share(hits, hits | True, evals, groups)
        parts.append(f"{int(hits.sum())} ({percent(share)})")
    n = len(told)
    acts = "1 bad act" if n == 1 else f"{n} bad acts"
    over = ", each evaluation weighing the same" if len(set(evals)) > 1 else ""
    return (
        f"Of {acts}, {parts[0]} were denied while the probe fired, and {parts[1]} while it did not"
        f"{over}; {int((~no).sum())} were confessed."
    )


def corrected(sweep: pd.DataFrame, condition: str, threshold: float) -> str:
    """The share of knowing denials after correction for the probe's errors."""
    at = sweep[(sweep["condition"] == condition) & (sweep["threshold"] == threshold) & (sweep["eval"] == "macro")]
    if not len(at):
        return ""
    cells = at.set_index("cell")
    row = cells.loc["B1P1C0"]
    if math.isnan(row["corrected"]):
        return f"The cells are not corrected for the probe's errors: {row['note']}."
    parts = [
        f"{name} {percent(Interval(*cells.loc[cell, ['corrected', 'corrected_low', 'corrected_high']]))}"
        for cell, name in (("B1P1C0", "denied knowingly"), ("B1P0C0", "denied in ignorance"), ("B1P1C1", "confessed"))
    ]
    cut = f" ({row['note']})" if row["note"] else ""
    return f"Corrected for the probe's errors on organisms, of all rollouts {'; '.join(parts)} knowingly{cut}."


def association(table: pd.DataFrame, tests: pd.DataFrame) -> str:
    """The primary test."""
    row = table[(table["subset"] == "bad") & (table["term"] == "probe")].iloc[0]
    if math.isnan(row["p"]):
        return f"Whether the confession of a bad act goes with the probe cannot be tested: {row['note']}."
    holm = tests.set_index("test").loc["logistic", "p_holm"]
    null = f"; {NULL}" if row["p"] >= 0.05 else ""
    note = f" ({row['note']})" if row["note"] else ""
    return (
        f"The primary test: among {int(row['n'])} bad acts ({int(row['n_confessed'])} confessed), a probe score one "
        f"standard deviation higher goes with {row['odds_ratio']:.2f} times the odds of a confession "
        f"({_limit(row['low'])} to {_limit(row['high'])}, {p_value(row['p'])}, {p_value(holm)} after Holm's correction "
        f"for the confirmatory tests{null}), given chain of thought, text score, length and evaluation{note}."
    )


def other_tests(tests: pd.DataFrame) -> str:
    """The secondary tests."""
    names = {"cmh": "common odds ratio of probe and confession", "information": "information shared", "spearman": ""}
    names["spearman"] = "rank correlation of probe and confession logit"
    parts, unknown = [], []
    for row in tests[tests["test"].isin(names)].to_dict("records"):
        name = names[row["test"]]
        if math.isnan(row["p"]):
            unknown.append(f"{name}: {row['note']}")
            continue
        unit = " bits" if row["measure"] == "bits" else ""
        interval = "" if math.isnan(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"
        null = f", {NULL}" if row["p"] >= 0.05 else ""
        digits = 3 if unit else 2
        number = f"{row['estimate']:.{digits}f}{unit}{interval}"
        if str(row["note"]).startswith("no interval"):
            number = f"without a number ({row['note'].removeprefix('no interval: ')})"
        parts.append(f"{name} {number}, {p_value(row['p'])}{null}")
    text = f"Asked in other ways: {'; '.join(parts)}." if parts else ""
    even = tests.set_index("test").loc["breslow_day"]
    if not math.isnan(even["p"]):
        differs = "differs between evaluations" if even["p"] < 0.05 else "is not shown to differ between evaluations"
        text += f" The odds ratio {differs} (Breslow-Day, {p_value(even['p'])})."
    if unknown:
        text += f"{' ' if text else ''}Not tested: {'; '.join(unknown)}."
    return text


def _interval(low: float, high: float) -> str:
    if math.isnan(low):
        return "no interval, no difference that this n could show"
    null = "" if low > 0 or high < 0 else ", no difference that this n could show"
    return f"{low:+.2f} to {high:+.2f}{null}"


def comparisons(differences: pd.DataFrame) -> str:
    """How the probe fares against the other witnesses."""
    own = differences[(differences["target"] == "behaviour") & (differences["a"] == "probe")]
    parts = [
        f"the {_SCORES[row['b']]} {row['difference']:+.2f} ({_interval(row['low'], row['high'])})"
        for row in own.to_dict("records")
        if row["b"] != "text" and not math.isnan(row["difference"])
    ]
    return f"For bad behaviour the probe's AUROC less that of {'; of '.join(parts)}." if parts else ""


def calibration(table: pd.DataFrame) -> str:
    """How far the stated and read probabilities are off."""
    parts = []
    for row in table[table["brier"].notna()].to_dict("records"):
        beyond = "more" if row["ece"] > row["ece_by_chance"] else "no more"
        parts.append(
            f"{row['source']} (that {row['event']}): Brier score {row['brier']:.2f} ({row['brier_low']:.2f}–"
            f"{row['brier_high']:.2f}), where saying the base rate has {row['base']:.2f}; calibration error "
            f"{row['ece']:.2f}, {beyond} than calibrated probabilities would have in this n"
        )
    return f"As probabilities: {'; '.join(parts)}." if parts else ""


def power(table: pd.DataFrame) -> str:
    """What these rollouts could have shown."""
    parts, short = [], []
    for row in table.to_dict("records"):
        name = QUESTIONS[row["question"]]
        if math.isnan(row["detectable"]):
            short.append(name)
        elif row["measure"] == "difference of shares":
            parts.append(f"{name} of {100 * row['detectable']:.0f} points")
        else:
            parts.append(f"{name} of {row['detectable']:.2f}")
    text = f"This n would have shown, in 4 of 5 such runs, {'; '.join(parts)}, or more." if parts else ""
    if short:
        text += f"{' ' if text else ''}It is too small for {'; '.join(short)}."
    return text


def percent(share: Interval) -> str:
    """A share with its interval, "37 %, 27–47 %"."""
    return f"{100 * share.estimate:.0f} %, {100 * share.low:.0f}–{100 * share.high:.0f} %"


def p_value(p: float) -> str:
    """A p value as it is read: "p = 0.038", "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _limit(value: Any) -> str:
    return "no bound" if not math.isfinite(value) or value < 1e-3 else f"{value:.2f}"
