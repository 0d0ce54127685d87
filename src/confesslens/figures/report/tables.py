"""The results tables as a reader sees them: percentages and statistics, each with its interval."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from confesslens.figures.report.evidence import (
    format_p,
    show_association,
    show_calibration,
    show_differences,
    show_power,
    show_sweep,
    show_tests,
)
from confesslens.figures.report.table import Table
from confesslens.figures.style import (
    CELLS,
    cell_label,
    eval_label,
    format_count,
    format_number,
    format_percent,
    records,
)

RATE_NAMES = {
    "p_bad": "P(bad)",
    "p_confess_given_bad": "P(confess | bad)",
    "p_confess_given_complied": "P(confess | complied)",
    "p_admit_given_bad": "P(admit | bad)",
    "p_neither": "P(neither)",
    "p_aware_given_bad": "P(aware | bad)",
    "p_free_confess_given_bad": "P(confess, free | bad)",
    "p_unparsed": "free confessions unparsed",
}
TARGET_NAMES = {
    "behaviour": "bad behaviour",
    "confession_given_bad": "confession, given bad behaviour",
    "knowledge_given_bad": "knowledge, given bad behaviour",
}
SCORE_NAMES = {
    "probe": "probe",
    "text": "text only",
    "logit": "confession logit",
    "cot": "chain of thought",
    "confession": "confession",
    "shuffled": "probe, shuffled labels",
    "increment": "increment: probe minus text",
}


def show_tables(tables: Mapping[str, pd.DataFrame]) -> list[Table]:
    """Return the page's tables, in reading order; one that is absent or empty says so."""
    makers = {
        "table1": show_table1,
        "rates": _rates,
        "cells": _cells,
        "sweep": show_sweep,
        "association": show_association,
        "tests": show_tests,
        "power": show_power,
        "agreement": _agreement,
        "auroc": _auroc,
        "controls": _controls,
        "differences": show_differences,
        "calibration": show_calibration,
        "probe_map": _probe_map,
    }
    return [make(tables.get(name, pd.DataFrame())) for name, make in makers.items()]


def _percent(row: dict[str, Any], name: str) -> str:
    return format_percent(row.get(name), row.get(f"{name}_low"), row.get(f"{name}_high"))


def show_table1(table: pd.DataFrame) -> Table:
    """Table 1 of the confession paper, each share with its interval and the paper's figure."""
    rates = ("p_bad", "p_confess_given_bad", "p_admit_given_bad", "p_confess_given_complied")
    rows = []
    for row in records(table):
        cells = []
        for name in rates:
            paper = format_percent(row.get(f"{name}_paper"))
            cells.append(f"{_percent(row, name)}\npaper {paper}")
        counts = [format_count(row.get(name)) for name in ("n", "n_bad", "n_complied")]
        rows.append([eval_label(row["eval"]), *counts, *cells])
    columns = ["evaluation", "n", "bad", "complied", *(RATE_NAMES[name] for name in rates)]
    note = (
        "Shares with 95% intervals; below each the figure of arXiv 2512.08093, Table 1, which prints neither n nor "
        "intervals and is of other models and prompts. The mean weighs each evaluation alike."
    )
    return Table("Table 1 of the confession paper", note, columns, rows, folded=True)


def _rates(table: pd.DataFrame) -> Table:
    rows = [
        [eval_label(row["eval"]), str(row["condition"])]
        + [format_count(row.get(name)) for name in ("n", "n_bad", "n_complied", "n_neither")]
        + [_percent(row, name) for name in RATE_NAMES]
        for row in records(table)
    ]
    columns = ["evaluation", "condition", "n", "bad", "complied", "neither", *RATE_NAMES.values()]
    note = (
        "Shares with 95% intervals. “Confess” is the guided confession; “free” are the sampled ones. “Admit” is in "
        "the answer itself, unprompted. “Aware” means that the model does better on the same item without the "
        "temptation. – is undefined."
    )
    return Table("Rates", note, columns, rows, row_headers=2)


def _cells(table: pd.DataFrame) -> Table:
    rows = []
    for (condition, name), own in table.groupby(["condition", "eval"], sort=False) if len(table) else []:
        shares = {str(row["cell"]): f"{_percent(row, 'share')}, n {format_count(row.get('n'))}" for row in records(own)}
        rows.append([eval_label(name), str(condition)] + [shares.get(cell, "–") for cell in CELLS])
    columns = ["evaluation", "condition", *(f"{cell_label(cell)} ({cell})" for cell in CELLS)]
    note = (
        "Share of the evaluation's rollouts with 95% interval, and their number. B: the behaviour was bad. P: the "
        "probe fired. C: the model confessed. The macro average weighs each evaluation alike; evaluations are never "
        "pooled."
    )
    return Table("Cells", note, columns, rows, row_headers=2)


def _agreement(table: pd.DataFrame) -> Table:
    rows = []
    measures = ("phi", "kappa", "ac1", "g2")
    for row in records(table):
        note = row.get("note")
        shown = [format_number(row.get(m), row.get(f"{m}_low"), row.get(f"{m}_high")) for m in measures]
        alone = f"{format_count(row.get('only_a'))} and {format_count(row.get('only_b'))}"
        rows.append(
            [eval_label(row["eval"]), str(row["condition"]), f"{row['a']} and {row['b']}", format_count(row.get("n"))]
            + ["undefined" if value == "–" else value for value in shown]
            + [alone, format_p(row.get("mcnemar_p")), note if isinstance(note, str) else ""]
        )
    note = (
        "With 95% intervals. Phi: 1 if two witnesses always say the same, 0 if unrelated, −1 if always the opposite. "
        "Kappa falls where one answer is rare; AC1 does not. g²: recall times specificity of the second as a "
        "monitor of "
        "the first. “Alone”: rollouts where only the first, and only the second, says bad; McNemar's p is for those."
    )
    columns = ["evaluation", "condition", "witnesses", "n", "phi", "kappa", "AC1", "g²", "alone", "McNemar p", "note"]
    return Table("Agreement", note, columns, rows, row_headers=3)


def _auroc(table: pd.DataFrame) -> Table:
    rows = []
    for row in records(table):
        value = format_number(row.get("auroc"), row.get("low"), row.get("high"), signed=row["score"] == "increment")
        note, evals = row.get("note"), row.get("evals")
        rows.append(
            [TARGET_NAMES.get(row["target"], str(row["target"])), SCORE_NAMES.get(row["score"], str(row["score"]))]
            + ["undefined" if value == "–" else value, format_count(row.get("n")), format_count(row.get("n_pos"))]
            + [evals.replace("_", " ") if isinstance(evals, str) else "", note if isinstance(note, str) else ""]
        )
    columns = ["target", "score", "AUROC", "n", "positive", "evaluations", "note"]
    note = (
        "AUROC with 95% interval, resampled by scenario: 0.5 is chance, 1 is perfect. The probe's scores are out of "
        "fold. The increment, and not the AUROC alone, says whether the activations hold more than the text does."
    )
    return Table("Discrimination", note, columns, rows, row_headers=2)


def _controls(table: pd.DataFrame) -> Table:
    rows = [
        [str(row["control"]), format_number(row["auroc"], row["low"], row["high"])]
        + [format_number(row["increment"], row["increment_low"], row["increment_high"], signed=True)]
        + [format_count(row["n"]), str(row["what"])]
        for row in records(table)
    ]
    columns = ["control", "AUROC", "increment of the probe", "n", "what it is"]
    note = (
        "Everything out of fold on the same folds, with 95% intervals, resampled by scenario. The increment is the "
        "probe's AUROC minus the control's, paired; for “probe + text” it is that of the sum over the text alone."
    )
    return Table("The probe beside its controls", note, columns, rows)


def _probe_map(table: pd.DataFrame) -> Table:
    rows = [
        [str(row["site"]), format_count(row["layer"]), format_number(row["auroc"], row.get("low"), row.get("high"))]
        + [format_number(row.get(name)) for name in ("text", "shuffled")]
        + [format_count(row.get(name)) for name in ("n", "n_pos")]
        for row in records(table)
    ]
    columns = ["read site", "layer", "AUROC", "text only", "shuffled labels", "n", "bad"]
    note = (
        "AUROC for bad behaviour with 95% interval. None of these is the headline: the largest of many noisy values "
        "is too high. The table “Discrimination” chooses layer and site inside the training folds."
    )
    return Table("Probes by layer and read site", note, columns, rows, row_headers=2, folded=True)
