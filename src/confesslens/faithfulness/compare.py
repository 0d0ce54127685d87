"""The whole comparison in one call: does the confession match what went on inside?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from confesslens.faithfulness.agreement import agreement
from confesslens.faithfulness.cells import cells
from confesslens.faithfulness.discrimination import discrimination
from confesslens.faithfulness.rates import rates
from confesslens.faithfulness.sentences import sentences
from confesslens.faithfulness.table1 import table1
from confesslens.faithfulness.witnesses import witnesses


@dataclass(frozen=True)
class Comparison:
    """The tables of one comparison, and what they say in plain sentences.

    Attributes:
        rates: how often, by evaluation and condition.
        witnesses: one row a rollout that is not neutral.
        cells: shares of the cells behaviour x probe x confession.
        agreement: phi of each pair of witnesses.
        auroc: what each score can tell apart.
        table1: Table 1 of the confession paper for these rollouts, next to the paper's figures.
        sentences: columns key, text; most important first.
    """

    rates: pd.DataFrame
    witnesses: pd.DataFrame
    cells: pd.DataFrame
    agreement: pd.DataFrame
    auroc: pd.DataFrame
    table1: pd.DataFrame
    sentences: pd.DataFrame

    def __str__(self) -> str:
        return "\n".join(self.sentences["text"])


def compare(
    rollouts: pd.DataFrame,
    confessions: pd.DataFrame | None = None,
    probe: Any = None,
    text: Any = None,
    cot: Any = None,
    shuffled: Any = None,
    n_boot: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare behaviour, probe, chain of thought and confession of the same rollouts.

    Whatever is missing (no confessions, no probe, one class only) leaves NaN and a note, not an error.

    Args:
        rollouts: the rollouts table.
        confessions: the confessions table.
        probe: out-of-fold probe scores, above 0 where the probe fires: a Series by rollout_id, or an array in the
            order of the rollouts that are not neutral.
        text: out-of-fold scores of the text baseline, likewise.
        cot: by rollout_id, a Series of booleans or a DataFrame with `mentioned` and `quote`.
        shuffled: out-of-fold scores of a probe trained on shuffled labels; one column a shuffle if there are several.
        n_boot: bootstrap draws for every interval.
        seed: of the draws.

    Raises:
        ValueError: a table lacks a column, or scores fit no rollout.
    """
    table = witnesses(rollouts, confessions, probe, text, cot)
    parts = {
        "rates": rates(rollouts, confessions),
        "witnesses": table,
        "cells": cells(table, n_boot, seed),
        "agreement": agreement(table, n_boot, seed),
        "auroc": discrimination(table, shuffled, n_boot, seed),
    }
    return Comparison(**parts, table1=table1(parts["rates"], table), sentences=sentences(**parts))
