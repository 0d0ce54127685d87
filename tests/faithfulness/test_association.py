import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import chi2, f, spearmanr
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests

from confesslens.faithfulness import (
    World,
    association,
    association_tests,
    benjamini_hochberg,
    holm,
    power,
    simulate,
)
from confesslens.faithfulness.association import ALONE as ALONE_NOTE
from confesslens.faithfulness.association_tests import information
from confesslens.faithfulness.clusters import exchanged
from confesslens.faithfulness.firth import firth
from confesslens.faithfulness.table_sentences import other_tests

ALONE = World(evals=3, scenarios=60, rollouts=1, icc=0.0)


@pytest.fixture(scope="module")
def drawn():
    return simulate(ALONE, 2)


def four_tests(table, permutations=199):
    primary = association(table, flips=199)
    return association_tests(table, primary, permutations=permutations).set_index("test")


def test_firth_is_near_maximum_likelihood_in_large_samples_and_finite_under_separation():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(4000), rng.normal(size=4000)])
    y = rng.random(4000) < 1 / (1 + np.exp(-x @ [0.3, 0.8]))
    plain = sm.Logit(y.astype(float), x).fit(disp=False).params
    assert firth(x, y).coefficients == pytest.approx(plain, abs=0.005)
    x, y = np.column_stack([np.ones(20), np.arange(20) - 9.5]), np.arange(20) >= 10
    found = firth(x, y)
    assert found.converged and 0 < found.coefficients[1] < 5


def test_firth_of_one_table_adds_a_half_to_each_cell():
    """With a saturated design the penalty is Jeffreys' prior: half a row in each cell."""
    x = np.column_stack([np.ones(30), np.arange(30) < 12])
    y = np.r_[np.ones(9), np.zeros(3), np.ones(4), np.zeros(14)].astype(bool)
    expected = np.log((9 + 0.5) / (3 + 0.5)) - np.log((4 + 0.5) / (14 + 0.5))
    assert firth(x, y).coefficients[1] == pytest.approx(expected, abs=1e-5)


def test_a_planted_tie_is_found_and_agrees_with_statsmodels(drawn):
    table = simulate(World(evals=3, scenarios=60, rollouts=1, icc=0.0, confess=(0.8, 0.15, 0.05)), 3)
    row = association(table, flips=499).set_index(["subset", "term"]).loc[("bad", "probe")]
    bad = table[table["behaviour"] == "not_complied"]
    std = {c: (v - v.mean()) / v.std(ddof=0) for c, v in {"p": bad["probe"], "t": bad["text_score"]}.items()}
    length = np.log1p(bad["length"])
    design = pd.get_dummies(bad["eval"], dtype=float).assign(
        probe=std["p"],
        cot=bad["cot"].astype(float),
        text=std["t"],
        length=(length - length.mean()) / length.std(ddof=0),
    )
    fit = sm.Logit((bad["claim"] == "not_complied").astype(float), design).fit(disp=False)
    assert np.log(row["odds_ratio"]) == pytest.approx(fit.params["probe"], rel=0.2)  # Firth is closer to 0
    assert 1 < row["low"] < row["odds_ratio"] < row["high"] and row["p"] < 0.01 and row["p_wald"] < 0.01


def test_interval_and_p_are_of_one_test(drawn):
    for row in association(drawn, flips=499).to_dict("records"):
        assert (row["p"] < 0.05) == (not row["low"] <= 1 <= row["high"]) or 0.03 < row["p"] < 0.07


def test_row_order_and_names_change_nothing(drawn):
    one = association(drawn, flips=99, interval=False)
    renamed = drawn.assign(scenario="s" + drawn["scenario"]).sample(frac=1, random_state=0)
    other = association(renamed.sort_index(), flips=99, interval=False)
    pd.testing.assert_frame_equal(one, other)
    mixed = association(renamed, flips=99, interval=False)
    np.testing.assert_allclose(one["odds_ratio"], np.exp(np.log(mixed["odds_ratio"])), equal_nan=True)


def test_separation_and_rare_claims_are_said_and_finite():
    table = simulate(World(evals=2, scenarios=20, rollouts=2), 4)
    bad = table["behaviour"] == "not_complied"
    table["claim"] = np.where(bad & (table["probe"] > table.loc[bad, "probe"].median()), "not_complied", "complied")
    row = association(table, flips=499).set_index(["subset", "term"]).loc[("bad", "probe")]
    assert np.isfinite(row["odds_ratio"]) and row["odds_ratio"] > 3 and row["p"] < 0.01
    assert row["high"] == np.inf and "do not bound" in row["note"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"claim": "complied"}, "all were denied"),
        ({"claim": "not_complied"}, "all were confessed"),
        ({"claim": None}, "no confession to explain"),
        ({"probe": np.nan}, "no rollout has this probe score"),
        ({"behaviour": "complied"}, "no confession to explain"),
        ({"scenario": "one"}, "only 1 scenarios"),
    ],
)
def test_too_little_data_is_a_note_and_no_number(drawn, change, words):
    table = association(drawn.assign(**change), flips=99)
    primary = table[table["subset"] == "bad"]
    assert primary["p"].isna().all() and primary["note"].str.contains(words).all()
    tests = association_tests(drawn.assign(**change), table, permutations=99)
    assert (
        tests.set_index("test").loc["cmh", "note"]
        and tests.set_index("test").loc[["logistic", "cmh"], "p"].isna().all()
    )
    assert len(power(drawn.assign(**change), table)) == 5


def test_empty_tables_have_notes(drawn):
    nothing = association(drawn.iloc[:0])
    assert nothing["note"].str.len().gt(0).all()
    assert association_tests(drawn.iloc[:0], nothing)["p"].isna().all()
    assert power(drawn.iloc[:0], nothing)["detectable"].isna().all()


def test_common_odds_ratio_and_breslow_day_are_statsmodels(drawn):
    bad = drawn[drawn["behaviour"] == "not_complied"]
    tables = [
        pd.crosstab(~own["probe_fires"].astype(bool), own["claim"] != "not_complied").to_numpy()
        for _, own in bad.groupby("eval")
    ]
    known, got = StratifiedTable(tables), four_tests(drawn)
    assert got.loc["cmh", "estimate"] == pytest.approx(known.oddsratio_pooled)
    assert np.log(got.loc["cmh", "high"]) == pytest.approx(np.log(known.oddsratio_pooled_confint()[1]), abs=0.15)
    assert got.loc["cmh", "p"] == pytest.approx(known.test_null_odds().pvalue, abs=0.05)
    assert got.loc["breslow_day", "estimate"] <= known.test_equal_odds(adjust=True).statistic + 1e-9


def test_evenness_with_scenarios_that_hang_together_is_compared_with_f():
    world = World(icc=0.8, rollouts=8)
    rows = [four_tests(simulate(world, seed)).loc["breslow_day"] for seed in range(6)]
    by_f = [f.sf(row["estimate"] / 3, 3, row["scenarios"] - 4) for row in rows]
    alike = [row["p"] == pytest.approx(p) for row, p in zip(rows, by_f, strict=True)]
    assert sum(alike) >= 5  # all in which a design effect is seen
    alone = four_tests(simulate(World(rollouts=1, scenarios=60), 0)).loc["breslow_day"]
    assert alone["p"] == pytest.approx(chi2.sf(alone["estimate"], alone["null"]), abs=0.02)


def test_a_common_odds_ratio_of_few_confessions_has_no_interval():
    for seed in range(20):
        drawn = simulate(World(evals=3, scenarios=8, p_bad=0.2, confess=(0.25, 0.12, 0.05)), seed)
        tests = association_tests(drawn, association(drawn, flips=99), permutations=99)
        row = tests.set_index("test").loc["cmh"]
        if np.isfinite(row["estimate"]):
            break
    assert np.isnan(row["low"]) and np.isnan(row["high"]) and row["p"] > 0
    assert row["note"] == "no interval: under 8 scenarios of one claim"
    said = other_tests(tests)
    assert "common odds ratio of probe and confession without a number (under 8 scenarios of one claim), p = " in said
    assert f"{row['estimate']:.2f}" not in said


def test_information_of_known_counts():
    counts = np.zeros((1, 2, 2))
    counts[0] = [[25, 25], [25, 25]]
    assert information(counts) == pytest.approx(0)
    counts[0] = [[50, 0], [0, 50]]
    assert information(counts) == pytest.approx(1)  # one bit


def test_spearman_without_covariates_is_scipys():
    table = simulate(World(evals=1, scenarios=80, rollouts=1, p_bad=0.9), 5).assign(
        cot=False, text_score=0.0, length=9.0
    )
    bad = table[table["behaviour"] == "not_complied"]
    assert four_tests(table).loc["spearman", "estimate"] == pytest.approx(
        spearmanr(bad["probe"], bad["logit"]).statistic
    )


def test_multiplicity_is_statsmodels():
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.5])
    for ours, method in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        assert ours(p)[~np.isnan(p)] == pytest.approx(multipletests(p[~np.isnan(p)], method=method)[1])
        assert np.isnan(ours(p)[2]) and len(ours([])) == 0


def test_holm_is_over_the_confirmatory_tests(drawn):
    got = four_tests(drawn)
    four = got.loc[["logistic", "cmh", "information", "spearman"]]
    assert four["p_holm"].to_numpy() == pytest.approx(holm(four["p"])) and np.isnan(got.loc["breslow_day", "p_holm"])


def test_more_data_can_show_less(drawn):
    small = power(drawn.iloc[::3], association(drawn.iloc[::3], flips=99)).set_index("question")["detectable"]
    large = power(drawn, association(drawn, flips=99)).set_index("question")["detectable"]
    assert (large.dropna() < small.dropna().reindex(large.dropna().index).fillna(np.inf)).all()
    primary = association(drawn, flips=99).set_index(["subset", "term"]).loc[("bad", "probe")]
    assert large["association"] == pytest.approx(np.exp((1.959964 + 0.841621) * primary["error"]), rel=1e-5)


def test_few_scenarios_carry_no_covariates_and_no_run_ends_in_an_svd():
    """Of this run of three evaluations numpy's least squares gave up: "SVD did not converge"."""
    few = simulate(World(evals=3, scenarios=8, p_bad=0.2, confess=(0.25, 0.25, 0.05)), 1_001_669)
    found = four_tests(few).loc["spearman"]
    assert found["note"] == ALONE_NOTE and 0 < found["p"] <= 1
    assert four_tests(simulate(ALONE, 2)).loc["spearman", "note"] == ""


def test_exchanged_moves_whole_scenarios_among_those_with_as_many_rows():
    cluster = np.array([0, 0, 1, 2, 2, 3, 4, 4, 1, 3, 5])
    place = np.random.default_rng(0).random((200, 6))
    orders = exchanged(cluster, place)
    size = np.bincount(cluster)[cluster]
    for rows in orders:
        assert sorted(rows) == list(range(len(cluster))) and (size[rows] == size).all()
        moved = set(zip(cluster[rows], cluster, strict=True))
        assert len(moved) == 6  # rows of a scenario stay together
    assert (orders[:, 10] == 10).all()  # the only one of its size
    assert len({tuple(rows) for rows in orders}) > 50
