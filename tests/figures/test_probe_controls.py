import numpy as np
import pandas as pd
import pytest

from confesslens.figures import probe_controls


def table():
    rows = [
        ("probe", 0.8, 0.7, 0.9, np.nan, np.nan, np.nan),
        ("text", 0.7, 0.6, 0.8, 0.1, -0.05, 0.2),
        ("yes_no", np.nan, np.nan, np.nan, np.nan, np.nan, np.nan),
    ]
    columns = ["control", "auroc", "low", "high", "increment", "increment_low", "increment_high"]
    return pd.DataFrame(rows, columns=columns).assign(n=40)


def test_every_control_is_a_row_with_its_numbers():
    left, right = probe_controls(table()).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["probe", "text", "yes_no"]
    assert [text.get_text() for text in left.texts] == ["0.80 [0.70, 0.90]", "0.70 [0.60, 0.80]"]
    assert [text.get_text() for text in right.texts] == ["+0.10 [−0.05, +0.20]"]
    assert any(list(line.get_xdata()) == [-0.05, 0.2] for line in right.lines)


def test_nothing_to_show_is_said():
    assert "Nothing to show" in probe_controls(table().iloc[2:]).axes[0].texts[0].get_text()
    with pytest.raises(ValueError, match="increment"):
        probe_controls(table().drop(columns="increment"))
