import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, norm

from confesslens.probes import TooLittleData, operating_points, threshold_at


@given(st.lists(st.integers(-5, 5), min_size=19, max_size=300), st.sampled_from([0.05, 0.1, 0.5]))
@settings(max_examples=60, deadline=None)
def test_no_more_of_the_benign_scores_are_above_than_asked(scores, fpr):
    got = threshold_at(scores, fpr)
    above = int((np.array(scores) > got.value).sum())
    assert (above + 1) / (len(scores) + 1) <= fpr + 1e-9
    assert got.rate.estimate <= fpr + 1e-9 and got.rate.low <= got.rate.estimate <= got.rate.high
    assert got.n == len(scores)


def test_the_realised_rate_is_as_stated():
    rng = np.random.default_rng(0)
    realised = []
    for _ in range(2000):
        got = threshold_at(rng.normal(size=150), 0.05)
        realised.append(norm.sf(got.value))
    realised = np.array(realised)
    assert realised.mean() == pytest.approx(got.rate.estimate, abs=0.001)
    assert np.mean((realised >= got.rate.low) & (realised <= got.rate.high)) == pytest.approx(0.95, abs=0.015)
    # The plain 95 % quantile overshoots: that is why it is not used.
    assert realised.mean() <= 0.05


def test_too_few_benign_scores_are_refused_with_the_number_needed():
    with pytest.raises(TooLittleData, match="98 benign scores cannot set a threshold for 1.0% .* at least 99 needed"):
        threshold_at(np.arange(98), 0.01)
    assert threshold_at(np.arange(99), 0.01).value == 98
    with pytest.raises(ValueError, match="1 of 3 benign scores are NaN"):
        threshold_at([0, np.nan, 1], 0.5)
    with pytest.raises(ValueError, match="fpr is 5; expected a share"):
        threshold_at([0, 1], 5)


def test_shared_scenarios_widen_the_interval_of_the_rate():
    scores = np.random.default_rng(0).normal(size=400)
    alone, shared = threshold_at(scores, 0.05), threshold_at(scores, 0.05, groups=np.arange(400) // 8)
    assert alone.value == shared.value
    assert shared.rate.high - shared.rate.low > 2 * (alone.rate.high - alone.rate.low)
    assert (alone.rate.low, alone.rate.high) == pytest.approx(tuple(beta(20, 381).ppf([0.025, 0.975])))


def rollouts(n=400, shift=2.0, seed=0):
    rng = np.random.default_rng(seed)
    evals = np.repeat(["a", "b"], n // 2)
    labels = rng.random(n) < np.where(evals == "a", 0.2, 0.7)
    groups = np.array([f"{e}/{i // 2}" for i, e in enumerate(evals)])
    return rng.normal(size=n) + shift * labels, labels, groups, evals


def test_recall_and_false_positives_are_those_of_theory():
    scores, labels, groups, evals = rollouts(8000)
    rng = np.random.default_rng(1)
    table = operating_points(
        scores, labels, groups, evals, rng.normal(size=5000), {"fiction": rng.normal(size=3000) + 1}
    )
    at = table.set_index(["fpr", "measure", "set", "eval"])
    for fpr in (0.01, 0.05):
        cut = norm.isf(fpr)
        for name in ("a", "b", "macro"):
            recall = at.loc[(fpr, "recall", "bad", name)]
            assert recall["estimate"] == pytest.approx(norm.sf(cut - 2), abs=0.05)
            assert recall["low"] < recall["estimate"] < recall["high"]
            assert at.loc[(fpr, "false_positives", "honest", name), "estimate"] == pytest.approx(fpr, abs=0.012)
        fiction = at.loc[(fpr, "false_positives", "fiction", "")]
        assert fiction["estimate"] == pytest.approx(norm.sf(cut - 1), abs=0.03) and fiction["n"] == 3000
        assert at.loc[(fpr, "false_positives", "benign", ""), "n"] == 5000
    macro = at.loc[(0.05, "recall", "bad", "macro"), "estimate"]
    assert macro == pytest.approx(np.mean([at.loc[(0.05, "recall", "bad", e), "estimate"] for e in "ab"]))


def test_clusters_widen_the_intervals():
    scores, labels, groups, evals = rollouts()
    benign = np.random.default_rng(1).normal(size=500)
    copies = [np.repeat(a, 5) for a in (scores, labels, groups, evals)]
    one, five = (operating_points(*rows, benign) for rows in ((scores, labels, groups, evals), copies))
    keep = one["set"] != "benign"
    assert one.loc[keep, "estimate"].to_numpy() == pytest.approx(five.loc[keep, "estimate"].to_numpy())
    width = [(t.loc[keep, "high"] - t.loc[keep, "low"]).to_numpy() for t in (one, five)]
    assert (width[1] > 0.7 * width[0]).all()


def test_hard_negatives_may_share_scenarios():
    rows = rollouts()
    benign, hard = np.random.default_rng(1).normal(size=500), np.repeat(np.random.default_rng(2).normal(size=60), 5) + 2
    table = operating_points(*rows, benign, {"alone": hard, "shared": (hard, np.repeat(np.arange(60), 5))}, fprs=[0.05])
    width = (table["high"] - table["low"]).groupby(table["set"]).first()
    assert width["shared"] > 1.8 * width["alone"]
    with pytest.raises(ValueError, match="hard negatives 'x': 300 scores but 3 scenarios"):
        operating_points(*rows, benign, {"x": (hard, [1, 2, 3])})


def test_too_few_benign_scores_give_no_number_for_that_rate():
    scores, labels, groups, evals = rollouts()
    scores[:3] = np.nan
    table = operating_points(scores, labels, groups, evals, np.random.default_rng(0).normal(size=50))
    strict = table[table["fpr"] == 0.01]
    assert len(strict) == 1 and strict["n"].item() == 50 and strict[["threshold", "estimate"]].isna().all(axis=None)
    loose = table[(table["fpr"] == 0.05) & (table["eval"] == "macro")]
    assert loose["n"].sum() == 397 and loose["estimate"].notna().all()
    with pytest.raises(ValueError, match=r"lengths \[400, 400, 400, 2\]"):
        operating_points(scores, labels, groups, ["a", "b"], [0.0])
