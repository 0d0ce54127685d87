import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from confesslens.probes import (
    ESTIMATORS,
    LogisticProbe,
    MassMeanProbe,
    TooLittleData,
    auroc,
    contrast_weights,
    fit_probe,
    out_of_fold_scores,
    sweep,
    text_baseline,
)
from confesslens.probes.closed_forms import mass_mean_fold, ridge_fold
from confesslens.probes.cv import scenario_folds
from confesslens.probes.folds import plan_fold, score_fold
from confesslens.probes.solver import row_space

SITES = ["answer.mean", "request.last", "confession.verdict"]


def data(n=120, layers=2, d=40, seed=0, shift=0.0, layer=1, site=0, per_scenario=2):
    """Two evaluations with unlike base rates; optionally a class shift along one direction at one layer and site."""
    rng = np.random.default_rng(seed)
    evals = np.repeat(["a", "b"], n // 2)
    groups = np.array([f"{e}/{i // per_scenario}" for i, e in enumerate(evals)])
    labels = rng.random(n) < np.where(evals == "a", 0.35, 0.65)
    values = rng.normal(size=(n, layers, len(SITES), d)).astype(np.float32)
    direction = np.zeros(d)
    direction[:4] = 0.5
    values[:, layer, site] += shift * labels[:, None] * direction
    return values, np.ones((n, len(SITES)), dtype=bool), labels, groups, evals, range(layers), SITES


def test_finds_a_planted_direction_near_its_theoretical_auroc():
    values, present, labels, groups, evals, layers, sites = data(n=400, d=20, shift=2.0)
    got = sweep(values, present, labels, groups, evals, layers, sites, n_boot=100, shuffles=2)
    theory = norm.cdf(2.0 / np.sqrt(2))
    for estimator, table in got.table.set_index(["layer", "site"]).groupby("estimator"):
        assert table.loc[(1, "answer.mean"), "auroc"] == pytest.approx(theory, abs=0.05), estimator
        assert table["auroc"].drop((1, "answer.mean")).max() < 0.65
    assert {(c.layer, c.site) for c in got.nested.choices} == {(1, "answer.mean")}
    assert got.best()[:2] == (1, "answer.mean")
    assert got.nested.auroc.low < theory < got.nested.auroc.high
    assert (got.nested.fires == (got.nested.score > 0)).all()
    assert np.mean(got.nested.fires == labels) > 0.8
    for estimator in ("logistic", "ridge", "mass_mean"):
        probe = fit_probe(values[:, 1, 0], labels, evals, 0.01, estimator)
        assert probe.direction[:4].sum() / np.linalg.norm(probe.direction) > 1.7  # cosine with the planted one > 0.85
        assert list(probe.classes_) == ["complied", "not_complied"]


def test_noise_is_near_chance_and_so_are_shuffled_labels():
    areas, shuffled = [], []
    for seed in range(6):
        got = sweep(*data(seed=seed, layers=1, layer=0), n_boot=10, jobs=1, seed=seed)
        areas.append(got.nested.auroc.estimate)
        shuffled.append(got.nested.shuffled_auroc)
    assert np.mean(areas) == pytest.approx(0.5, abs=0.07)
    assert np.mean(shuffled) == pytest.approx(0.5, abs=0.07)


def test_a_scenario_fingerprint_does_not_leak():
    # The label is constant in a scenario and the activations only identify the scenario: random folds would score
    # near 1, folds by scenario must not beat chance.
    areas = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(30), 4)
        labels = (rng.permutation(30) < 15)[groups]
        values = rng.normal(size=(30, 1, 1, 50))[groups] + 0.05 * rng.normal(size=(120, 1, 1, 50))
        got = sweep(values, np.ones((120, 1)), labels, groups, np.full(120, "a"), [0], ["answer.mean"], n_boot=10)
        areas.append(got.nested.auroc.estimate)
        leaky = LogisticProbe().fit(values[::2, 0, 0], labels[::2])
        assert auroc(labels[1::2], leaky.decision_function(values[1::2, 0, 0])) > 0.95
    assert np.mean(areas) < 0.6


def test_knowing_the_evaluation_is_not_enough():
    values, present, labels, groups, evals, layers, sites = data(seed=3)
    values[evals == "b"] += 5
    got = sweep(values, present, labels, groups, evals, layers, sites, n_boot=50)
    assert auroc(labels, evals == "b") > 0.6
    assert got.nested.auroc.low < 0.5 < got.nested.auroc.high


def test_primary_sites_leave_out_the_confession():
    args = data(shift=4.0, site=2)
    got = sweep(*args, n_boot=20, permutations=19)
    assert got.p > 0.05 and got.test.p == 0.05  # the planted cell is no primary site
    assert got.primary_sites == SITES[:2]
    assert {c.site for c in got.nested.choices} <= set(SITES[:2])
    assert got.table.sort_values("auroc").iloc[-1]["site"] == "confession.verdict"
    chosen = sweep(*args, n_boot=20, primary_sites=["confession.verdict"])
    assert chosen.nested.auroc.estimate > 0.9
    with pytest.raises(ValueError, match="primary_sites"):
        sweep(*args, primary_sites=["answer.middle"])


def test_held_out_labels_and_values_never_reach_the_choice():
    values, _, labels, groups, evals, *_ = data(n=60)
    rng = np.random.default_rng(9)
    train, test = np.arange(40), np.arange(40, 60)

    def run(x, y):
        plan = plan_fold(y[:, None], groups, evals, (train, test), [0.01, 0.1], 3, 0)
        return score_fold(row_space(x, train), plan, evals)

    x = values[:, 0, 0].astype(float)
    first = run(x, labels)
    flipped, moved = labels.copy(), x.copy()
    flipped[test] = ~flipped[test]
    moved[test] = rng.normal(size=(20, x.shape[1])) * 50
    assert run(x, flipped).scores == pytest.approx(first.scores)
    assert run(moved, labels).inner_auroc == pytest.approx(first.inner_auroc)


def test_out_of_fold_scores_are_those_of_sklearn_up_to_scale():
    values, _, labels, groups, evals, *_ = data(n=80)
    x = values[:, 0, 0].astype(float)
    train, test = np.arange(60), np.arange(60, 80)
    plan = plan_fold(labels[:, None], groups, evals, (train, test), [0.1], 3, 0)
    got = score_fold(row_space(x, train), plan, evals).scores[:, 0, 0]
    scaled = StandardScaler().fit(x[train]).transform(x)
    fit = LogisticRegression(C=0.1, tol=1e-9, max_iter=5000)
    fit.fit(scaled[train], labels[train], contrast_weights(labels[train], evals[train]))
    want = fit.decision_function(scaled[test])
    ratio = got / want
    assert ratio == pytest.approx(np.full(20, ratio[0]), rel=0.02)
    assert ratio[0] > 0


def test_absent_sites_are_left_out_and_text_is_put_beside():
    values, present, labels, groups, evals, layers, sites = data()
    present[:50, 1] = False
    values[:50, :, 1] = np.nan
    present[:-6, 2] = False
    calls = []
    got = sweep(
        *(values, present, labels, groups, evals, layers, sites),
        n_boot=20,
        text_scores=labels.astype(float),
        estimators=["logistic"],
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(i, 6) for i in range(1, 7)]
    table = got.table.set_index(["layer", "site"])
    assert list(got.table.columns[:9]) == ["layer", "site", "n", "n_pos", "auroc", "low", "high", "shuffled", "text"]
    assert table.loc[(0, "request.last"), "n"] == 70
    assert np.isnan(got.scores[:50, 0, 1]).all() and not np.isnan(got.scores[50:, 0, 1]).any()
    assert np.isnan(table.loc[(0, "confession.verdict"), "auroc"])
    assert (table["text"].dropna() == 1.0).all()
    assert {c.site for c in got.nested.choices} == {"answer.mean"}


def test_too_little_data_gives_no_number():
    values, present, labels, groups, evals, layers, sites = data()
    with pytest.raises(TooLittleData, match="no evaluation has both"):
        sweep(values, present, np.zeros(120, dtype=bool), groups, evals, layers, sites)
    few = np.zeros(120, dtype=bool)
    few[[0, 2, 4]] = True
    with pytest.raises(TooLittleData, match="only 3 scenarios"):
        sweep(values, present, few, groups, evals, layers, sites)
    with pytest.raises(ValueError, match="present has shape"):
        sweep(values, present[:, :2], labels, groups, evals, layers, sites)


def test_threads_do_not_change_the_numbers():
    one, two = (sweep(*data(n=60), n_boot=20, jobs=jobs) for jobs in (1, 2))
    assert one.table.equals(two.table)
    assert (one.nested.score == two.nested.score).all()


def test_text_baseline_reads_words_and_length_and_nothing_from_noise():
    rng = np.random.default_rng(0)
    _, _, labels, groups, evals, *_ = data()
    words = np.array(["the", "task", "went", "well", "and", "here", "is", "what", "came", "of", "it", "today"])
    texts = [" ".join(rng.choice(words, 12)) for _ in labels]
    noise = text_baseline(texts, labels, groups, evals)
    assert 0.3 < auroc(labels[:60], noise[:60]) < 0.7
    telling = [t + (" sorry" if y else " done") for t, y in zip(texts, labels, strict=True)]
    assert auroc(labels[:60], text_baseline(telling, labels, groups, evals)[:60]) > 0.95
    longer = [" ".join(["word"] * (40 if y else 10)) for y in labels]
    assert auroc(labels[:60], text_baseline(longer, labels, groups, evals)[:60]) > 0.95
    assert np.isfinite(text_baseline([""] * 120, labels, groups, evals)).all()


def test_ridge_out_of_fold_scores_are_those_of_sklearn_up_to_scale_and_shift():
    values, _, labels, groups, evals, *_ = data(n=80)
    x = values[:, 0, 0].astype(float)
    train, test = np.arange(60), np.arange(60, 80)
    one = np.full(80, 0)
    plan = plan_fold(labels[:, None], groups, one, (train, test), [0.01, 0.1], 3, 0)
    got = ridge_fold(row_space(x, train), plan, one).scores[:, :, 0]
    scaled = StandardScaler().fit(x[train]).transform(x)
    for i, C in enumerate([0.01, 0.1]):
        want = Ridge(alpha=4 / C).fit(scaled[train], labels[train]).predict(scaled[test])
        assert np.corrcoef(got[:, i], want)[0, 1] == pytest.approx(1)
        # Above 0: nearer to the mean score of the bad than of the complied.
        fitted = Ridge(alpha=4 / C).fit(scaled[train], labels[train]).predict(scaled[train])
        middle = (fitted[labels[train]].mean() + fitted[~labels[train]].mean()) / 2
        assert ((got[:, i] > 0) == (want > middle)).all()


def test_mass_mean_in_a_sweep_is_the_estimator():
    values, _, labels, groups, evals, *_ = data(n=80)
    x = values[:, 0, 0].astype(float) * np.geomspace(1, 50, 40)
    train, test = np.arange(60), np.arange(60, 80)
    codes = np.unique(evals, return_inverse=True)[1]
    plan = plan_fold(labels[:, None], groups, codes, (train, test), [0.01, 0.1], 3, 0)
    got = mass_mean_fold(x, plan, codes).scores[:, :, 0]
    probe = MassMeanProbe(class_weight=None).fit(
        x[train], labels[train], sample_weight=contrast_weights(labels[train], codes[train])
    )
    ratio = got[:, 0] / probe.decision_function(x[test])
    assert ratio == pytest.approx(np.full(20, ratio[0])) and ratio[0] > 0
    assert (got[:, 0] == got[:, 1]).all()


@pytest.mark.parametrize("fold", [ridge_fold, mass_mean_fold])
def test_closed_forms_never_see_held_out_rows(fold):
    values, _, labels, groups, evals, *_ = data(n=60)
    codes = np.unique(evals, return_inverse=True)[1]
    train, test = np.arange(40), np.arange(40, 60)

    def run(x, y):
        return fold(x, plan_fold(y[:, None], groups, codes, (train, test), [0.01, 0.1], 3, 0), codes)

    x = values[:, 0, 0].astype(float)
    first, flipped, moved = run(x, labels), labels.copy(), x.copy()
    flipped[test] = ~flipped[test]
    moved[test] *= 50
    assert run(x, flipped).scores == pytest.approx(first.scores)
    assert run(moved, labels).inner_auroc == pytest.approx(first.inner_auroc)


def test_estimators_are_beside_each_other_and_all_may_be_chosen():
    values, present, labels, groups, evals, layers, sites = data(shift=1.5)
    got = sweep(values, present, labels, groups, evals, layers, sites, n_boot=20, permutations=39)
    assert got.table.groupby(["layer", "site"])["estimator"].agg(list).map(tuple).unique().tolist() == [
        ("logistic", "ridge", "mass_mean")
    ]
    assert got.scores.shape == (120, 2, 3, 3) and {c.estimator for c in got.nested.choices} <= set(ESTIMATORS)
    assert got.table.loc[got.table["estimator"] == "mass_mean", "penalty"].isna().all()
    logistic, ridge = (got.table.loc[got.table["estimator"] == e, "p"].to_numpy() for e in ("logistic", "ridge"))
    assert (logistic == ridge).all() and (ridge >= 1 / 40).all()
    assert got.p == 1 / 40
    place = got.best()
    assert fit_probe(values[:, place.layer, 0], labels, evals, place.penalty, place.estimator).direction.shape == (40,)
    with pytest.raises(ValueError, match="did you mean 'logistic'"):
        sweep(values, present, labels, groups, evals, layers, sites, estimators=["logistik"])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_out_of_fold_scores_are_of_rows_not_fitted_and_in_the_units_of_the_probe(estimator):
    values, _, labels, groups, evals, *_ = data(n=200, shift=2.0)
    X = values[:, 1, 0]
    folds = scenario_folds(labels, groups, evals)
    scores = out_of_fold_scores(X, labels, evals, folds, 0.01, estimator)
    train, test = folds[2]
    again = fit_probe(X[train], labels[train], evals[train], 0.01, estimator).decision_function(X[test])
    assert scores[test] == pytest.approx(again)
    whole = fit_probe(X, labels, evals, 0.01, estimator).decision_function(X)
    assert 0.5 < scores.std() / whole.std() < 1.5 and auroc(labels[:100], scores[:100]) > 0.8


def test_without_labels_to_exchange_there_is_no_p():
    values, present, labels, _, evals, layers, sites = data(n=72)
    groups = np.repeat(np.arange(16), [*range(1, 9), *range(1, 9)])  # no two of one size in an evaluation
    got = sweep(values, present, labels, groups, evals, layers, sites, n_boot=10, permutations=19)
    assert np.isnan(got.p) and got.test is None and got.table["p"].isna().all()


def _found(seed, permutations=19):
    """p of the best cell and nested AUROC in noise where rows of a scenario are alike."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(24), 2)
    evals = np.where(groups < 12, "a", "b")
    labels = (rng.permutation(24) < 12)[groups] ^ (rng.random(48) < 0.15)
    values = rng.normal(size=(24, 2, 2, 6))[groups] + 0.3 * rng.normal(size=(48, 2, 2, 6))
    got = sweep(
        *(values, np.ones((48, 2), bool), labels, groups, evals, range(2), SITES[:2]),
        n_boot=100,
        shuffles=0,
        permutations=permutations,
        outer=4,
        jobs=1,
        seed=seed,
    )
    return got.p, got.nested.auroc


def _check_noise(seeds):
    found = [_found(seed) for seed in range(seeds)]
    p = np.array([own for own, _ in found])
    for level in (0.05, 0.2, 0.5):
        assert binomtest(int((p <= level + 1e-9).sum()), seeds, level).pvalue > 0.01
    assert np.mean([area.estimate for _, area in found]) == pytest.approx(0.5, abs=0.03)


@pytest.mark.slow
def test_false_discoveries_of_a_sweep_are_at_the_nominal_rate_over_200_seeds():
    _check_noise(200)


def test_false_discoveries_of_a_sweep_are_at_the_nominal_rate():
    p = np.array([_found(seed)[0] for seed in range(40)])
    assert binomtest(int((p <= 0.05 + 1e-9).sum()), 40, 0.05).pvalue > 0.01
    assert binomtest(int((p <= 0.5 + 1e-9).sum()), 40, 0.5).pvalue > 0.01
