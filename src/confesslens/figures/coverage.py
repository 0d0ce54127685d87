"""Whether intervals cover and tests keep their level, on data of which the truth is known."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from confesslens.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    blank_figure,
    house_style,
    is_number,
    records,
    require_columns,
    set_title,
)

TITLE = "Do 95% intervals cover, and do tests at 5% keep their level?"
BANDS = {"interval": (0.93, 0.97, 0.95, (0.85, 1.0)), "test": (0.04, 0.06, 0.05, (0.0, 0.15))}


@house_style()
def coverage(table: pd.DataFrame) -> Figure:
    """Draw the study's rates: a panel a setting, a row a quantity, with 95% limits over draws and the band asked for.

    `table` is what `faithfulness.study.run_study` returns. Orange marks a rate outside of the band, grey a test that is
    not ours; a rate beyond the axis is drawn at its edge and written. Raises ValueError if columns are missing.
    """
    require_columns(table, ["setting", "kind", "quantity", "rate", "rate_low", "rate_high", "within"], "coverage")
    if not len(table):
        return blank_figure(TITLE, "Nothing to show: no draws.")
    panel = table["kind"].replace("comparison", "test")
    settings = list(dict.fromkeys(table["setting"]))
    names = {kind: list(dict.fromkeys(table.loc[panel == kind, "quantity"])) for kind in BANDS}
    sizes = [max(len(names[kind]), 1) for kind in BANDS]
    fig = Figure(figsize=(max(6.6, 2.9 + 1.55 * len(settings)), 1.4 + 0.19 * sum(sizes)))
    axes = fig.subplots(2, len(settings), squeeze=False, sharey="row", height_ratios=sizes)
    for line, kind in enumerate(BANDS):
        for column, setting in enumerate(settings):
            ax = axes[line, column]
            _panel(ax, table[(table["setting"] == setting) & (panel == kind)], names[kind], kind)
            if line == 0:
                ax.set_title(setting)
        axes[line, 0].set_yticks(range(len(names[kind])), names[kind], fontsize=7.5)
        axes[line, 0].set_ylim(len(names[kind]) - 0.5, -0.5)
        axes[line, 0].set_ylabel(
            {"interval": "share of intervals that cover", "test": "share of tests that reject"}[kind]
        )
    draws = f"{int(table['draws'].min())}–{int(table['draws'].max())}" if "draws" in table else ""
    draws = draws.split("–")[0] if len(set(draws.split("–"))) == 1 else draws
    fig.supxlabel(
        f"Band: 93–97% and 4–6%. Bars: 95% limits over the {draws} draws. Orange: outside of the band; grey: not ours.",
        fontsize=8,
    )
    set_title(fig, TITLE)
    return fig


def _panel(ax: Axes, rows: pd.DataFrame, names: list[str], kind: str) -> None:
    low, high, goal, limits = BANDS[kind]
    ax.axvspan(low, high, color="#E6E6E6", linewidth=0)
    ax.axvline(goal, color=GREY, linewidth=0.7)
    for row in records(rows):
        y = names.index(row["quantity"])
        if not is_number(row["rate"]):
            ax.text(goal, y, "too little data", ha="center", va="center", fontsize=6, color=GREY)
            continue
        colour = GREY if row["kind"] == "comparison" else BLUE if row["within"] else ORANGE
        ends = [min(max(row[name], limits[0]), limits[1]) for name in ("rate_low", "rate_high")]
        ax.plot(ends, [y, y], color=colour, linewidth=1.2)
        at = min(max(row["rate"], limits[0]), limits[1])
        ax.plot(at, y, marker="o" if row["within"] else "D", markersize=3.2, color=colour, clip_on=False)
        if at != row["rate"]:
            ax.annotate(f" {100 * row['rate']:.0f}%", (at, y), fontsize=6.5, va="center", color=colour)
    ax.set_xlim(*limits)
    ticks = [limits[0], goal, limits[1]]
    ax.set_xticks(ticks, [f"{100 * tick:.0f}%" for tick in ticks], fontsize=7.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", linewidth=0.3)
