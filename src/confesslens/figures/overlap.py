"""Which witnesses speak up together: every pattern that occurs, and how often."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from confesslens.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    WITNESSES,
    blank_figure,
    house_style,
    is_number,
    records,
    require_columns,
    set_title,
)

TITLE = "Which witnesses spoke up together"
_MOST = 16


@house_style()
def overlap(patterns: pd.DataFrame, condition: str = "tempted") -> Figure:
    """Draw the share of each pattern of the four witnesses in one condition, with intervals, above its dots.

    Bars of bad acts are orange, of complied answers blue. `patterns` is from `faithfulness.overlap`. After the UpSet
    plot (Lex et al. 2014, doi 10.1109/TVCG.2014.2346248). Raises ValueError if columns are missing.
    """
    names = list(WITNESSES.values())
    require_columns(patterns, ["condition", *names, "n", "share", "low", "high"], "overlap")
    rows = records(patterns[patterns["condition"] == condition])[:_MOST] if len(patterns) else []
    if not rows:
        return blank_figure(TITLE, "Nothing to show: no rollout has a grade and a clear claim.")
    fig = Figure(figsize=(max(WIDTH, 1.6 + 0.42 * len(rows)), 3.6))
    top, dots = fig.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    for x, row in enumerate(rows):
        colour = ORANGE if row["did"] is True else BLUE
        top.bar(x, row["share"], width=0.62, color=colour)
        if is_number(row["low"]) and is_number(row["high"]):
            top.plot([x, x], [row["low"], row["high"]], color="black", linewidth=1)
        height = row["high"] if is_number(row["high"]) else row["share"]
        top.text(x, height + 0.01, f"{row['n']}", ha="center", va="bottom", fontsize=7, color=GREY)
        on = [y for y, name in enumerate(names) if row[name] is True]
        if on:
            dots.plot([x, x], [min(on), max(on)], color=colour, linewidth=1.4, zorder=1)
        for y, name in enumerate(names):
            known = row[name] is True or row[name] is False
            face = colour if row[name] is True else "#DDDDDD" if known else "none"
            dots.plot(x, y, "o", markersize=7, color=face, markeredgecolor="none" if known else "#BBBBBB", zorder=2)
    top.set_ylim(bottom=0)
    top.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    top.set_ylabel("share of rollouts, mean\nover evaluations (n above)")
    top.grid(axis="y")
    top.tick_params(axis="x", length=0, labelbottom=False)
    dots.set_yticks(range(len(names)), ["did it", "probe fires", "thought of it", "confessed"])
    dots.set_ylim(len(names) - 0.5, -0.5)
    dots.set_xticks([])
    dots.tick_params(length=0)
    dots.spines[:].set_visible(False)
    set_title(fig, TITLE)
    return fig
