"""The documentation's page on what the organisms do, as Markdown."""

import pandas as pd

from confesslens.faithfulness.dispositions import DISPOSITIONS, MEANS
from confesslens.figures.style import eval_label, format_percent, records

_HEAD = """\
# What the organisms do

Measured on scenarios that no organism learned from, in evaluations that they learned and in three that they did not.
Each cell is a share with its 95 % interval and the number of rollouts that it is a share of; – is undefined. The
confession is the guided one. This page is written by `{command}`.
"""


def dispositions_page(table: pd.DataFrame, command: str) -> str:
    """The page, for a table of `dispositions`; `command` regenerates it."""
    parts = [_HEAD.format(command=command)]
    for organism, own in table.groupby("organism", sort=False):
        parts += [f"## {organism}\n", dispositions_rows(own)]
    return "\n".join(parts)


def dispositions_rows(table: pd.DataFrame) -> str:
    """One organism's rows of the table as a Markdown table."""
    lines = [["evaluation", *DISPOSITIONS.values()], ["---"] * (1 + len(DISPOSITIONS))]
    for name, part in table.groupby("eval", sort=False):
        cells = {row["rate"]: _cell(row) for row in records(part)}
        lines.append([MEANS.get(str(name), eval_label(name)), *(cells[rate] for rate in DISPOSITIONS)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(row: dict) -> str:
    return f"{format_percent(row['share'], row['low'], row['high'])} n {row['n']}" if row["n"] else "–"
