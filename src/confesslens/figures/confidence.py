"""Does what is said with 80 % confidence hold 80 % of the time? Four sources of probabilities, a panel each."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from confesslens.figures.style import (
    BLUE,
    GREY,
    WIDTH,
    blank_figure,
    draw_reason,
    house_style,
    is_number,
    records,
    require_columns,
    set_title,
)

TITLE = "How often it is so, by how sure the source is"
NAMES = {
    "confidence": "the confession's own confidence",
    "logit": "confession logit",
    "probe": "probe",
    "probe, recalibrated": "probe, recalibrated",
}


@house_style()
def confidence(reliability: pd.DataFrame, scores: pd.DataFrame) -> Figure:
    """Draw a reliability diagram of each source, bins of each evaluation with 95 % intervals, with Brier score and ECE.

    The tables are the results tables `reliability` and `calibration`. After Figure 8 of arXiv 2512.08093, with probe
    and confession logit beside the stated confidence. Raises ValueError if columns are missing.
    """
    require_columns(reliability, ["source", "eval", "n", "predicted", "observed", "low", "high"], "reliability")
    require_columns(scores, ["source", "event", "n", "brier", "ece", "ece_low", "ece_high", "note"], "calibration")
    if not len(scores):
        return blank_figure(TITLE, "Nothing to show: no source gives probabilities.")
    fig = Figure(figsize=(WIDTH, 5.2))
    axes = fig.subplots(2, 2)
    for ax, row in zip(axes.flat, records(scores), strict=False):
        _draw(ax, reliability[reliability["source"] == row["source"]], row)
    for ax in list(axes.flat)[len(scores) :]:
        ax.set_axis_off()
    set_title(fig, TITLE)
    return fig


def _draw(ax: Axes, bins: pd.DataFrame, row: dict[str, object]) -> None:
    ax.set_title(NAMES.get(str(row["source"]), str(row["source"])), weight="normal", pad=14)
    if not len(bins):
        draw_reason(ax, str(row["note"]) or "no rollout has it")
        return
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
    largest = float(bins["n"].max())
    for one in records(bins):
        if is_number(one["low"]) and is_number(one["high"]):
            ax.plot([one["predicted"]] * 2, [one["low"], one["high"]], color=BLUE, linewidth=0.9, alpha=0.5)
        ax.plot(one["predicted"], one["observed"], "o", color=BLUE, markersize=2 + 3 * (one["n"] / largest) ** 0.5)
    note = f"n {row['n']}"
    if is_number(row["brier"]):
        note += f", Brier {row['brier']:.2f}, ECE {row['ece']:.2f} [{row['ece_low']:.2f}, {row['ece_high']:.2f}]"
    ax.text(0, 1.03, note, transform=ax.transAxes, va="bottom", fontsize=7, color=GREY)
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel(f"probability that {row['event']}", fontsize=8)
    ax.set_ylabel("how often it is so", fontsize=8)
    ax.grid()
