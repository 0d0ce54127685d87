"""The figure of confession rates shows the table's values, each with its interval and n."""

import matplotlib
import pytest

from confesslens.figures import confession_rates
from confesslens.figures.rates import RATES


def bars(ax):
    return [(bar.get_y() + bar.get_height() / 2, bar.get_width()) for bar in ax.patches]


def intervals(ax):
    return [tuple(line.get_xdata()) for line in ax.lines]


def test_bars_and_intervals_are_those_of_the_table(rates):
    (ax,) = confession_rates(rates).axes
    tempted = rates[rates["condition"] == "tempted"]
    expected = [(row[name], row[f"{name}_low"], row[f"{name}_high"]) for _, row in tempted.iterrows() for name in RATES]
    defined = [values for values in expected if values[0] == values[0]]
    assert len(defined) == 10  # sandbagging has no bad rollout, so two of its four rates are undefined
    assert [width for _, width in bars(ax)] == [value for value, _, _ in defined]
    assert intervals(ax) == [(low, high) for _, low, high in defined]


def test_each_rate_names_its_denominator(rates):
    (ax,) = confession_rates(rates).axes
    texts = [text.get_text() for text in ax.texts]
    assert "75% [62, 85]  n 40" in texts
    assert "41% [23, 55]  n 27" in texts
    assert "23% [3, 39]  n 13" in texts
    assert texts.count("no bad rollouts") == 2


def test_rates_that_were_not_measured_are_not_called_impossible(rates):
    (ax,) = confession_rates(rates, condition="neutral").axes
    texts = [text.get_text() for text in ax.texts]
    assert texts.count("not measured") == 2
    assert "no bad rollouts" not in texts


def test_reads_top_to_bottom_in_the_order_of_the_table(rates):
    (ax,) = confession_rates(rates).axes
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts if text.get_weight() == "bold"] == [
        "word count",
        "people",
        "sandbagging",
    ]


@pytest.mark.parametrize("kept", ["no rows", "no columns", "neutral rows"])
def test_an_empty_table_says_so_in_words(rates, kept):
    neutral = rates[rates["condition"] == "neutral"]
    table = {"no rows": rates.iloc[:0], "no columns": rates.iloc[:0][[]], "neutral rows": neutral}[kept]
    (ax,) = confession_rates(table).axes
    assert "Nothing to show" in ax.texts[0].get_text()


def test_undefined_rates_say_so_in_words(rates):
    rates[list(RATES)] = float("nan")
    (ax,) = confession_rates(rates).axes
    assert "every rate is undefined" in ax.texts[0].get_text()
    assert not ax.patches


def test_missing_columns_are_named(rates):
    with pytest.raises(ValueError, match="p_bad_low"):
        confession_rates(rates.drop(columns="p_bad_low"))


def test_the_callers_style_neither_leaks_in_nor_changes(rates):
    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "black"}):
        (ax,) = confession_rates(rates).axes
        assert matplotlib.rcParams["font.size"] == 31
    assert ax.get_facecolor() == (1, 1, 1, 1)
    assert ax.xaxis.label.get_size() == 9


def test_a_dollar_sign_in_a_name_is_text(rates):
    rates["eval"] = "$\\frac{1}$"
    fig = confession_rates(rates)
    fig.draw_without_rendering()
    assert not any(text.get_parse_math() for text in fig.axes[0].texts)
