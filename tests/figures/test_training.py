"""The figure of a confession training draws the curves that are defined, each with its band."""

import pandas as pd

from confesslens.faithfulness import training_curves
from confesslens.figures import training


def steps():
    rows = []
    for number in range(20):
        for kind, behaviour, claim in (
            ("confession", "not_complied", "not_complied" if number > 9 else "complied"),
            ("confession", "complied", "complied"),
        ):
            rows.append((number, kind, f"r{number}", "people", behaviour, claim, 1.0))
    return pd.DataFrame(rows, columns=["step", "kind", "rollout_id", "eval", "behaviour", "claim", "reward"])


def test_defined_curves_are_drawn_with_their_bands():
    curves = training_curves(steps(), blocks=4)
    (ax,) = training(curves).axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert drawn == {
        "P(confess | bad)": [0, 0, 1, 1],
        "P(confess | complied)": [0, 0, 0, 0],
        "confessions that are true": [0.5, 0.5, 1, 1],
    }
    assert len(ax.collections) == 3


def test_without_steps_the_figure_says_so():
    (ax,) = training(pd.DataFrame()).axes
    assert "no step" in ax.texts[0].get_text()
