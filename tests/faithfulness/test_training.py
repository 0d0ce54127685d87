"""What a training changed: differences with their intervals, and curves, on rows with known answers."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from confesslens.faithfulness import change, training_curves, wilson


def rate(hits, n):
    share = wilson(hits, n)
    row = {"eval": "people", "rate": "p_bad_tempted", "n": n}
    return pd.DataFrame([row | {"share": share.estimate, "low": share.low, "high": share.high}])


@pytest.mark.parametrize(("before", "after"), [((12, 40), (30, 50)), ((5, 20), (5, 20)), ((30, 40), (10, 40))])
def test_the_interval_of_a_difference_is_newcombes(before, after):
    (row,) = change(rate(*before), rate(*after)).to_dict("records")
    low, high = confint_proportions_2indep(*after, *before, method="newcomb", compare="diff")
    assert row["difference"] == pytest.approx(after[0] / after[1] - before[0] / before[1])
    assert (row["low"], row["high"]) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert (row["n_before"], row["n_after"]) == (before[1], after[1])


def test_a_rate_that_is_not_defined_has_no_difference():
    (row,) = change(rate(0, 0), rate(3, 9)).to_dict("records")
    assert np.isnan([row["difference"], row["low"], row["high"]]).all()


def step(number, kind, behaviour, claim="", reward=0.0):
    line = {"step": number, "kind": kind, "rollout_id": f"r{number}{behaviour}{claim}{reward}", "eval": "people"}
    return line | {"behaviour": behaviour, "claim": claim, "reward": reward}


def test_curves_are_shares_of_the_blocks_lines():
    lines = [step(s, "confession", "not_complied", "not_complied" if s > 4 else "complied") for s in range(10)]
    lines += [step(s, "confession", "complied", "complied") for s in range(10)]
    lines += [step(s, "confession", "neither", "complied") for s in range(10)]
    curves = training_curves(pd.DataFrame(lines), blocks=2).set_index(["curve", "step"])
    assert list(curves.loc["p_confess_given_bad", "share"]) == [0, 1]
    assert list(curves.loc["p_confess_given_bad"].index) == [2, 7]
    assert list(curves.loc["confession_accuracy", "share"]) == [0.5, 1]
    assert list(curves.loc["confession_accuracy", "n"]) == [10, 10]
    assert (curves.loc["p_bad", "n"] == 0).all()  # the rollouts are frozen


def test_where_answers_are_trained_the_reward_is_held_against_the_grade():
    graded = [("complied", 0.9), ("complied", 0.2), ("not_complied", 0.8), ("not_complied", 0.4), ("neither", 0.9)]
    lines = [step(0, "answer", behaviour, reward=reward) for behaviour, reward in graded]
    curves = training_curves(pd.DataFrame(lines), blocks=1).set_index("curve")
    assert dict(curves["n"])["answer_accuracy"] == 4
    assert curves.loc["answer_accuracy", "share"] == 0.5
    assert curves.loc["p_bad", "share"] == pytest.approx(2 / 5)
    assert curves.loc["answer_reward", "share"] == pytest.approx(0.64)
