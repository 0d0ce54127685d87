"""The map of probes shows the table's AUROC at its layer and site, around chance, with nothing marked as best."""

import numpy as np
import pytest

from confesslens.figures import probe_map


def test_the_map_holds_the_table(make_map):
    table = make_map(layers=30)
    ax = probe_map(table).axes[0]
    shown = ax.collections[0].get_array()
    assert shown.shape == (3, 30)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["answer.mean", "answer.last", "request.last"]
    for row, site in enumerate(["answer.mean", "answer.last", "request.last"]):
        planted = table[table["site"] == site].sort_values("layer")["auroc"].to_numpy()
        np.testing.assert_array_equal(np.ma.filled(shown[row], np.nan), planted)


def test_colours_diverge_around_chance(make_map):
    mesh = probe_map(make_map()).axes[0].collections[0]
    low, high = mesh.get_clim()
    assert (low + high) / 2 == pytest.approx(0.5)
    assert high - 0.5 >= 0.2
    assert high >= make_map()["auroc"].max()


def test_layers_are_in_order_whatever_the_rows_are(make_map):
    table = make_map(layers=12)
    again = probe_map(table.sample(frac=1, random_state=0).reset_index(drop=True))
    shown = again.axes[0].collections[0].get_array()
    np.testing.assert_array_equal(shown, probe_map(table).axes[0].collections[0].get_array())


def test_each_site_has_its_probe_interval_and_controls(make_map):
    table = make_map(layers=30)
    fig = probe_map(table)
    panels = {ax.get_title(loc="left"): ax for ax in fig.axes if ax.get_title(loc="left")}
    assert set(panels) == set(table["site"])
    for site, ax in panels.items():
        rows = table[table["site"] == site]
        lines = {line.get_label(): line for line in ax.lines}
        for label, column in (("probe", "auroc"), ("text", "text"), ("shuffled", "shuffled")):
            np.testing.assert_array_equal(lines[label].get_ydata(), rows[column].to_numpy())
        (band,) = ax.collections
        assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(rows["high"].max())
        assert ax.texts[0].get_text() == "n 109, 59 bad"


def test_undefined_values_are_hatched(make_map):
    ax = probe_map(make_map()).axes[0]
    assert len(ax.patches) == 1
    assert ax.patches[0].get_hatch()
    assert ax.patches[0].get_xy() == pytest.approx((-0.49, 1.51))


def test_values_are_written_where_there_is_room(make_map):
    few, many = probe_map(make_map(layers=8)).axes[0], probe_map(make_map(layers=30)).axes[0]
    assert len(few.texts) == 3 * 8 - 1
    assert not many.texts


def test_one_site_and_one_layer_can_be_drawn(make_map):
    fig = probe_map(make_map(layers=1).iloc[:1])
    fig.draw_without_rendering()
    assert fig.axes[0].collections[0].get_array().shape == (1, 1)


def test_empty_and_undefined_tables_say_so_in_words(make_map):
    assert "Nothing to show" in probe_map(make_map().iloc[:0]).axes[0].texts[0].get_text()
    assert "undefined at every layer" in probe_map(make_map().assign(auroc=np.nan)).axes[0].texts[0].get_text()
