"""The same share of the same evaluations, two or more ways: side by side, with intervals."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from confesslens.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    blank_figure,
    eval_label,
    format_count,
    house_style,
    is_number,
    records,
    require_columns,
    set_title,
    width_for,
)

_LOOKS = [(ORANGE, "o"), (BLUE, "s"), (GREEN, "D"), (PINK, "^"), (GREY, "v")]  # told apart without colour too


@house_style()
def paired_rates(table: pd.DataFrame, title: str, label: str = "share, with 95% interval") -> Figure:
    """Draw each evaluation's share in every series, with its interval and n (which a source may not state: NaN).

    `table`: a row an evaluation and series, columns eval, series, n, value, low, high; a series has the same look in
    every row. With a column panel each panel is drawn by itself, side by side. Raises ValueError if columns are missing
    or there are more series than looks.
    """
    require_columns(table, ["eval", "series", "n", "value", "low", "high"], "paired rates")
    if not len(table) or not table["value"].notna().any():
        return blank_figure(title, "Nothing to show: no share is defined.")
    series, evals = list(dict.fromkeys(table["series"])), list(dict.fromkeys(table["eval"]))
    if len(series) > len(_LOOKS):
        raise ValueError(f"{len(series)} series are too many to tell apart: at most {len(_LOOKS)}")
    looks = dict(zip(series, _LOOKS, strict=False))
    panels = list(dict.fromkeys(table["panel"])) if "panel" in table else [""]
    rows = -(-len(series) // 2)
    width, height = width_for(evals) + 0.4, 0.95 + 0.2 * rows + 0.17 * (len(series) + 0.6) * len(evals)
    fig = Figure(figsize=(width + 2.6 * (len(panels) - 1), height + 0.2 * (len(panels) > 1)))
    axes = fig.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, panel in zip(axes, panels, strict=True):
        _draw(ax, table[table["panel"] == panel] if panel else table, evals, looks)
        ax.set_title(panel, loc="left", fontsize=8)
        ax.set_xlabel(label)
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4.5, label=name)
        for name, (colour, marker) in looks.items()
    ]
    fig.legend(handles=handles, loc="outside lower left", ncols=2, handlelength=2)
    set_title(fig, title)
    return fig


def _draw(ax: Axes, table: pd.DataFrame, evals: list[str], looks: dict[str, tuple[str, str]]) -> None:
    series, step = list(looks), len(looks) + 0.6
    for row in records(table):
        colour, marker = looks[row["series"]]
        y = evals.index(row["eval"]) * step + series.index(row["series"])
        if is_number(row["value"]):
            if is_number(row["low"]) and is_number(row["high"]):
                ax.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt")
            ax.plot(row["value"], y, marker, color=colour, markersize=4.5)
        note = "" if not is_number(row["n"]) else f"n {format_count(row['n'])}" if row["n"] else "none"
        ax.text(1.02, y, note, transform=ax.get_yaxis_transform(), va="center", fontsize=6.5, color=GREY)
    ax.set_yticks([i * step + (len(series) - 1) / 2 for i in range(len(evals))], [eval_label(name) for name in evals])
    for i in range(1, len(evals)):
        ax.axhline(i * step - 0.8, color="#EEEEEE", linewidth=0.6)
    ax.set_ylim(len(evals) * step - 0.8, -0.8)
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
