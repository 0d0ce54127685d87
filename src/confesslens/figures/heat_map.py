"""Where in the model a probe can tell bad behaviour from compliance."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from confesslens.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    WIDTH,
    blank_figure,
    house_style,
    ink_on,
    is_number,
    require_columns,
    set_title,
    undefined_patch,
)

TITLE = "Where a probe can tell bad behaviour from compliance"
# The read sites, in the order in which a rollout passes them.
SITES = [
    "prompt.last", "cot.mean", "cot.last", "answer.first", "answer.mean", "answer.max", "answer.last", "request.last",
    "confession.verdict",
]  # fmt: skip


@house_style()
def probe_map(table: pd.DataFrame, title: str = TITLE) -> Figure:
    """Draw the probe's AUROC over layer and read site, and below it each site against its controls.

    `table` is the results table `probe_map`: a row a layer and site. Colours diverge around 0.5, which is chance. No
    cell is marked as the best: the largest of many noisy values is too high, and only a nested choice corrects for it.
    Raises ValueError if columns are missing.
    """
    require_columns(table, ["layer", "site", "n", "n_pos", "auroc", "low", "high", "shuffled", "text"], "probe_map")
    if not len(table):
        return blank_figure(title, "Nothing to show: no probe was fitted at any layer and read site.")
    if not table["auroc"].notna().any():
        return blank_figure(
            title,
            "Nothing to show: AUROC is undefined at every layer and site\n(too few bad or too few complying rollouts).",
        )
    present = list(dict.fromkeys(table["site"]))
    sites = [site for site in SITES if site in present] + sorted(set(present) - set(SITES))
    columns = min(3, len(sites))
    rows = math.ceil(len(sites) / columns)
    top = 0.65 + 0.24 * len(sites)
    fig = Figure(figsize=(WIDTH, 0.9 + top + 1.3 * rows))
    # Two parts, each laid out for itself: the long names beside the map take no room from the panels.
    grid = fig.add_gridspec(2, 1, height_ratios=[top, 0.6 + 1.3 * rows])
    upper, lower = fig.add_subfigure(grid[0]), fig.add_subfigure(grid[1])
    _draw_map(upper.add_subplot(), table, sites)

    values = table[["auroc", "low", "high", "shuffled", "text"]].to_numpy(dtype=float)
    span = (min(0.4, float(np.nanmin(values)) - 0.03), max(0.6, float(np.nanmax(values)) + 0.03))
    axes = lower.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(sites) :]:
        ax.set_axis_off()
    for index, (ax, site) in enumerate(zip(axes.flat, sites, strict=False)):
        _draw_lines(ax, table[table["site"] == site].sort_values("layer"), site)
        ax.set_ylim(max(0.0, span[0]), min(1.02, span[1]))
        ax.tick_params(labelbottom=index + columns >= len(sites))
        ax.set_ylabel("AUROC" if index % columns == 0 else "")
        ax.set_xlabel("layer" if index + columns >= len(sites) else "")
    handles = [
        Line2D([], [], color=BLUE, marker="o", markersize=2.5, label="probe, 95% interval"),
        Line2D([], [], color=ORANGE, linestyle=(0, (4, 2)), label="text only"),
        Line2D([], [], color="black", linestyle=(0, (1, 1.2)), label="shuffled labels"),
    ]
    lower.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.4, handlelength=2.2)
    set_title(fig, title)
    return fig


def _draw_map(ax: Axes, table: pd.DataFrame, sites: list[str]) -> None:
    values = table.pivot(index="site", columns="layer", values="auroc").reindex(sites).sort_index(axis=1)
    layers, grid = list(values.columns), values.to_numpy(dtype=float)
    # At least 0.2 either side of chance, so that noise is not painted in strong colours.
    reach = max(0.2, math.ceil(20 * float(np.nanmax(np.abs(grid - 0.5)))) / 20)
    for row, column in zip(*np.nonzero(np.isnan(grid)), strict=True):
        ax.add_patch(undefined_patch(column - 0.5, row - 0.5, label="undefined"))
    x, y = np.arange(len(layers) + 1) - 0.5, np.arange(len(sites) + 1) - 0.5
    shown = np.ma.masked_invalid(grid)
    mesh = ax.pcolormesh(
        x, y, shown, cmap="RdBu_r", vmin=0.5 - reach, vmax=0.5 + reach, edgecolor="white", linewidth=0.4
    )
    if len(layers) <= 10:
        for row, column in zip(*np.nonzero(np.isfinite(grid)), strict=True):
            ink = ink_on(mesh.cmap(mesh.norm(grid[row, column])))
            ax.text(column, row, f"{grid[row, column]:.2f}", ha="center", va="center", fontsize=7, color=ink)
    step = math.ceil(len(layers) / 12)
    ax.set_xticks(range(0, len(layers), step), [str(layer) for layer in layers[::step]])
    ax.set_yticks(range(len(sites)), sites)
    ax.set_ylim(len(sites) - 0.5, -0.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("layer")
    bar = ax.figure.colorbar(mesh, ax=ax, fraction=0.04, pad=0.02, ticks=[0.5 - reach, 0.5, 0.5 + reach], format="%.2f")
    bar.set_label("AUROC", fontsize=8)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _draw_lines(ax: Axes, rows: pd.DataFrame, site: str) -> None:
    layers = rows["layer"].to_numpy(dtype=float)
    ax.axhline(0.5, color="#AAAAAA", linewidth=0.7)
    ax.fill_between(
        layers, rows["low"].to_numpy(float), rows["high"].to_numpy(float), color=BLUE, alpha=0.2, linewidth=0
    )
    ax.plot(layers, rows["auroc"].to_numpy(float), color=BLUE, marker="o", markersize=2.5, label="probe")
    ax.plot(layers, rows["text"].to_numpy(float), color=ORANGE, linestyle=(0, (4, 2)), label="text")
    ax.plot(layers, rows["shuffled"].to_numpy(float), color="black", linestyle=(0, (1, 1.2)), label="shuffled")
    counts = rows[["n", "n_pos"]].max()
    if is_number(counts["n"]) and is_number(counts["n_pos"]):
        note = f"n {int(counts['n'])}, {int(counts['n_pos'])} bad"
        ax.text(0.98, 0.03, note, transform=ax.transAxes, ha="right", fontsize=7, color=GREY)
    ax.set_title(site, fontsize=8.5)
    ax.grid(axis="y")
