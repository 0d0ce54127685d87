"""A probe beside what might explain it away."""

import pandas as pd
from matplotlib.figure import Figure

from confesslens.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    blank_figure,
    format_number,
    house_style,
    is_number,
    records,
    require_columns,
    set_title,
)

TITLE = "The probe beside its controls"


@house_style()
def probe_controls(table: pd.DataFrame, title: str = TITLE) -> Figure:
    """Draw each control's AUROC with its interval, and beside it the increment of the probe over it.

    `table` is from `confesslens.probes.controls`, or of `organisms.knowing_swapped.knowing_controls`. Chance and no
    increment are grey lines. Raises ValueError if columns are missing.
    """
    require_columns(
        table, ["control", "n", "auroc", "low", "high", "increment", "increment_low", "increment_high"], "controls"
    )
    if not len(table) or not table["auroc"].notna().any():
        return blank_figure(title, "Nothing to show: no probe and no control has an AUROC.")
    fig = Figure(figsize=(WIDTH + 1.2, 1.15 + 0.24 * len(table)))
    left, right = fig.subplots(1, 2, sharey=True, width_ratios=[1, 0.9])
    for y, row in enumerate(records(table)):
        colour = ORANGE if row["control"] == "probe" else BLUE
        for ax, value, low, high, signed in (
            (left, "auroc", "low", "high", False),
            (right, "increment", "increment_low", "increment_high", True),
        ):
            if not is_number(row[value]):
                continue
            if is_number(row[low]) and is_number(row[high]):
                ax.plot([row[low], row[high]], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
            ax.plot(row[value], y, "o", color=colour, markersize=5)
            note = format_number(row[value], row[low], row[high], signed)
            ax.text(1.02, y, note, transform=ax.get_yaxis_transform(), va="center", fontsize=7)
    left.axvline(0.5, color=GREY, linewidth=0.8, zorder=0)
    right.axvline(0.0, color=GREY, linewidth=0.8, zorder=0)
    left.set_yticks(range(len(table)), list(table["control"]))
    left.set_ylim(len(table) - 0.5, -0.5)
    left.set_xlabel("AUROC, 95% interval")
    right.set_xlabel("probe above it")
    for ax in (left, right):
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        ax.spines["left"].set_visible(False)
    set_title(fig, title)
    return fig
