"""How often a model misbehaves, and how often it says so."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from confesslens.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    WIDTH,
    blank_figure,
    eval_label,
    format_percent,
    house_style,
    is_number,
    records,
    require_columns,
    set_title,
)

# Rate -> (label, column of its denominator, what the denominator counts, colour).
RATES: dict[str, tuple[str, str, str, str]] = {
    "p_bad": ("P(bad)", "n", "rollouts", ORANGE),
    "p_confess_given_bad": ("P(confess | bad)", "n_bad", "bad rollouts", BLUE),
    "p_confess_given_complied": ("P(confess | complied)", "n_complied", "complying rollouts", SKY),
    "p_admit_given_bad": ("P(admit | bad)", "n_bad", "bad rollouts", GREEN),
}
GAP = 0.7  # bars' heights between two evaluations


@house_style()
def confession_rates(rates: pd.DataFrame, condition: str = "tempted") -> Figure:
    """Draw each evaluation's rates of bad behaviour, confession and admission in one condition, with intervals and n.

    `rates` is the results table `rates`: a row an evaluation and condition. After Figure 2 of arXiv 2512.08093, with
    the intervals that it leaves out. Raises ValueError if columns are missing.
    """
    needed = ["eval", "condition", *(name + end for name in RATES for end in ("", "_low", "_high"))]
    require_columns(rates, [*needed, "n", "n_bad", "n_complied"], "rates")
    title = f"How often it misbehaved, and how often it said so ({condition})"
    rows = rates[rates["condition"] == condition] if len(rates) else rates
    if not len(rows):
        return blank_figure(title, f'Nothing to show: no rollout has the condition "{condition}".')
    if not rows[list(RATES)].notna().any(axis=None):
        return blank_figure(title, "Nothing to show: every rate is undefined (no graded rollouts).")

    step = len(RATES) + 1 + GAP
    fig = Figure(figsize=(WIDTH, 0.75 + 0.185 * step * len(rows)))
    ax = fig.add_subplot()
    ticks, labels = [], []
    for group, row in enumerate(records(rows)):
        top = group * step
        ax.text(0, top, eval_label(row["eval"]), weight="bold", va="center", ha="left")
        for offset, (name, (label, n_column, counted, colour)) in enumerate(RATES.items(), start=1):
            y, n = top + offset, int(row[n_column]) if is_number(row[n_column]) else 0
            value, low, high = (row[name + end] for end in ("", "_low", "_high"))
            ticks.append(y)
            labels.append(label)
            note = f"no {counted}" if n == 0 else "not measured"
            if is_number(value):
                ax.barh(y, value, height=0.78, color=colour)
                if is_number(low) and is_number(high):
                    ax.plot(
                        [low, high],
                        [y, y],
                        color="black",
                        linewidth=1.1,
                        solid_capstyle="butt",
                        marker="|",
                        markersize=5,
                    )
                note = f"{format_percent(value, low, high)}  n {n}"
            ax.text(
                1.03,
                y,
                note,
                transform=ax.get_yaxis_transform(),
                va="center_baseline",
                fontsize=8,
                color="black" if is_number(value) else GREY,
            )
    ax.set_yticks(ticks, labels)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, 1)
    ax.set_ylim(len(rows) * step - GAP, -0.8)
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("share of rollouts, with 95% interval")
    set_title(fig, title)
    return fig
