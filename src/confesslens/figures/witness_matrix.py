"""How far the four witnesses agree."""

import math

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from confesslens.figures.style import (
    GREY,
    WITNESSES,
    blank_figure,
    eval_label,
    format_number,
    house_style,
    ink_on,
    is_number,
    records,
    require_columns,
    set_title,
    undefined_patch,
)

TITLE = "Agreement between the four witnesses (phi)"
COLUMNS = 2


@house_style()
def agreement(table: pd.DataFrame, condition: str = "tempted") -> Figure:
    """Draw, per evaluation, the matrix of phi between the witnesses in one condition, with intervals and n.

    Undefined cells are hatched. `table` is the results table `agreement`: a row a condition, evaluation (or "macro")
    and pair of witnesses `a`, `b`, in either order. Raises ValueError if columns are missing or a witness is unknown.
    """
    require_columns(table, ["condition", "eval", "a", "b", "n", "phi", "phi_low", "phi_high"], "agreement")
    table = table[table["condition"] == condition]
    if not len(table):
        return blank_figure(TITLE, "Nothing to show: no two witnesses have been compared.")
    unknown = sorted((set(table["a"]) | set(table["b"])) - set(WITNESSES))
    if unknown:
        raise ValueError(f"the agreement table has unknown witnesses {unknown}; known: {list(WITNESSES)}")
    if not table["phi"].notna().any():
        return blank_figure(
            TITLE,
            "Nothing to show: phi is undefined for every pair\n(in each, a witness says the same of every rollout).",
        )

    evals = list(dict.fromkeys(table["eval"]))
    rows = math.ceil(len(evals) / COLUMNS)
    fig = Figure(figsize=(6.2, 0.75 + 2.15 * rows))
    axes = fig.subplots(rows, COLUMNS, squeeze=False)
    norm, cmap = Normalize(-1, 1), colormaps["RdBu_r"]
    for index, ax in enumerate(axes.flat):
        if index >= len(evals):
            ax.set_axis_off()
            continue
        _matrix(ax, table[table["eval"] == evals[index]], norm, cmap)
        ax.set_title(eval_label(evals[index]))
        if index % COLUMNS:
            ax.tick_params(axis="y", labelleft=False)
    scale = "1 they always say the same, 0 unrelated, −1 always the opposite"
    fig.supxlabel(f"phi with 95% interval, where there are enough scenarios: {scale}", fontsize=8)
    set_title(fig, TITLE)
    return fig


def _matrix(ax: Axes, rows: pd.DataFrame, norm: Normalize, cmap: Colormap) -> None:
    """Draw the lower triangle: each pair once, rows probe to confession, columns behaviour to cot."""
    names = list(WITNESSES)
    values = {frozenset((row["a"], row["b"])): row for row in records(rows)}
    for i, below in enumerate(names[1:]):
        for j, left in enumerate(names[: i + 1]):
            row = values.get(frozenset((below, left)))
            label = f"{left}-{below}"
            if row is None or not is_number(row["phi"]):
                ax.add_patch(undefined_patch(j, i, label=label))
                n = "" if row is None or not is_number(row["n"]) else f"\nn {int(row['n'])}"
                box = {"facecolor": "#F2F2F2", "edgecolor": "none", "pad": 1.5}
                ax.text(j + 0.5, i + 0.5, f"undefined{n}", ha="center", va="center", fontsize=7, color=GREY, bbox=box)
                continue
            colour = cmap(norm(row["phi"]))
            ax.add_patch(Rectangle((j, i), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.5, label=label))
            value, _, interval = format_number(row["phi"], row["phi_low"], row["phi_high"]).partition(" ")
            interval = interval or "no interval"
            ink = ink_on(colour)
            ax.text(j + 0.5, i + 0.27, value, ha="center", va="center", fontsize=9, color=ink, weight="bold")
            ax.text(
                j + 0.5, i + 0.66, f"{interval}\nn {int(row['n'])}", ha="center", va="center", fontsize=7, color=ink
            )
    ax.set_xlim(0, 3)
    ax.set_ylim(3, 0)
    ax.set_xticks([0.5, 1.5, 2.5], [f"{name}\n({WITNESSES[name]})" for name in names[:3]], fontsize=7.5)
    ax.set_yticks([0.5, 1.5, 2.5], [f"{name}\n({WITNESSES[name]})" for name in names[1:]], fontsize=7.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
