import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss

from confesslens.faithfulness import World, calibration, simulate


def test_scores_are_scikit_learns_and_the_diagram_adds_up():
    table = simulate(World(evals=1, scenarios=40), 0)
    rng = np.random.default_rng(0)
    table["confidence"] = rng.uniform(0.5, 1, size=len(table))
    scores, diagram = calibration(table, n_boot=100)
    got = scores.set_index("source")
    bad = table["behaviour"] == "not_complied"
    assert got.loc["logit", "brier"] == pytest.approx(brier_score_loss(bad, expit(table["logit"])))
    right = table["claim"] == table["behaviour"]
    assert got.loc["confidence", "brier"] == pytest.approx(brier_score_loss(right, table["confidence"]))
    assert got.loc["probe", "base"] == pytest.approx(bad.mean() * (1 - bad.mean()))
    assert got.loc["probe, recalibrated", "mean"] == pytest.approx(bad.mean(), abs=0.05)
    own = diagram[diagram["source"] == "probe"]
    assert own["n"].sum() == len(table) and (own["observed"] * own["n"]).sum() == pytest.approx(bad.sum())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"probe": np.nan}, "no rollout has a probe"),
        ({"behaviour": "not_complied"}, "one class"),
        ({"confidence": 80.0}, "outside of 0..1"),
        ({}, "no rollout has a stated confidence"),
    ],
)
def test_too_little_data_is_a_note(change, words):
    scores, _ = calibration(simulate(World(evals=1, scenarios=20), 0).assign(**change), n_boot=50)
    assert scores["note"].str.contains(words).any()
    empty, diagram = calibration(simulate(World(), 0).iloc[:0], n_boot=50)
    assert empty["brier"].isna().all() and len(diagram) == 0
