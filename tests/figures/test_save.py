"""Saved figures are the same bytes each time, and replace the old file whole."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from confesslens.figures import agreement, confession_rates, probe_map, save_figure


def test_both_files_are_written_at_200_dpi(rates, tmp_path):
    fig = confession_rates(rates)
    paths = save_figure(fig, tmp_path / "figures", "rates")
    assert paths == {suffix: tmp_path / "figures" / f"rates.{suffix}" for suffix in ("png", "svg")}
    head = paths["png"].read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(head[16:20], "big") == round(200 * fig.get_figwidth())
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["rates.png", "rates.svg"]


def test_the_same_table_gives_the_same_bytes(rates, agreement_table, make_map, tmp_path):
    one = agreement_table[agreement_table["eval"] == "sandbagging"]
    for name, draw in {
        "rates": lambda: confession_rates(rates),
        "agreement": lambda: agreement(one),
        "map": lambda: probe_map(make_map(layers=2)),
    }.items():
        first, second = save_figure(draw(), tmp_path / "a", name), save_figure(draw(), tmp_path / "b", name)
        for suffix in ("png", "svg"):
            assert first[suffix].read_bytes() == second[suffix].read_bytes()
        assert b"<dc:date>" not in first["svg"].read_bytes()


def test_a_notebook_which_cuts_off_margins_keeps_the_title(rates, agreement_table, make_map):
    for fig in (confession_rates(rates), probe_map(make_map(layers=2)), agreement(agreement_table.iloc[:0])):
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        renderer = canvas.get_renderer()
        title = fig._suptitle.get_window_extent(renderer)
        kept = fig.get_tightbbox(renderer)  # inches; what a notebook's inline figures are cut to
        assert kept.y1 * fig.dpi >= title.y1 - 1 and title.width > 10


@pytest.mark.parametrize("name", ["", "../rates", "a/b", "rates.svg"])
def test_a_name_that_is_no_plain_name_is_refused(rates, tmp_path, name):
    with pytest.raises(ValueError, match="plain file name"):
        save_figure(confession_rates(rates), tmp_path, name)
