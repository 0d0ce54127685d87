"""The text baseline: what a bag of words sees, on the same folds as the probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from confesslens.probes.cv import require_enough, scenario_folds
from confesslens.probes.folds import plan_fold, score_fold
from confesslens.probes.solver import row_space


def text_baseline(
    texts: Sequence[str],
    labels: ArrayLike,
    groups: ArrayLike,
    evals: ArrayLike,
    penalties: Sequence[float] = (1e-1, 1.0, 1e1, 1e2),
    outer: int = 5,
    inner: int = 3,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Out-of-fold scores of a logistic regression on TF-IDF of words and word pairs, plus the text's length.

    Same outer folds (for the same labels, groups, evals, outer and seed), weights, choice of penalty and scaling of
    scores as `sweep`, so that probe minus text is a fair increment. Vocabulary, scaling and penalty come from the
    training folds.

    Args:
        texts: [n] the text that the read site could see, such as the answer.
        labels: [n] true for the bad act.
        groups: [n] scenarios.
        evals: [n] evaluation names.
        penalties: values of C to choose from.
        outer: most outer folds.
        inner: most inner folds.
        seed: of the folds.

    Returns:
        [n] scores, above 0 for the bad act.

    Raises:
        TooLittleData: as `sweep`.
    """
    texts = [t if isinstance(t, str) else "" for t in texts]
    return _out_of_fold(lambda train: _features(texts, train), labels, groups, evals, penalties, outer, inner, seed)


def feature_baseline(
    features: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    evals: ArrayLike,
    penalties: Sequence[float] = (1e-1, 1.0, 1e1, 1e2),
    outer: int = 5,
    inner: int = 3,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Out-of-fold scores [n] of a logistic regression on a few features [n, d], such as a length, as `text_baseline`.

    Raises:
        TooLittleData: as `sweep`.
    """
    x = np.asarray(features, dtype=np.float64)

    def scaled(train: NDArray[np.intp]) -> NDArray[np.float64]:
        spread = x[train].std(axis=0)
        return (x - x[train].mean(axis=0)) / np.where(spread > 0, spread, 1.0)

    return _out_of_fold(scaled, labels, groups, evals, penalties, outer, inner, seed)


def _out_of_fold(
    features: Callable[[NDArray[np.intp]], NDArray[np.float64]],
    labels: ArrayLike,
    groups: ArrayLike,
    evals: ArrayLike,
    penalties: Sequence[float],
    outer: int,
    inner: int,
    seed: int,
) -> NDArray[np.float64]:
    """[n] scores; `features` gives [n, d] for the indices of the training rows."""
    labels, groups, evals = np.asarray(labels, dtype=bool), np.asarray(groups), np.asarray(evals)
    require_enough(labels, groups, evals)
    scores = np.full(len(labels), np.nan)
    ordered = sorted(float(p) for p in penalties)
    with threadpool_limits(1):
        for train, test in scenario_folds(labels, groups, evals, outer, seed):
            plan = plan_fold(labels[:, None], groups, evals, (train, test), ordered, inner, seed)
            fold = score_fold(row_space(features(train), train, scale=False), plan, evals)
            scores[test] = fold.scores[:, fold.best_penalty()[0], 0]
    return scores


def _features(texts: list[str], train: NDArray[np.intp]) -> NDArray[np.float64]:
    """[n, words + 1]: TF-IDF rows of norm 1 and the standardised log length, weighing as much as a text's words."""
    length = np.log1p([len(t.split()) for t in texts])
    spread = length[train].std()
    column = (length - length[train].mean()) / (spread if spread > 0 else 1.0)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        vectorizer.fit([texts[i] for i in train])
    except ValueError:  # no word in any training text: length alone
        return column[:, None]
    return np.column_stack([vectorizer.transform(texts).toarray(), column])
