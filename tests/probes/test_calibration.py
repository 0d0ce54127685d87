import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from confesslens.probes import (
    TooLittleData,
    brier,
    calibrate,
    calibrated,
    ece,
    ece_if_calibrated,
    reliability,
    scenario_folds,
)


def rows(n=2000, seed=0, slope=1.0, per_scenario=2):
    """Scores whose true log-odds are slope * score."""
    rng = np.random.default_rng(seed)
    evals = np.repeat(["a", "b"], n // 2)
    groups = np.array([f"{e}/{i // per_scenario}" for i, e in enumerate(evals)])
    scores = 2 * rng.normal(size=n)
    return scores, rng.random(n) < expit(slope * scores), groups, evals


def test_platt_finds_the_true_slope():
    scores, labels, _, _ = rows(20000, slope=0.4)
    grid = np.linspace(-4, 4, 9)
    assert calibrate(scores, labels)(grid) == pytest.approx(expit(0.4 * grid), abs=0.02)


def test_isotonic_is_sklearns():
    scores, labels, _, _ = rows(300)
    want = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(scores, labels)
    grid = np.linspace(-9, 9, 50)
    got = calibrate(scores, labels, "isotonic")
    assert got(grid) == pytest.approx(want.predict(grid), abs=1e-6)
    assert (got.method, got.n) == ("isotonic", 300)


def test_few_rows_of_a_class_are_enough_and_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = calibrate([-2.0, -1.0, 0.5, 2.0], [False, False, False, True])([-2.0, 2.0])
    assert 0 < found[0] < found[1] < 1


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_out_of_fold_calibration_mends_overconfident_scores(method):
    scores, labels, groups, evals = rows(slope=0.3)
    scores[5] = np.nan
    raw, mended = expit(scores), calibrated(scores, labels, groups, evals, method)
    assert np.isnan(mended[5]) and np.isfinite(np.delete(mended, 5)).all()
    before, after = (ece(labels, p, groups, evals, n_boot=200) for p in (raw, mended))
    assert after.estimate < before.estimate / 2 and after.high < before.low
    assert brier(labels, mended, groups, evals, 200).high < brier(labels, raw, groups, evals, 200).estimate


def test_a_row_never_calibrates_itself():
    scores, labels, groups, evals = rows(60)
    p = calibrated(scores, labels, groups, evals)
    for train, test in scenario_folds(labels, groups, evals):
        assert p[test] == pytest.approx(calibrate(scores[train], labels[train])(scores[test]))


def test_brier_is_sklearns_in_each_evaluation():
    scores, labels, groups, evals = rows(200)
    p = expit(scores)
    want = np.mean([brier_score_loss(labels[evals == e], p[evals == e]) for e in "ab"])
    got = brier(labels, p, groups, evals)
    assert got.estimate == pytest.approx(want) and got.low < got.estimate < got.high
    assert brier(labels, np.full(200, 0.5), groups, evals).estimate == pytest.approx(0.25)


@given(st.integers(1, 15), st.integers(0, 30), st.integers(0, 1))
@settings(max_examples=40, deadline=None)
def test_ece_is_the_weighed_gap_of_the_reliability_diagram(bins, seed, ties):
    rng = np.random.default_rng(seed)
    p = rng.random(60).round(1 if ties else 9)
    y = rng.random(60) < 0.4
    table = reliability(y, p, np.arange(60), bins)
    want = (table["n"] * (table["predicted"] - table["observed"]).abs()).sum() / 60
    assert ece(y, p, np.arange(60), np.zeros(60), bins, n_boot=2).estimate == pytest.approx(want)
    assert table["n"].sum() == 60 and len(table) <= bins
    if not ties:
        assert table["n"].max() - table["n"].min() <= 1
    assert table["predicted"].is_monotonic_increasing


def test_ece_of_constant_probabilities_is_their_distance_from_the_share():
    y = np.arange(100) % 4 == 0
    got = ece(y, np.full(100, 0.6), np.arange(100), np.zeros(100))
    assert got.estimate == pytest.approx(0.35) and got.low < 0.35 < got.high


def test_the_interval_of_ece_holds_what_it_should():
    # Twice as confident as is right: the true error of 10 bins is that of a very large sample.
    big = rows(200_000, seed=999, slope=0.5)
    truth = ece(big[1], expit(big[0]), big[2], big[3], n_boot=2).estimate
    held = 0
    for seed in range(60):
        scores, labels, groups, evals = rows(600, seed=seed, slope=0.5)
        got = ece(labels, expit(scores), groups, evals, n_boot=200, seed=seed)
        held += got.low <= truth <= got.high
    assert held >= 47  # near 90 % at this size; a percentile interval holds it in two thirds


def test_calibrated_rows_have_the_error_of_calibrated_rows():
    inside = 0
    for seed in range(60):
        scores, labels, groups, evals = rows(300, seed=seed)
        p = expit(scores)
        chance = ece_if_calibrated(p, evals, draws=300, seed=seed)
        inside += chance.low <= ece(labels, p, groups, evals, n_boot=2).estimate <= chance.high
        assert chance.estimate > 0.02  # never 0, however right the probabilities
    assert inside >= 51
    scores, labels, groups, evals = rows(600, slope=0.4)
    assert ece(labels, expit(scores), groups, evals).low > ece_if_calibrated(expit(scores), evals).high


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="method is 'beta'; expected one of platt, isotonic"):
        calibrate([0, 1], [0, 1], "beta")
    with pytest.raises(TooLittleData, match="2 rows of one class"):
        calibrate([0, 1], [1, 1])
    with pytest.raises(ValueError, match="must lie in 0..1"):
        brier([0, 1], [0.5, 1.5], [0, 1], [0, 0])
    with pytest.raises(ValueError, match=r"lengths \[2, 1, 2, 2\]"):
        ece([0, 1], [0.5], [0, 1], [0, 0])
    with pytest.raises(ValueError, match="bins is 0"):
        ece([0, 1], [0.5, 0.5], [0, 1], [0, 0], bins=0)
    assert np.isnan(brier([0], [np.nan], [0], [0]).estimate) and np.isnan(ece([0], [np.nan], [0], [0]).estimate)
