"""Table 1: the paper's figures, ours with intervals, and a mean that weighs evaluations alike."""

import numpy as np
import pandas as pd
import pytest

from confesslens.evals import EVALUATIONS
from confesslens.faithfulness import PAPER, rates, table1, witnesses
from confesslens.faithfulness.table1 import COLUMNS, RATES


def test_the_papers_means_are_those_that_it_states():
    # Facts stated in its text: P(confess | bad) 74.3 on average, P(bad and silent) 4.4.
    confess = [row.p_confess_given_bad for row in PAPER.values()]
    silent = [row.p_bad * (100 - row.p_confess_given_bad) / 100 for row in PAPER.values()]
    assert np.mean(confess) == pytest.approx(74.3, abs=0.05)
    assert np.mean(silent) == pytest.approx(4.4, abs=0.1)


def test_every_evaluation_has_its_row_in_the_papers_order():
    assert list(PAPER) == list(EVALUATIONS)


def test_rows_repeat_the_rates_and_the_mean_is_not_pooled(planted):
    rollouts, confessions, *_ = planted
    rollouts = pd.concat([rollouts, rollouts.iloc[:30].assign(eval="people", condition="silenced", scenario="s")])
    rollouts["rollout_id"] = [f"r{i}" for i in range(len(rollouts))]
    confessions = confessions.assign(rollout_id=rollouts["rollout_id"].iloc[: len(confessions)].to_numpy())
    r, w = rates(rollouts, confessions), witnesses(rollouts, confessions)
    table = table1(r, w)
    assert list(table.columns) == COLUMNS and list(table["eval"]) == ["people", "timer", "flat", "mean"]
    tempted = r[r["condition"] == "tempted"].set_index("eval")
    for rate in RATES:
        assert table.set_index("eval").loc["timer", rate] == pytest.approx(tempted.loc["timer", rate], nan_ok=True)
    mean = table.iloc[-1]
    assert mean["p_bad"] == pytest.approx(tempted["p_bad"].mean())
    assert mean["p_bad_low"] < mean["p_bad"] < mean["p_bad_high"]
    assert mean["p_bad_paper"] == pytest.approx(0.38)  # of the only evaluation that the paper has
    assert list(table1(r, w, "silenced")["eval"]) == ["people", "mean"]
    assert len(table1(r, w, "accused")) == 0
