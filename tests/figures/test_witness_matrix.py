"""The figure of agreement shows phi of each pair once, and hatches what is undefined."""

import pytest
from matplotlib import colormaps

from confesslens.figures import agreement

LABELS = {
    "behaviour-probe",
    "behaviour-cot",
    "behaviour-confession",
    "probe-cot",
    "probe-confession",
    "cot-confession",
}


def panels(fig):
    return {ax.get_title(loc="left"): ax for ax in fig.axes if ax.patches}


def test_each_pair_is_shown_once_per_evaluation(agreement_table):
    shown = panels(agreement(agreement_table))
    assert list(shown) == ["word count", "people", "sandbagging", "macro average"]
    for ax in shown.values():
        assert {patch.get_label() for patch in ax.patches} == LABELS
        assert len(ax.patches) == 6


def test_colour_and_text_are_those_of_phi(agreement_table):
    ax = panels(agreement(agreement_table))["word count"]
    colours = {patch.get_label(): patch.get_facecolor() for patch in ax.patches}
    for a, b, phi in (("behaviour", "probe", 0.62), ("behaviour", "cot", -0.31), ("probe", "confession", -0.05)):
        assert colours[f"{a}-{b}"] == pytest.approx(colormaps["RdBu_r"]((phi + 1) / 2))
    texts = [text.get_text() for text in ax.texts]
    assert "0.62" in texts and "[0.41, 0.67]\nn 40" in texts
    assert "−0.31" in texts and "[−0.52, −0.26]\nn 40" in texts


def test_undefined_pairs_are_hatched_and_named(agreement_table):
    shown = panels(agreement(agreement_table))
    hatched = {patch.get_label() for patch in shown["sandbagging"].patches if patch.get_hatch()}
    assert hatched == {"behaviour-cot", "probe-cot", "cot-confession"}
    assert [text.get_text() for text in shown["sandbagging"].texts].count("undefined\nn 38") == 3
    assert not any(patch.get_hatch() for patch in shown["people"].patches)


def test_a_pair_that_is_absent_is_undefined(agreement_table):
    table = agreement_table[agreement_table["a"] != "probe"]
    ax = panels(agreement(table))["people"]
    assert [patch.get_label() for patch in ax.patches if patch.get_hatch()] == ["probe-cot"]


def test_phi_without_an_interval_says_so(agreement_table):
    table = agreement_table.assign(phi_low=float("nan"), phi_high=float("nan"))
    assert "no interval\nn 40" in [text.get_text() for text in panels(agreement(table))["word count"].texts]


def test_empty_and_undefined_tables_say_so_in_words(agreement_table):
    assert "Nothing to show" in agreement(agreement_table.iloc[:0]).axes[0].texts[0].get_text()
    agreement_table["phi"] = float("nan")
    assert "undefined for every pair" in agreement(agreement_table).axes[0].texts[0].get_text()


def test_unknown_witnesses_are_named(agreement_table):
    with pytest.raises(ValueError, match="judge"):
        agreement(agreement_table.assign(b="judge"))
