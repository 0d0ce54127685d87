"""Operating points: a threshold set on unrelated benign data, and what it catches and falsely fires on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

from confesslens.probes.bootstrap import Interval
from confesslens.probes.cv import TooLittleData
from confesslens.probes.proportion import clustered_wilson, macro_share

MACRO = "macro"


@dataclass(frozen=True)
class Threshold:
    """A threshold for a false-positive rate: the probe fires where a score is above `value`.

    Attributes:
        fpr: the rate asked for.
        value: the threshold, in units of the scores.
        n: benign scores that set it.
        rate: the rate on new benign data: expected, with the interval in which a threshold from n scores leaves it.
    """

    fpr: float
    value: float
    n: int
    rate: Interval


def threshold_at(benign: ArrayLike, fpr: float, groups: ArrayLike | None = None, level: float = 0.95) -> Threshold:
    """The threshold that at most a share `fpr` of new benign scores exceeds, on average over benign samples.

    It is the ceil((n + 1) (1 - fpr))-th smallest of n benign scores: split conformal prediction (Vovk, Gammerman and
    Shafer 2005; Angelopoulos and Bates, arXiv 2107.07511, equation 1). The plain quantile is too low in small samples.
    With k of the n scores above it, the rate on new data from the same source is Beta(k + 1, n - k) distributed over
    benign samples (the law of order statistics), which `rate` shows: at 1 % from 100 scores it may well be 3 %. Tied
    scores make the rate lower still.

    Args:
        benign: [n] scores of benign rollouts that have nothing to do with the evaluations.
        fpr: share of false positives, such as 0.01.
        groups: [n] scenarios of the benign rollouts; the interval then counts scenarios in place of rows.
        level: of the interval.

    Raises:
        TooLittleData: fewer than 1 / fpr - 1 scores: no threshold can promise the rate.
        ValueError: NaN scores, or fpr outside of 0..1.
    """
    scores = np.sort(np.asarray(benign, dtype=float))
    if not 0 < fpr < 1:
        raise ValueError(f"fpr is {fpr}; expected a share between 0 and 1, such as 0.01")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {len(scores)} benign scores are NaN: leave them out")
    n = len(scores)
    above = math.floor(fpr * (n + 1) + 1e-9) - 1
    if above < 0:
        need = math.ceil(1 / fpr - 1e-9) - 1
        raise TooLittleData(
            f"{n} benign scores cannot set a threshold for {fpr:.1%} false positives: at least {need} needed"
        )
    size = n if groups is None else len(np.unique(np.asarray(groups)))
    law = beta((above + 1) * size / n, (n - above) * size / n)
    low, high = law.ppf([(1 - level) / 2, (1 + level) / 2])
    return Threshold(fpr, float(scores[n - above - 1]), n, Interval((above + 1) / (n + 1), float(low), float(high)))


def operating_points(
    scores: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    evals: ArrayLike,
    benign: ArrayLike,
    hard_negatives: Mapping[str, ArrayLike | tuple[ArrayLike, ArrayLike]] | None = None,
    fprs: Sequence[float] = (0.01, 0.05),
    benign_groups: ArrayLike | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Recall and realised false-positive rates at thresholds that benign data set.

    Intervals are clustered by scenario: Wilson's at the effective sample size in one evaluation or set, and those put
    together for the mean over evaluations. They hold for the threshold as it is; how far it may be off is the row of
    `benign`.

    Args:
        scores: [n] out-of-fold scores of the rollouts; rows with NaN are left out.
        labels: [n] true for the bad act.
        groups: [n] scenarios.
        evals: [n] evaluation names.
        benign: [m] scores of unrelated benign rollouts.
        hard_negatives: name of a set -> its scores, or (scores, scenarios).
        fprs: false-positive rates to set thresholds for.
        benign_groups: [m] scenarios of the benign rollouts.
        level: of the intervals.

    Returns:
        One row a rate, set and evaluation: fpr, threshold, measure ("recall" or "false_positives"), set ("bad",
        "honest", "benign" or the name of a hard-negative set), eval (a name, "macro" for the mean over evaluations, ""
        outside of them), n, estimate, low, high. Where benign scores are too few for a rate, its row of `benign` has n
        and NaN, and there are no others.

    Raises:
        ValueError: lengths that do not fit together, or fpr outside of 0..1.
    """
    score, label = np.asarray(scores, dtype=float), np.asarray(labels, dtype=bool)
    group, name = np.asarray(groups), np.asarray(evals).astype(str)
    if len({len(a) for a in (score, label, group, name)}) > 1:
        lengths = [len(a) for a in (score, label, group, name)]
        raise ValueError(f"scores, labels, groups and evals need one entry a row each, got lengths {lengths}")
    known = ~np.isnan(score)
    score, label, group, name = score[known], label[known], group[known], name[known]
    rows: list[dict[str, object]] = []
    for fpr in fprs:
        try:
            threshold = threshold_at(benign, fpr, benign_groups, level)
        except TooLittleData:
            unknown = Interval(np.nan, np.nan, np.nan)
            rows.append(_row(fpr, np.nan, "false_positives", "benign", "", len(np.asarray(benign)), unknown))
            continue
        at = (fpr, threshold.value)
        rows.append(_row(*at, "false_positives", "benign", "", threshold.n, threshold.rate))
        for measure, which, inside in (("recall", "bad", label), ("false_positives", "honest", ~label)):
            hits, names, clusters = score[inside] > threshold.value, name[inside], group[inside]
            for each in np.unique(names):
                of = names == each
                share = clustered_wilson(hits[of], clusters[of], level)
                rows.append(_row(*at, measure, which, str(each), int(of.sum()), share))
            mean = macro_share(hits, names, clusters, level)
            rows.append(_row(*at, measure, which, MACRO, int(inside.sum()), mean))
        for which, given in (hard_negatives or {}).items():
            negatives, clusters = _with_groups(which, given)
            share = clustered_wilson(negatives > threshold.value, clusters, level)
            rows.append(_row(*at, "false_positives", which, "", len(negatives), share))
    return pd.DataFrame(rows)


def _with_groups(name: str, given: ArrayLike | tuple[ArrayLike, ArrayLike]) -> tuple[NDArray[np.float64], NDArray]:
    if isinstance(given, tuple) and len(given) == 2 and np.ndim(given[0]) == 1:
        scores, groups = np.asarray(given[0], dtype=float), np.asarray(given[1])
    else:
        scores = np.asarray(given, dtype=float)
        groups = np.arange(len(scores))
    if len(scores) != len(groups):
        raise ValueError(f"hard negatives {name!r}: {len(scores)} scores but {len(groups)} scenarios")
    known = ~np.isnan(scores)
    return scores[known], groups[known]


def _row(
    fpr: float, threshold: float, measure: str, which: str, name: str, n: int, share: Interval
) -> dict[str, object]:
    place = {"fpr": fpr, "threshold": threshold, "measure": measure, "set": which, "eval": name, "n": n}
    return place | {"estimate": share.estimate, "low": share.low, "high": share.high}
