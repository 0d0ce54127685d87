"""What confessions and answers become while they are trained."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from confesslens.faithfulness.training import CURVES
from confesslens.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    SKY,
    WIDTH,
    YELLOW,
    blank_figure,
    house_style,
    require_columns,
    set_title,
)

_COLOURS = dict(zip(CURVES, (BLUE, SKY, GREEN, ORANGE, GREY, PINK, YELLOW), strict=True))


@house_style()
def training(curves: pd.DataFrame, title: str = "Confessions while they are trained") -> Figure:
    """Draw the curves of a confession training over its steps, with their 95 % bands.

    `curves` is from `faithfulness.training_curves`. After Figures 5 and 7 of arXiv 2512.08093. Raises ValueError if
    columns are missing.
    """
    require_columns(curves, ["step", "curve", "n", "share", "low", "high"], "curves")
    known = curves[curves["share"].notna()] if len(curves) else curves
    if not len(known):
        return blank_figure(title, "Nothing to show: no step of the training was logged.")
    fig = Figure(figsize=(WIDTH, 3.2))
    ax = fig.add_subplot()
    for name, label in CURVES.items():
        line = known[known["curve"] == name]
        if len(line):
            ax.plot(line["step"], line["share"], color=_COLOURS[name], marker="o", markersize=3, label=label)
            ax.fill_between(line["step"], line["low"], line["high"], color=_COLOURS[name], alpha=0.15, linewidth=0)
    ax.set_ylim(0, 1)
    ax.set_xlim(left=0)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(axis="y")
    ax.set_xlabel("step of training")
    ax.set_ylabel("share, with 95% interval")
    ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, borderaxespad=0)
    set_title(fig, title)
    return fig
