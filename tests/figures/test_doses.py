"""The dose-response figure draws every direction that was given, the probe's with its interval."""

import numpy as np
import pandas as pd
import pytest

from confesslens.figures import dose_response


def table():
    rows = []
    for outcome in ("logit", "bad"):
        rows.append(("", "", 0.0, False, outcome, 0.5, 0.4, 0.6))
        for name, kind, slope in (("probe", "probe", 1.0), ("random 1", "random", 0.1), ("length", "other", 0.2)):
            for s in (0.2, -0.2):
                rows.append((name, kind, s, False, outcome, 0.5 + slope * s, 0.3, 0.7))
            rows.append((name, kind, np.nan, True, outcome, 0.45, 0.4, 0.5))
    columns = ["direction", "kind", "strength", "projected", "outcome", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def test_every_direction_is_drawn_over_its_strengths():
    fig = dose_response(table())
    drawn = [ax for ax in fig.axes if ax.lines]
    assert [ax.get_title(loc="left") for ax in drawn] == ["confession logit, bad acts", "P(bad)"]
    lines = {line.get_label(): line for line in drawn[0].lines if not line.get_label().startswith("_")}
    assert list(lines["probe's direction"].get_xdata()) == [-0.2, 0.0, 0.2]
    assert list(lines["probe's direction"].get_ydata()) == pytest.approx([0.3, 0.5, 0.7])
    assert list(lines["random direction, same norm"].get_ydata()) == pytest.approx([0.48, 0.5, 0.52])
    assert len(drawn[0].collections) == 2
    assert sum(line.get_marker() == "D" for line in drawn[0].lines) == 3
    assert [text.get_text() for text in fig.legends[0].texts] == [
        "random direction, same norm",
        "another concept's direction",
        "probe's direction",
    ]


def test_without_outcomes_the_figure_says_so():
    (ax,) = dose_response(table().iloc[:0]).axes
    assert "no outcome" in ax.texts[0].get_text()


def test_missing_columns_are_named():
    with pytest.raises(ValueError, match="strength"):
        dose_response(table().drop(columns="strength"))
