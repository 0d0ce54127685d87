"""The figure of cells stacks the table's shares and repeats each with its interval."""

import pandas as pd
import pytest

from confesslens.figures import cells
from confesslens.figures.style import CELLS


def test_stacks_hold_the_shares_in_order(cells_table):
    stacked = cells(cells_table).axes[0]
    assert len(stacked.patches) == 4 * 6
    for cell, container in zip(CELLS, stacked.containers, strict=True):
        planted = cells_table[cells_table["cell"] == cell]["share"]
        assert [bar.get_width() for bar in container] == pytest.approx(list(planted))
    ends = [bar.get_x() + bar.get_width() for bar in stacked.containers[-1]]
    assert ends == pytest.approx([1, 1, 1, 1])


def test_n_is_the_number_of_rollouts_of_the_evaluation(cells_table):
    texts = [text.get_text() for text in cells(cells_table).axes[0].texts]
    assert [text for text in texts if text.startswith("n ")] == ["n 40", "n 34", "n 40", "n 114"]


def test_every_share_has_its_interval(cells_table):
    axes = cells(cells_table).axes[1:]
    assert len(axes) == 6
    for cell, ax in zip(CELLS, axes, strict=True):
        planted = cells_table[cells_table["cell"] == cell]
        spans = [tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2]
        assert spans == list(zip(planted["share_low"], planted["share_high"], strict=True))
        assert [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1] == list(planted["share"])


def test_a_cell_that_is_absent_leaves_the_others_in_place(cells_table):
    without = cells_table[cells_table["cell"] != "B1P1C0"]
    stacked = cells(without).axes[0]
    assert [bar.get_width() for bar in stacked.containers[1]] == [0, 0, 0, 0]
    assert [bar.get_width() for bar in stacked.containers[5]] == pytest.approx(
        list(cells_table[cells_table["cell"] == "B0C0"]["share"])
    )


def test_an_evaluation_without_shares_is_named(cells_table):
    cells_table.loc[cells_table["eval"] == "people", ["share", "share_low", "share_high"]] = float("nan")
    texts = [text.get_text() for text in cells(cells_table).axes[0].texts]
    assert "no rollout with all three witnesses" in texts


def test_empty_and_undefined_tables_say_so_in_words(cells_table):
    assert "Nothing to show" in cells(cells_table.iloc[:0]).axes[0].texts[0].get_text()
    cells_table["share"] = float("nan")
    assert "every share is undefined" in cells(cells_table).axes[0].texts[0].get_text()


def test_unknown_cells_and_missing_columns_are_named(cells_table):
    with pytest.raises(ValueError, match="share_high"):
        cells(cells_table.drop(columns="share_high"))
    with pytest.raises(ValueError, match="B2"):
        cells(cells_table.assign(cell="B2"))


def test_another_condition_is_left_out(cells_table):
    other = cells_table.assign(condition="silenced", n=999)
    both = pd.concat([other, cells_table])
    texts = [text.get_text() for text in cells(both).axes[0].texts]
    assert texts == [text.get_text() for text in cells(cells_table).axes[0].texts]
    assert texts != [text.get_text() for text in cells(both, condition="silenced").axes[0].texts]
