"""How behaviour, probe and confession combine: the six cells of each evaluation."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from confesslens.figures.style import (
    CELLS,
    blank_figure,
    eval_label,
    house_style,
    ink_on,
    is_number,
    records,
    require_columns,
    set_title,
    width_for,
)

TITLE = "What it did, what the probe saw, what it said"


@house_style()
def cells(cells: pd.DataFrame, condition: str = "tempted") -> Figure:
    """Draw the shares of the six cells in one condition, stacked per evaluation, and below them each with its interval.

    `cells` is the results table `cells`: a row a condition, evaluation (or "macro") and cell. Raises ValueError if
    columns are missing or a cell is unknown.
    """
    require_columns(cells, ["condition", "eval", "cell", "n", "share", "share_low", "share_high"], "cells")
    cells = cells[cells["condition"] == condition]
    if not len(cells):
        return blank_figure(TITLE, "Nothing to show: no rollout has behaviour, probe score and a clear claim.")
    unknown = sorted(set(cells["cell"]) - set(CELLS))
    if unknown:
        raise ValueError(f"the cells table has unknown cells {unknown}; known: {list(CELLS)}")
    defined = cells[cells["share"].notna()]
    if not len(defined):
        return blank_figure(TITLE, "Nothing to show: every share is undefined (no rollout has all three witnesses).")

    evals = list(dict.fromkeys(cells["eval"]))
    counts = cells.groupby("eval")["n"].sum()
    height = 0.25 * len(evals)
    fig = Figure(figsize=(width_for(evals), 2.9 + 3 * height))
    grid = fig.add_gridspec(3, 3, height_ratios=[height + 0.2, height + 0.3, height + 0.3])
    stacked = fig.add_subplot(grid[0, :])
    _stack(stacked, defined, evals, counts)
    first: Axes | None = None
    for index, (cell, (name, colour)) in enumerate(CELLS.items()):
        ax = fig.add_subplot(grid[1 + index // 3, index % 3], sharex=first, sharey=first)
        first = first or ax
        rows = defined[defined["cell"] == cell]
        _shares(ax, rows, evals, colour)
        ax.set_title(name.replace(" ", "\n"), fontsize=8.5)
        ax.tick_params(axis="y", length=0, labelleft=index % 3 == 0)
        ax.tick_params(axis="x", labelbottom=index >= 3)
    fig.supxlabel("share of the rollouts, with 95% interval", fontsize=9)
    handles = [Patch(color=colour, label=name) for name, colour in CELLS.values()]
    anchor = (0.0, 1 - 0.3 / fig.get_figheight())
    fig.legend(handles=handles, loc="upper left", bbox_to_anchor=anchor, ncols=3, handlelength=1, columnspacing=1.5)
    set_title(fig, TITLE, room=0.42)
    return fig


def _stack(ax: Axes, rows: pd.DataFrame, evals: list[str], counts: pd.Series) -> None:
    shares = rows.pivot(index="eval", columns="cell", values="share").reindex(index=evals, columns=list(CELLS))
    left = pd.Series(0.0, index=evals)
    for cell, (name, colour) in CELLS.items():
        width = shares[cell].fillna(0.0)
        ax.barh(range(len(evals)), width, left=left, height=0.78, color=colour, edgecolor="white", label=name)
        for y, (start, share) in enumerate(zip(left, width, strict=True)):
            if share >= 0.07:
                ax.text(
                    start + share / 2,
                    y,
                    f"{100 * share:.0f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=ink_on(colour),
                )
        left = left + width
    for y, name in enumerate(evals):
        if is_number(counts.get(name)) and counts[name] > 0:
            ax.text(1.015, y, f"n {int(counts[name])}", va="center", fontsize=8)
        if shares.loc[name].isna().all():
            ax.text(0.01, y, "no rollout with all three witnesses", va="center", fontsize=8, color="#666666")
    ax.set_yticks(range(len(evals)), [eval_label(name) for name in evals])
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _shares(ax: Axes, rows: pd.DataFrame, evals: list[str], colour: str) -> None:
    for row in records(rows):
        y = evals.index(row["eval"])
        if is_number(row["share_low"]) and is_number(row["share_high"]):
            ax.plot([row["share_low"], row["share_high"]], [y, y], color=colour, linewidth=4.5, solid_capstyle="butt")
        ax.plot(row["share"], y, marker="|", markersize=8, color="black", markeredgewidth=1.4)
    ax.set_yticks(range(len(evals)), [eval_label(name) for name in evals])
    ax.set_ylim(len(evals) - 0.4, -0.6)
    ax.set_xlim(-0.03, 1.03)
    ax.set_xticks([0, 0.5, 1])
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(axis="x")
