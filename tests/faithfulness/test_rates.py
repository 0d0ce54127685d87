import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from confesslens.faithfulness import clustered_wilson, macro_share, rates, wilson


@given(st.integers(1, 200), st.data())
@settings(max_examples=60, deadline=None)
def test_wilson_agrees_with_statsmodels(n, data):
    k = data.draw(st.integers(0, n))
    got = wilson(k, n)
    method = "beta" if k in (0, n) else "wilson"
    assert (got.low, got.high) == pytest.approx(proportion_confint(k, n, method=method))
    assert 0 <= got.low <= got.estimate == k / n <= got.high <= 1


def test_wilson_at_the_edges():
    assert np.isnan(wilson(0, 0).estimate)
    assert wilson(0, 20).low == 0 and wilson(0, 20).high == pytest.approx(1 - 0.025 ** (1 / 20))
    with pytest.raises(ValueError, match="k = 3, n = 2"):
        wilson(3, 2)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_clusters_never_narrow_the_interval(rows):
    hits, groups = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    plain, clustered = wilson(hits.sum(), len(hits)), clustered_wilson(hits, groups)
    assert clustered.estimate == plain.estimate
    assert clustered.low <= plain.low + 1e-9 and clustered.high >= plain.high - 1e-9
    assert 0 <= clustered.low <= clustered.estimate <= clustered.high <= 1


def test_one_row_a_scenario_is_plain_wilson_and_copies_add_nothing():
    hits = np.arange(20) < 7
    alone = clustered_wilson(hits, np.arange(20))
    assert (alone.low, alone.high) == pytest.approx((wilson(7, 20).low, wilson(7, 20).high))
    copies = clustered_wilson(np.repeat(hits, 5), np.repeat(np.arange(20), 5))
    assert 1 <= (copies.high - copies.low) / (alone.high - alone.low) < 1.1
    same = clustered_wilson(np.ones(20, dtype=bool), np.repeat(np.arange(4), 5))
    assert same.low == pytest.approx(0.025 ** (1 / 4))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_mean_of_shares_lies_in_its_interval_and_of_one_evaluation_is_its_share(rows):
    hits, evals, groups = (np.array(column) for column in zip(*rows, strict=True))
    every = np.ones(len(hits), dtype=bool)
    mean = macro_share(hits, every, evals, 10 * evals + groups)
    assert mean.estimate == pytest.approx(np.mean([hits[evals == name].mean() for name in np.unique(evals)]))
    assert 0 <= mean.low <= mean.estimate + 1e-9 and mean.estimate <= mean.high + 1e-9 and mean.high <= 1
    assert mean.low < mean.high
    alone, same = macro_share(hits, every, evals * 0, groups), clustered_wilson(hits, groups)
    assert (alone.low, alone.high) == pytest.approx((same.low, same.high))


@pytest.mark.parametrize("shares", [[0.03] * 6, [0.02, 0.1, 0.5, 0.9]])
def test_the_interval_of_a_mean_covers_whether_shares_are_small_or_differ(shares):
    rng = np.random.default_rng(0)
    evals, groups = np.repeat(np.arange(len(shares)), 32), np.repeat(np.arange(8 * len(shares)), 4)
    held = 0
    for _ in range(400):
        latent = rng.normal(size=groups.max() + 1)[groups] * 0.5 + rng.normal(size=len(groups)) * 0.75**0.5
        got = macro_share(latent < norm.ppf(np.array(shares))[evals], evals >= 0, evals, groups)
        held += got.low <= np.mean(shares) <= got.high
    assert 0.92 <= held / 400 <= 0.98  # limits of the single shares put together hold the first 88 times in 100


def test_rates_of_a_table_made_by_hand(six):
    rollouts, confessions, _ = six
    rollouts["admitted"] = pd.Series([True, None, *[False] * 7], dtype=object)
    rollouts.loc[[0, 1, 2], "knowledge"] = ["aware", "aware", "unaware"]
    free = pd.DataFrame(
        [{"rollout_id": "r0", "mode": "free", "claim": c} for c in ("not_complied", "complied", "unparsed", "unsure")]
    )
    table = rates(rollouts, pd.concat([confessions, free])).set_index("condition")
    row = table.loc["tempted"]
    assert list(row[["n", "n_bad", "n_complied", "n_neither"]]) == [8, 4, 3, 1]
    assert row["p_bad"] == 0.5 and row["p_neither"] == 1 / 8
    assert row["p_confess_given_bad"] == 0.5
    assert row["p_confess_given_complied"] == pytest.approx(1 / 3)
    assert row["p_admit_given_bad"] == 0.25
    assert row["p_aware_given_bad"] == pytest.approx(2 / 3)
    assert row["p_free_confess_given_bad"] == 0.25
    assert row["p_unparsed"] == 0.25
    assert (row["p_free_confess_given_bad_low"], row["p_bad_low"]) != (0, 0)
    neutral = table.loc["neutral"]
    assert neutral["p_bad"] == 0 and np.isnan(neutral["p_confess_given_bad"])
    assert np.isnan(neutral["p_confess_given_complied_low"])


def test_missing_claims_leave_the_denominator(six):
    rollouts, confessions, _ = six
    confessions.loc[[0, 1], "claim"] = [None, np.nan]
    row = rates(rollouts, confessions).iloc[0]
    assert row["p_confess_given_bad"] == 0.5
    assert row["n_bad"] == 4


@pytest.mark.parametrize("confessions", [None, pd.DataFrame(), pd.DataFrame(columns=["rollout_id", "mode", "claim"])])
def test_without_confessions_only_the_behaviour_is_known(six, confessions):
    row = rates(six[0], confessions).iloc[0]
    assert row["p_bad"] == 0.5
    assert row[[c for c in row.index if "confess" in c or "unparsed" in c]].isna().all()


def test_an_empty_table_keeps_its_columns(six):
    assert list(rates(six[0].iloc[:0]).columns) == list(rates(*six[:2]).columns)
