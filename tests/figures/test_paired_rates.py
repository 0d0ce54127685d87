"""Shares side by side: each where it is, in its panel, with its interval and n."""

from __future__ import annotations

import pandas as pd
import pytest

from confesslens.figures import paired_rates

TABLE = pd.DataFrame(
    [
        ("people", "before", "of bad acts", 12, 0.1, 0.0, 0.3),
        ("people", "after", "of bad acts", 12, 0.9, 0.7, 1.0),
        ("people", "before", "of complied answers", 7, 0.2, 0.0, 0.5),
        ("people", "after", "of complied answers", 0, float("nan"), float("nan"), float("nan")),
    ],
    columns=["eval", "series", "panel", "n", "value", "low", "high"],
)


def points(ax):
    return [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() not in ("None", "", None)]


def test_each_panel_has_its_own_rows():
    left, right = paired_rates(TABLE, "Confessed").axes
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("of bad acts", "of complied answers")
    assert points(left) == [0.1, 0.9] and points(right) == [0.2]
    assert [text.get_text() for text in right.texts] == ["n 7", "none"]
    assert [label.get_text() for label in left.get_yticklabels()] == ["people"]


def test_without_panels_there_is_one():
    (ax,) = paired_rates(TABLE[TABLE["panel"] == "of bad acts"].drop(columns="panel"), "Confessed").axes
    assert points(ax) == [0.1, 0.9]


def test_too_many_series_are_refused():
    table = pd.concat([TABLE.assign(series=str(i)) for i in range(6)])
    with pytest.raises(ValueError, match="6 series are too many"):
        paired_rates(table, "Confessed")
