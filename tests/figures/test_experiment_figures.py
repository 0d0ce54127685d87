"""The pictures of the experiments: what is drawn is what the table says, and nothing is drawn of nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from confesslens import figures
from confesslens.faithfulness import calibration, errors_of_confession, overlap
from confesslens.faithfulness.simulate import World, simulate

RATES = pd.DataFrame(
    [
        ("people", "admitted", 20, 0.5, 0.3, 0.7),
        ("people", "confessed", 20, 0.25, 0.1, 0.45),
        ("sandbagging", "admitted", 0, np.nan, np.nan, np.nan),
        ("sandbagging", "confessed", 12, 1.0, 0.75, 1.0),
    ],
    columns=["eval", "series", "n", "value", "low", "high"],
)
TRANSFER = pd.DataFrame(
    [("a", "a", 20, 0.9, 0.8, 1.0), ("a", "b", 20, 0.4, 0.2, 0.6), ("b", "a", 3, np.nan, np.nan, np.nan)],
    columns=["train", "test", "n_test", "auroc", "low", "high"],
)
TOLD = simulate(World(evals=3, scenarios=8), 1)


def texts(fig):
    return " ".join(text.get_text() for text in fig.findobj(lambda artist: hasattr(artist, "get_text")))


def test_paired_rates_draws_every_defined_share_and_says_where_there_is_none():
    fig = figures.paired_rates(RATES, "A title")
    points = [line for line in fig.axes[0].lines if line.get_marker() in ("o", "s")]
    assert sorted(float(np.ravel(line.get_xdata())[0]) for line in points) == [0.25, 0.5, 1.0]
    assert {"n 20", "n 12", "none"} <= {text.get_text() for text in fig.axes[0].texts}
    unsaid = figures.paired_rates(RATES.assign(n=np.nan), "A title")
    assert {text.get_text() for text in unsaid.axes[0].texts} == {""}
    many = pd.concat([RATES.assign(series=f"s{i}") for i in range(6)])
    with pytest.raises(ValueError, match="too many"):
        figures.paired_rates(many, "A title")


def test_transfer_map_hatches_what_is_undefined():
    fig = figures.transfer_map(TRANSFER)
    assert {"0.90", "0.40", "0.80–1.00"} <= {text.get_text() for text in fig.axes[0].texts}
    assert sum(patch.get_hatch() == "////" for patch in fig.axes[0].patches) == 1


def test_overlap_draws_a_bar_a_pattern():
    patterns = overlap(TOLD)
    bars, dots = figures.overlap(patterns).axes
    assert sorted(bar.get_height() for bar in bars.patches) == sorted(patterns["share"].head(16))
    assert len([line for line in dots.lines if line.get_marker() == "o"]) == 4 * min(16, len(patterns))


def test_confession_errors_counts_every_wrong_one():
    errors = errors_of_confession(TOLD)
    fig = figures.confession_errors(errors)
    drawn = sum(patch.get_width() for ax in fig.axes for patch in ax.patches)
    assert drawn == errors.loc[errors["eval"] == "macro", "n"].sum()


def test_confidence_has_a_panel_a_source():
    scores, reliability = calibration(TOLD, n_boot=20)
    fig = figures.confidence(reliability, scores)
    assert len(fig.axes) == len(scores) == 4
    points = sum(line.get_marker() == "o" for ax in fig.axes for line in ax.lines)
    assert points == len(reliability)


@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (lambda t: figures.paired_rates(t, "A title"), RATES),
        (figures.transfer_map, TRANSFER),
        (figures.overlap, overlap(TOLD)),
        (figures.confession_errors, errors_of_confession(TOLD)),
    ],
    ids=["paired_rates", "transfer_map", "overlap", "confession_errors"],
)
def test_nothing_is_drawn_of_nothing_and_a_missing_column_is_named(draw, table):
    assert "Nothing to show" in texts(draw(table.iloc[:0]))
    with pytest.raises(ValueError, match=table.columns[-1]):
        draw(table.drop(columns=table.columns[-1]))
