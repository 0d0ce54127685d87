"""Dose-response of steering: what each outcome becomes as a direction is added, with its controls."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from confesslens.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    blank_figure,
    house_style,
    require_columns,
    set_title,
)

OUTCOMES: dict[str, str] = {
    "logit": "confession logit, bad acts",
    "confess_given_bad": "P(confess | bad)",
    "confess_given_complied": "P(confess | complied)",
    "bad": "P(bad)",
    "mention": "P(thought mentions it)",
}
KINDS: dict[str, tuple[str, str]] = {  # drawn in this order, the probe's direction on top
    "random": ("random direction, same norm", "#BBBBBB"),
    "other": ("another concept's direction", ORANGE),
    "probe": ("probe's direction", BLUE),
}
COLUMNS = ["direction", "kind", "strength", "projected", "outcome", "value", "low", "high"]


@house_style()
def dose_response(doses: pd.DataFrame, title: str = "Steering along the probe's direction") -> Figure:
    """Draw each outcome over the strength of each direction, with 95 % intervals for the probe's and other concepts'.

    `doses` is the table of `interventions.steer`. Diamonds at the right show the directions projected out. Raises
    ValueError if columns are missing.
    """
    require_columns(doses, COLUMNS, "doses")
    shown = [name for name in OUTCOMES if len(doses) and doses.loc[doses["outcome"] == name, "value"].notna().any()]
    if not shown:
        return blank_figure(title, "Nothing to show: no outcome was measured.")
    columns = min(2, len(shown))
    lines = -(-len(shown) // columns)
    fig = Figure(figsize=(WIDTH, 0.9 + 1.75 * lines))
    grid = fig.subplots(lines, columns, squeeze=False)
    for ax, outcome in zip(grid.flat, shown, strict=False):
        _draw(ax, doses[doses["outcome"] == outcome], outcome)
    for ax in list(grid.flat)[len(shown) :]:
        ax.set_axis_off()
    for ax in [grid[row, column] for column in range(columns) for row in [_last(column, columns, len(shown))]]:
        ax.set_xlabel("strength (of the stream's norm)")
    handles = {line.get_label(): line for ax in grid.flat for line in ax.lines if not line.get_label().startswith("_")}
    fig.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=2, frameon=False)
    set_title(fig, title)
    return fig


def _draw(ax: Axes, table: pd.DataFrame, outcome: str) -> None:
    zero = table[table["direction"] == ""]
    strengths = table.loc[~table["projected"], "strength"]
    right = float(strengths.max()) + 0.18 * float(np.ptp(strengths) or 1.0)
    for kind, (label, colour) in KINDS.items():
        for name in dict.fromkeys(table.loc[table["kind"] == kind, "direction"]):
            own = table[table["direction"] == name]
            line = pd.concat([zero, own[~own["projected"]]]).sort_values("strength")
            marker, width = ("", 0.9) if kind == "random" else ("o", 1.5)
            ax.plot(line["strength"], line["value"], color=colour, marker=marker, linewidth=width, label=label)
            if kind != "random":
                ax.fill_between(line["strength"], line["low"], line["high"], color=colour, alpha=0.15, linewidth=0)
            for _, cut in own[own["projected"]].iterrows():
                ax.plot([right], [cut["value"]], color=colour, marker="D", linestyle="", label="_projected out")
                if kind == "probe":
                    ax.plot([right, right], [cut["low"], cut["high"]], color=colour, linewidth=1, label="_interval")
    ticks = sorted({float(strengths.min()), 0.0, float(strengths.max())})
    labels = [f"{tick:g}" for tick in ticks]
    out = table["projected"].any()
    ax.set_xticks([*ticks, right] if out else ticks, [*labels, "out"] if out else labels)
    ax.axvline(0, color=GREY, linewidth=0.6, linestyle=":")
    if outcome != "logit":
        ax.set_ylim(-0.03, 1.03)
    ax.set_title(OUTCOMES[outcome], weight="normal")
    ax.grid(axis="y")


def _last(column: int, columns: int, shown: int) -> int:
    """The lowest row of a column that has a panel."""
    return (shown - 1 - column) // columns
