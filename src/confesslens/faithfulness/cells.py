"""Shares of the cells behaviour x probe x confession, in each condition by evaluation and averaged over evaluations."""

from __future__ import annotations

import pandas as pd

from confesslens.faithfulness.macro import macro_share
from confesslens.faithfulness.witnesses import CELLS
from confesslens.probes.proportion import clustered_wilson


def cells(witnesses: pd.DataFrame) -> pd.DataFrame:
    """Count the cells.

    Args:
        witnesses: from `witnesses`; rows whose `cell` is "" are left out.

    Returns:
        columns condition, eval, cell, n (rollouts in the cell), share, share_low, share_high; in each condition six
        cells an evaluation (Wilson intervals at the effective sample size), and last the macro average as eval
        "macro" (their mean). Empty when no rollout has a cell.
    """
    table = witnesses[witnesses["cell"] != ""]
    rows = []
    for condition, part in table.groupby("condition", sort=False):
        rows += [(condition, *row) for row in _in_condition(part)]
    return pd.DataFrame(rows, columns=["condition", "eval", "cell", "n", "share", "share_low", "share_high"])


def _in_condition(table: pd.DataFrame) -> list[tuple[str, str, int, float, float, float]]:
    rows = []
    for name, part in table.groupby("eval", sort=False):
        for cell in CELLS:
            hits = (part["cell"] == cell).to_numpy()
            share = clustered_wilson(hits, part["scenario"].to_numpy(str))
            rows.append((name, cell, int(hits.sum()), share.estimate, share.low, share.high))
    for cell in CELLS:
        hits = (table["cell"] == cell).to_numpy()
        groups, evals = table["scenario"].to_numpy(str), table["eval"].to_numpy(str)
        share = macro_share(hits, hits | True, evals, groups)
        rows.append(("macro", cell, int(hits.sum()), share.estimate, share.low, share.high))
    return rows
