import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from confesslens.probes import TooLittleData, max_statistic, permutation_test, permuted_labels
from confesslens.probes.permutation import _ridge_scores


def grid(seed, scenarios=24, per_scenario=3, layers=2, sites=2, d=6, delta=0.0):
    """Rows of a scenario share most of their activations and, mostly, their label; nothing else goes together."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(scenarios), per_scenario)
    evals = np.where(groups < scenarios // 2, "a", "b")
    lean = rng.permutation(scenarios) < scenarios // 2
    labels = np.where(rng.random(len(groups)) < 0.85, lean[groups], ~lean[groups])
    shape = (layers, sites, d)
    values = rng.normal(size=(scenarios, *shape))[groups] + 0.3 * rng.normal(size=(len(groups), *shape))
    values[:, 1, 0, 0] += delta * labels
    return values, labels, groups, evals


@pytest.mark.parametrize("seeds", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_false_discoveries_are_at_the_nominal_rate(seeds):
    p = np.array([permutation_test(*grid(seed), permutations=39, folds=4, seed=seed).p for seed in range(seeds)])
    # At 39 permutations p <= 0.05 has probability 2 / 40 exactly when labels can be exchanged, p <= 0.2 8 / 40.
    for level in (0.05, 0.2, 0.5):
        assert binomtest(int((p <= level + 1e-9).sum()), seeds, level).pvalue > 0.01


def test_permuting_single_rows_would_find_too_much(monkeypatch):
    # The same data and statistic, labels permuted as if rows were independent: what permuting by scenario prevents.
    from confesslens.probes import permutation

    by_scenario = permutation.permuted_labels
    monkeypatch.setattr(
        permutation, "permuted_labels", lambda y, groups, *rest: by_scenario(y, np.arange(len(y)), *rest)
    )
    p = np.array([permutation_test(*grid(seed), permutations=19, folds=4, seed=seed).p for seed in range(60)])
    assert binomtest(int((p <= 0.05 + 1e-9).sum()), 60, 0.05, alternative="greater").pvalue < 0.001


def test_a_planted_cell_is_found_and_the_others_are_not():
    values, labels, groups, evals = grid(0, scenarios=80, delta=3.0)
    got = permutation_test(values, labels, groups, evals, [4, 9], ["cot.mean", "answer.mean"], permutations=199)
    assert got.best == (9, "cot.mean") and got.p == 1 / 200
    table = got.table.set_index(["layer", "site"])
    assert table.loc[(9, "cot.mean"), "auroc"] > 0.9
    assert (table["p"].drop((9, "cot.mean")) > 0.05).all()
    assert table["chance"].to_numpy() == pytest.approx(np.full(4, 0.5), abs=0.03)
    assert got.null.shape == (199,) and got.permutations == 199


def test_a_search_over_more_cells_costs_evidence():
    rng = np.random.default_rng(0)
    statistics = rng.normal(size=(200, 400))
    statistics[0, 0] = 3.0
    _, alone, _ = max_statistic(statistics[:1])
    _, among, _ = max_statistic(statistics)
    assert alone[0] < 0.02 and among[0] > 0.1


def test_cells_of_other_spread_are_made_comparable():
    rng = np.random.default_rng(0)
    statistics = rng.normal(size=(2, 400)) * [[1.0], [100.0]]
    statistics[0, 0] = 6.0
    z, p, null = max_statistic(np.vstack([statistics, np.full(400, np.nan)]))
    assert p[0] == 1 / 400 and z[0] > 5 and np.isnan([z[2], p[2]]).all() and null.shape == (399,)
    with pytest.raises(TooLittleData, match="no cell"):
        max_statistic(np.full((1, 3), np.nan))


@given(st.lists(st.integers(1, 3), min_size=3, max_size=20), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_scenarios_keep_their_labels_together(sizes, seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    evals, labels = np.array(["a", "b"])[groups % 2], rng.random(len(groups)) < 0.5
    shuffle = rng.permutation(len(groups))  # rows of a scenario need not be neighbours
    groups, evals, labels = groups[shuffle], evals[shuffle], labels[shuffle]
    try:
        out = permuted_labels(labels, groups, evals, 5, seed)
    except TooLittleData:
        return

    def blocks(column, name):
        return sorted(tuple(column[groups == g]) for g in np.unique(groups[evals == name]))

    for column in out.T:
        assert blocks(column, "a") == blocks(labels, "a") and blocks(column, "b") == blocks(labels, "b")


def test_every_arrangement_is_as_likely():
    out = permuted_labels([1, 0, 0, 0, 0, 1], [0, 0, 1, 1, 2, 2], ["a"] * 6, 6000)
    found, counts = np.unique(out.T, axis=0, return_counts=True)
    assert len(found) == 6 and counts == pytest.approx(np.full(6, 1000), abs=130)


def test_labels_that_cannot_be_permuted_are_refused():
    with pytest.raises(TooLittleData, match="no two scenarios of one evaluation and size"):
        permuted_labels([1, 0, 0], [0, 1, 1], ["a"] * 3, 2)
    with pytest.raises(TooLittleData, match="no evaluation has both"):
        permutation_test(np.ones((4, 1, 1, 2)), [1, 1, 0, 0], range(4), ["a", "a", "b", "b"])
    with pytest.raises(ValueError, match=r"values has shape \(4, 1, 1\), expected \(4, 2, 1\)"):
        permutation_test(np.ones((4, 1, 1, 2)), [1, 0] * 2, range(4), ["a"] * 4, layers=[1, 2])


@pytest.mark.parametrize("d", [5, 80])
def test_ridge_scores_are_sklearns_for_every_column(d):
    rng = np.random.default_rng(0)
    x, columns = rng.normal(size=(40, d)) * np.geomspace(10, 0.1, d), rng.random((40, 3)) < 0.5
    train, test = np.arange(30), np.arange(30, 40)
    got = _ridge_scores(x, columns, np.zeros(40, dtype=int), train, test, [7.0, 0.3])
    scaler = StandardScaler().fit(x[train])
    for i, alpha in enumerate([7.0, 0.3]):
        for j in range(3):
            fit = Ridge(alpha=alpha).fit(scaler.transform(x[train]), columns[train, j])
            assert got[:, i, j] == pytest.approx(fit.predict(scaler.transform(x[test])) - columns[train, j].mean())


def test_which_evaluation_a_row_is_of_says_nothing():
    values, labels, groups, evals = grid(3, scenarios=60)
    labels = np.random.default_rng(0).random(60)[groups] < np.where(evals == "a", 0.2, 0.8)
    values[evals == "b"] += 50
    assert permutation_test(values, labels, groups, evals, permutations=99).p > 0.05


def test_absent_sites_are_left_out():
    values, labels, groups, evals = grid(0, scenarios=40, delta=3.0)
    present = np.ones((120, 2), dtype=bool)
    present[::3, 0] = False
    present[3:, 1] = False
    values[::3, :, 0] = np.nan
    got = permutation_test(values, labels, groups, evals, present=present, permutations=49)
    table = got.table.set_index(["layer", "site"])
    assert got.best == (1, "0") and table.loc[(1, "0"), "n"] == 80
    assert table.loc[(0, "1"), ["auroc", "p"]].isna().all()


def test_matched_rows_are_permuted_inside_their_scenario():
    groups, labels = np.repeat(np.arange(30), 2), np.tile([False, True], 30)
    with pytest.raises(TooLittleData, match="permute within"):
        permuted_labels(labels, groups, ["a"] * 60, 3)
    out = permuted_labels(labels, groups, ["a"] * 60, 2000, within=True)
    assert (out.reshape(30, 2, -1).sum(axis=1) == 1).all()
    assert out.mean(axis=1) == pytest.approx(np.full(60, 0.5), abs=0.06)
    with pytest.raises(TooLittleData, match="no scenario has both labels"):
        permuted_labels(np.repeat([False, True], 30), groups, ["a"] * 60, 3, within=True)
    # Matched rows share what they are about; the difference of the two is all that tells them apart.
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        values = 2 * rng.normal(size=(30, 1, 1, 8))[groups] + rng.normal(size=(60, 1, 1, 8))
        p.append(permutation_test(values, labels, groups, ["a"] * 60, permutations=19, seed=seed, within=True).p)
        values[:, 0, 0, 0] += 2.5 * labels
    assert binomtest(int((np.array(p) <= 0.2 + 1e-9).sum()), 60, 0.2).pvalue > 0.01
    assert permutation_test(values, labels, groups, ["a"] * 60, permutations=99, within=True).p == 0.01
