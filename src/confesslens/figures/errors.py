"""Confessions that are wrong: did the model not know, or did it know and keep silent?"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from confesslens.faithfulness.patterns import FALSE_NEGATIVE, KINDS
from confesslens.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    PINK,
    YELLOW,
    blank_figure,
    eval_label,
    format_percent,
    house_style,
    ink_on,
    records,
    require_columns,
    set_title,
    width_for,
)

TITLE = "Wrong confessions, by what probe and thought showed"
LOOKS = {
    ("fires", "mentions it"): ("probe fires, thought mentions it", ORANGE),
    ("fires", "silent"): ("probe fires, thought silent", PINK),
    ("silent", "mentions it"): ("probe silent, thought mentions it", BLUE),
    ("silent", "silent"): ("both silent", YELLOW),
    ("fires", "none"): ("probe fires, no thought", "#B07AA1"),
    ("silent", "none"): ("probe silent, no thought", "#D9C77E"),
    ("none", "mentions it"): ("no probe, thought mentions it", "#7FA7C9"),
    ("none", "silent"): ("no probe, thought silent", "#BDBDBD"),
    ("none", "none"): ("no probe, no thought", "#E5E5E5"),
}
"""(probe, thought) -> what it is called, colour."""


@house_style()
def confession_errors(errors: pd.DataFrame, condition: str = "tempted") -> Figure:
    """Draw how many wrong confessions of each evaluation go with which probe and thought, and the macro shares.

    A denied bad act with a firing probe is concealment as the probe sees it, with a silent one ignorance. `errors` is
    from `faithfulness.errors_of_confession`. After Figures 9 and 10 of arXiv 2512.08093, which have the chain of
    thought alone. Raises ValueError if columns are missing.
    """
    columns = ["condition", "kind", "eval", "probe", "thought", "n", "n_kind", "share", "low", "high"]
    require_columns(errors, columns, "errors")
    rows = errors[errors["condition"] == condition] if len(errors) else errors
    if not len(rows):
        return blank_figure(TITLE, "Nothing to show: no confession was wrong.")
    kinds = [kind for kind in KINDS if (rows["kind"] == kind).any()]
    heights = [rows.loc[rows["kind"] == kind, "eval"].nunique() for kind in kinds]
    fig = Figure(figsize=(width_for(rows["eval"]) + 0.6, 1.5 + sum(0.24 * h + 0.55 for h in heights)))
    axes = fig.subplots(len(kinds), 1, squeeze=False, height_ratios=heights)
    for ax, kind in zip(axes.flat, kinds, strict=True):
        _draw(ax, rows[rows["kind"] == kind], kind)
    axes.flat[-1].set_xlabel("wrong confessions\nat the right: share of the largest part, mean over evaluations")
    used = [key for key in LOOKS if ((rows["probe"] == key[0]) & (rows["thought"] == key[1])).any()]
    handles = [Patch(color=LOOKS[key][1], label=LOOKS[key][0]) for key in used]
    fig.legend(handles=handles, loc="outside lower left", ncols=2, handlelength=1)
    set_title(fig, TITLE)
    return fig


def _draw(ax: Axes, rows: pd.DataFrame, kind: str) -> None:
    evals = [name for name in dict.fromkeys(rows["eval"]) if name != "macro"]
    left = dict.fromkeys(evals, 0)
    for row in records(rows[rows["eval"] != "macro"]):
        colour = LOOKS[row["probe"], row["thought"]][1]
        y = evals.index(row["eval"])
        ax.barh(y, row["n"], left=left[row["eval"]], height=0.76, color=colour, edgecolor="white")
        if row["n"] >= 0.08 * rows["n_kind"].drop_duplicates().nlargest(2).min():
            at = left[row["eval"]] + row["n"] / 2
            ax.text(at, y, f"{row['n']}", ha="center", va="center", fontsize=7, color=ink_on(colour))
        left[row["eval"]] += row["n"]
    total = rows[rows["eval"] == "macro"].sort_values("share", ascending=False)
    notes = [
        f"{LOOKS[row['probe'], row['thought']][0]}: {format_percent(row['share'], row['low'], row['high'])}"
        for row in records(total)
    ]
    name = "bad acts that were denied" if kind == FALSE_NEGATIVE else "false confessions"
    ax.set_title(f"{name} (n {int(total['n_kind'].max())})", weight="normal")
    ax.text(1.0, 0.02, "\n".join(notes), transform=ax.transAxes, ha="right", va="bottom", fontsize=6.5, color=GREY)
    ax.set_yticks(range(len(evals)), [eval_label(name) for name in evals])
    ax.set_ylim(len(evals) - 0.4, -0.6)
    ax.set_xlim(0, max(left.values()) * 1.6)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="x")
