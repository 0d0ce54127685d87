"""The whole comparison in one call: does the confession match what went on inside?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from confesslens.faithfulness.agreement import agreement
from confesslens.faithfulness.association import association
from confesslens.faithfulness.association_tests import association_tests
from confesslens.faithfulness.calibration import calibration
from confesslens.faithfulness.cells import cells
from confesslens.faithfulness.discrimination import differences, discrimination
from confesslens.faithfulness.power import power
from confesslens.faithfulness.rates import rates
from confesslens.faithfulness.sentences import sentences
from confesslens.faithfulness.sweep import sweep
from confesslens.faithfulness.table1 import table1
from confesslens.faithfulness.witnesses import witnesses
from confesslens.shown import said_with_tables


@dataclass(frozen=True, repr=False)
class Comparison:
    """The tables of one comparison, and what they say in plain sentences.

    Attributes:
        rates: how often, by evaluation and condition.
        witnesses: one row a rollout that is not neutral.
        cells: shares of the cells behaviour x probe x confession.
        sweep: the same over thresholds of the probe, and corrected for its errors on organisms.
        agreement: phi, kappa, AC1, g-mean squared and McNemar's test of each pair of witnesses.
        auroc: what each score can tell apart.
        differences: how much better one witness tells it than another.
        association: the primary test, the confession on probe, thought, text and length.
        tests: the primary and the secondary tests, with Holm's correction.
        calibration: Brier score and calibration error of confidence, confession logit and probe.
        reliability: the rows of their reliability diagrams.
        power: the smallest effects that these rollouts could have shown.
        table1: Table 1 of the confession paper for these rollouts, next to the paper's figures.
        sentences: columns key, text; most important first.
    """

    rates: pd.DataFrame
    witnesses: pd.DataFrame
    cells: pd.DataFrame
    sweep: pd.DataFrame
    agreement: pd.DataFrame
    auroc: pd.DataFrame
    differences: pd.DataFrame
    association: pd.DataFrame
    tests: pd.DataFrame
    calibration: pd.DataFrame
    reliability: pd.DataFrame
    power: pd.DataFrame
    table1: pd.DataFrame
    sentences: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Its tables by name, as a run keeps them in `results/`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _repr_html_(self) -> str:
        shown = {name: table for name, table in self.tables().items() if name not in ("sentences", "witnesses")}
        return said_with_tables(self.sentences["text"], shown)

    def __repr__(self) -> str:
        return "\n".join(self.sentences["text"])


def compare(
    rollouts: pd.DataFrame,
    confessions: pd.DataFrame | None = None,
    probe: Any = None,
    text: Any = None,
    cot: Any = None,
    shuffled: Any = None,
    shuffled_labels: Any = None,
    errors: Any = None,
    threshold: float = 0.0,
    thresholds: Sequence[float] | None = None,
    n_boot: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare behaviour, probe, chain of thought and confession of the same rollouts.

    Whatever is missing (no confessions, no probe, one class only) leaves NaN and a note, not an error.

    Args:
        rollouts: the rollouts table.
        confessions: the confessions table.
        probe: out-of-fold probe scores: a Series by rollout_id, or an array in the order of the rollouts that are not
            neutral.
        text: out-of-fold scores of the text baseline, likewise.
        cot: by rollout_id, a Series of booleans or a DataFrame with `mentioned` and `quote`.
        shuffled: out-of-fold scores of a probe trained on shuffled labels; one column a shuffle if there are several.
        shuffled_labels: those labels, likewise (see `discrimination`).
        errors: the probe's sensitivity and specificity on organisms, to correct the cells by (see `probe_errors`).
        threshold: the probe fires where its score is above it.
        thresholds: of the sweep; default: `threshold`, those of `errors`, and the deciles of the scores.
        n_boot: bootstrap draws, where an interval is the bootstrap's (AUROC, Brier score, calibration error).
        seed: of bootstrap draws, flips and permutations.

    Raises:
        ValueError: a table lacks a column, or scores fit no rollout.
    """
    table = witnesses(rollouts, confessions, probe, text, cot, threshold)
    primary = association(table, seed)
    scores, diagram = calibration(table, n_boot=n_boot, seed=seed)
    parts = {
        "rates": rates(rollouts, confessions),
        "witnesses": table,
        "cells": cells(table),
        "sweep": sweep(table, errors, thresholds, threshold, seed=seed),
        "agreement": agreement(table, seed),
        "auroc": discrimination(table, shuffled, shuffled_labels, n_boot, seed),
        "differences": differences(table, n_boot, seed),
        "association": primary,
        "tests": association_tests(table, primary, seed),
        "calibration": scores,
        "power": power(table, primary),
    }
    told = sentences(**parts, threshold=threshold)
    return Comparison(**parts, reliability=diagram, table1=table1(parts["rates"], table), sentences=told)
