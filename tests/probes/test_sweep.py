import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from confesslens.probes import LogisticProbe, TooLittleData, auroc, contrast_weights, fit_probe, sweep, text_baseline
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
    table = got.table.set_index(["layer", "site"])
    assert table.loc[(1, "answer.mean"), "auroc"] == pytest.approx(theory, abs=0.05)
    assert table["auroc"].drop((1, "answer.mean")).max() < 0.65
    assert {(c.layer, c.site) for c in got.nested.choices} == {(1, "answer.mean")}
    assert got.best()[:2] == (1, "answer.mean")
    assert got.nested.auroc.low < theory < got.nested.auroc.high
    assert (got.nested.fires == (got.nested.score > 0)).all()
    assert np.mean(got.nested.fires == labels) > 0.8
    probe = fit_probe(values[:, 1, 0], labels, evals, got.best()[2])
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
    got = sweep(*args, n_boot=20)
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
