"""Does a probe of one evaluation or organism read another? The generalisation matrix."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from confesslens.figures.style import (
    blank_figure,
    eval_label,
    house_style,
    ink_on,
    is_number,
    records,
    require_columns,
    set_title,
    undefined_patch,
)

TITLE = "Fitted on one, asked of another"


@house_style()
def transfer_map(matrix: pd.DataFrame, title: str = TITLE) -> Figure:
    """Draw the AUROC of every pair of a training and a test set, with its interval; the diagonal is cross-validated.

    `matrix` is from `probes.transfer_matrix`. Colours diverge around 0.5, chance; pairs with too little data are
    hatched. After the generalisation matrix of Marks and Tegmark 2310.06824. Raises ValueError if columns are missing.
    """
    require_columns(matrix, ["train", "test", "n_test", "auroc", "low", "high"], "transfer")
    if not len(matrix) or not matrix["auroc"].notna().any():
        return blank_figure(title, "Nothing to show: no pair has enough bad and complying rollouts.")
    trains, tests = list(dict.fromkeys(matrix["train"])), list(dict.fromkeys(matrix["test"]))
    room = 0.07 * max(len(eval_label(name)) for name in trains)
    fig = Figure(figsize=(1.4 + room + 0.78 * len(tests), 1.5 + 0.5 * len(trains) + 0.5 * room))
    ax = fig.add_subplot()
    grid = np.full((len(trains), len(tests)), np.nan)
    for row in records(matrix):
        grid[trains.index(row["train"]), tests.index(row["test"])] = row["auroc"] if is_number(row["auroc"]) else np.nan
    edges = [np.arange(len(names) + 1) - 0.5 for names in (tests, trains)]
    mesh = ax.pcolormesh(*edges, np.ma.masked_invalid(grid), cmap="RdBu_r", vmin=0, vmax=1, edgecolor="white")
    for row in records(matrix):
        x, y = tests.index(row["test"]), trains.index(row["train"])
        if not is_number(row["auroc"]):
            ax.add_patch(undefined_patch(x - 0.5, y - 0.5))
            continue
        ink = ink_on(mesh.cmap(mesh.norm(row["auroc"])))
        ax.text(x, y - 0.12, f"{row['auroc']:.2f}", ha="center", va="center", fontsize=8, color=ink)
        if is_number(row["low"]) and is_number(row["high"]):
            span = f"{row['low']:.2f}–{row['high']:.2f}"
            ax.text(x, y + 0.24, span, ha="center", va="center", fontsize=6, color=ink)
    ax.set_xticks(range(len(tests)), [eval_label(name) for name in tests], rotation=30, ha="right")
    ax.set_yticks(range(len(trains)), [eval_label(name) for name in trains])
    ax.set_ylim(len(trains) - 0.5, -0.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("asked of")
    ax.set_ylabel("fitted on")
    bar = fig.colorbar(mesh, ax=ax, fraction=0.05, pad=0.02, ticks=[0, 0.5, 1])
    bar.set_label("AUROC", fontsize=8)
    bar.outline.set_visible(False)  # type: ignore[operator]
    set_title(fig, title)
    return fig
