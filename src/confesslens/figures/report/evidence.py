"""The tables of tests as a reader sees them: thresholds, differences, associations, calibration, power."""

from typing import Any

import pandas as pd

from confesslens.figures.report.table import Table
from confesslens.figures.style import (
    CELLS,
    cell_label,
    format_count,
    format_number,
    format_percent,
    is_number,
    records,
)

TERM_NAMES = {
    "probe": "probe, per standard deviation",
    "cot": "chain of thought mentions the act",
    "text": "text score, per standard deviation",
    "length": "log length of the answer, per standard deviation",
    "behaviour": "the answer is bad",
}
SUBSET_NAMES = {"bad": "bad answers (primary)", "all": "all graded answers"}
TEST_NAMES = {
    "logistic": "logistic regression, score bootstrap (primary)",
    "cmh": "Cochran-Mantel-Haenszel, probe fires against confession",
    "breslow_day": "Breslow-Day: the odds ratio is the same in all evaluations",
    "information": "conditional mutual information I(C; P | B, T, evaluation)",
    "spearman": "partial Spearman, probe score against confession logit",
}
QUESTION_NAMES = {
    "association": "odds of confessing a bad act, per standard deviation of the probe",
    "confession_difference": "P(confess | bad) where the probe fires less where it does not",
    "behaviour": "a score's AUROC for bad behaviour",
    "confession_given_bad": "a score's AUROC for confession, given bad",
    "knowledge_given_bad": "a score's AUROC for knowledge, given bad",
}


def format_p(value: Any) -> str:
    """Write a p value, "0.032" or "< 0.001", or "–" where there is none."""
    if not is_number(value):
        return "–"
    return "< 0.001" if float(value) < 0.001 else f"{float(value):.3f}"


def show_sweep(table: pd.DataFrame) -> Table:
    """The cells of bad acts over thresholds, macro averages, observed and corrected."""
    rows = []
    own = table[(table["eval"] == "macro") & table["cell"].str.startswith("B1")] if len(table) else table
    for (condition, threshold), at in own.groupby(["condition", "threshold"], sort=False) if len(own) else []:
        by = {str(row["cell"]): row for row in records(at)}
        cells = []
        for cell in CELLS:
            if cell in by:
                row = by[cell]
                seen = format_percent(row["share"], row["share_low"], row["share_high"])
                true = format_percent(row["corrected"], row["corrected_low"], row["corrected_high"])
                cells.append(seen if true == "–" else f"{seen}\ncorrected {true}")
        notes = dict.fromkeys(str(row["note"]) for row in by.values() if row["note"])
        rows.append([str(condition), format_number(threshold), *cells, "; ".join(notes)])
    columns = ["condition", "threshold", *(cell_label(cell) for cell in CELLS if cell.startswith("B1")), "note"]
    note = (
        "Macro averages of the shares of all rollouts, with 95% intervals, where the probe fires above each threshold. "
        "Below, corrected for the probe's errors on model organisms (Rogan and Gladen 1978), with the uncertainty of "
        "those errors in the interval; it takes the errors to be unrelated to what is confessed."
    )
    return Table("Cells over thresholds of the probe", note, columns, rows, row_headers=2, folded=True)


def show_differences(table: pd.DataFrame) -> Table:
    """Paired differences of AUROC."""
    rows = []
    for row in records(table):
        value = format_number(row["difference"], row["low"], row["high"], signed=True)
        rows.append(
            [str(row["target"]).replace("_", " "), f"{row['a']} minus {row['b']}"]
            + ["undefined" if value == "–" else value, format_count(row["n"]), format_count(row["n_pos"])]
            + [str(row["note"] or "")]
        )
    columns = ["target", "witnesses", "difference of AUROC", "n", "positive", "note"]
    note = "On the rollouts that have both, with 95% intervals, paired and resampled by scenario."
    return Table("Witnesses against each other", note, columns, rows, row_headers=2, folded=True)


def show_association(table: pd.DataFrame) -> Table:
    """The logistic regression of the confession."""
    rows = [
        [SUBSET_NAMES.get(row["subset"], str(row["subset"])), TERM_NAMES.get(row["term"], str(row["term"]))]
        + [_ratio(row, "odds_ratio"), format_p(row["p"]), format_p(row["p_wald"])]
        + [format_count(row["n"]), format_count(row["n_confessed"]), format_count(row["scenarios"]), str(row["note"])]
        for row in records(table)
    ]
    columns = ["rollouts", "term", "odds ratio", "p", "p (Wald)", "n", "confessed", "scenarios", "note"]
    note = (
        "Odds of confessing, given the other terms, inside evaluations, with 95% intervals: 1 is no tie. p and "
        "interval "
        "come from flipping the signs of whole scenarios (score bootstrap); the cluster-robust Wald test is beside "
        "it. The probe among bad answers is the primary test."
    )
    return Table("What goes with a confession", note, columns, rows, row_headers=2)


def show_tests(table: pd.DataFrame) -> Table:
    """The primary and the secondary tests."""
    rows = []
    for row in records(table):
        rows.append(
            [TEST_NAMES.get(row["test"], str(row["test"])), str(row["measure"]), _ratio(row, "estimate")]
            + [format_p(row["p"]), format_p(row["p_holm"]), format_count(row["n"]), format_count(row["scenarios"])]
            + [str(row["note"] or "")]
        )
    columns = ["test", "measure", "estimate", "p", "p (Holm)", "n", "scenarios", "note"]
    note = (
        "Does the confession go with the probe? With 95% intervals; p by scenario, and after Holm's correction "
        "over the "
        "four confirmatory tests."
    )
    return Table("Tests", note, columns, rows)


def show_calibration(table: pd.DataFrame) -> Table:
    """Brier scores and calibration errors."""
    rows = [
        [str(row["source"]), str(row["event"])]
        + [format_number(row[name], row[f"{name}_low"], row[f"{name}_high"]) for name in ("brier", "base", "ece")]
        + [format_number(row["ece_by_chance"]), format_count(row["n"]), format_count(row["n_event"]), str(row["note"])]
        for row in records(table)
    ]
    columns = ["source", "probability that", "Brier score", "of the base rate", "calibration error", "by chance below"]
    note = (
        "Are stated and read probabilities right? Means over evaluations, with 95% intervals. A source that beats the "
        "base rate has the lower Brier score; a calibration error up to “by chance below” may be chance alone."
    )
    return Table("Calibration", note, [*columns, "n", "true", "note"], rows, row_headers=2)


def show_power(table: pd.DataFrame) -> Table:
    """What these rollouts could have shown."""
    rows = []
    for row in records(table):
        value = row["detectable"]
        shown = format_percent(value) if row["measure"] == "difference of shares" else format_number(value)
        counts = f"{format_count(row['n'])} and {format_count(row['n_other'])}"
        rows.append(
            [QUESTION_NAMES.get(row["question"], str(row["question"])), shown, format_number(row["null"]), counts]
            + [format_count(row["scenarios"]), format_number(row["design_effect"]), str(row["note"] or "")]
        )
    columns = ["effect", "detectable", "none", "n", "scenarios", "design effect", "note"]
    note = (
        "The smallest effect that a test at 5% would find in 4 of 5 such runs. A null result rules out no smaller one."
    )
    return Table("What this n could have shown", note, columns, rows)


def _ratio(row: dict[str, Any], name: str) -> str:
    """A statistic with its interval; an end that the data do not bound is written ∞ (or 0)."""
    if not is_number(row[name]):
        return "undefined"
    if is_number(row["low"]) and not is_number(row["high"]) and row["high"] == float("inf"):
        return f"{format_number(row[name])} [{format_number(row['low'])}, ∞)"
    return format_number(row[name], row["low"], row["high"])
