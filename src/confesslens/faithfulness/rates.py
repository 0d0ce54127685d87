"""How often: bad answers, admissions and confessions, a row an evaluation and condition, with intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.proportion import proportion_confint

from confesslens.faithfulness.witnesses import confession_columns, guided_claims
from confesslens.probes import Interval

_UNKNOWN = Interval(np.nan, np.nan, np.nan)


def wilson(k: float, n: float, level: float = 0.95) -> Interval:
    """Share k / n with its Wilson (1927) interval, or Clopper-Pearson's (1934) at k = 0 and k = n.

    Args:
        k: hits; with an effective sample size it need not be whole.
        n: trials; 0 gives NaN.
        level: of the interval.
    """
    if not 0 <= k <= n:
        raise ValueError(f"wilson needs 0 <= k <= n, got k = {k}, n = {n}")
    if n == 0:
        return _UNKNOWN
    method = "beta" if k in (0, n) else "wilson"
    low, high = proportion_confint(k, n, alpha=1 - level, method=method)
    return Interval(k / n, 0.0 if k == 0 else float(low), 1.0 if k == n else float(high))


def clustered_wilson(hits: ArrayLike, groups: ArrayLike, level: float = 0.95) -> Interval:
    """Share of hits with a Wilson interval at the effective sample size n / deff of rows that share scenarios.

    deff is Kish's design effect (1965, Survey Sampling): the cluster-robust variance of the share over its variance
    under independence, at least 1; n / deff in place of n follows Korn and Graubard (1998). Where every row agrees the
    data cannot show deff, so each scenario counts once.

    Args:
        hits: [n] booleans.
        groups: [n] scenarios.
        level: of the interval.
    """
    hits = np.asarray(hits, dtype=bool)
    n, k = len(hits), int(hits.sum())
    if n == 0:
        return _UNKNOWN
    cluster = np.unique(np.asarray(groups), return_inverse=True)[1]
    n_clusters = int(cluster.max()) + 1
    if k in (0, n):
        return wilson(n_clusters if k else 0, n_clusters, level)
    effective = _effective_size(hits, cluster, n_clusters)
    interval = wilson(k / n * effective, effective, level)
    return Interval(k / n, interval.low, interval.high)


def rates(rollouts: pd.DataFrame, confessions: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rates by evaluation and condition, never pooled over evaluations.

    The confession is the guided one; it confesses when its claim is "not_complied" ("unsure" does not confess, a
    missing claim is left out). p_bad and p_neither are shares of all answers; p_aware_given_bad is over bad answers
    whose knowledge is known; p_free_confess_given_bad over the free confessions of bad answers, where an unparsed one
    does not confess; p_unparsed over all free confessions.

    Args:
        rollouts: the rollouts table.
        confessions: the confessions table, or None.

    Returns:
        columns eval, condition, n, n_bad, n_complied, n_neither, then p_bad, p_confess_given_bad,
        p_confess_given_complied, p_admit_given_bad, p_neither, p_aware_given_bad, p_free_confess_given_bad and
        p_unparsed, each with _low and _high; NaN where the denominator is 0 or there are no confessions.
    """
    confessions = confession_columns(confessions)
    claims = guided_claims(confessions)
    free = confessions[confessions["mode"] == "free"]
    free = free[["rollout_id", "claim"]].merge(rollouts[["rollout_id", "scenario", "behaviour"]], on="rollout_id")
    rows = []
    for (name, condition), part in rollouts.groupby(["eval", "condition"], sort=False):
        mine = free[free["rollout_id"].isin(part["rollout_id"])]
        rows.append({"eval": name, "condition": condition, **_row(part, claims, mine)})
    return pd.DataFrame(rows, columns=["eval", "condition", *_row(rollouts.iloc[:0], claims, free.iloc[:0])])


def _row(part: pd.DataFrame, claims: pd.Series, free: pd.DataFrame) -> dict[str, float]:
    bad, complied, neither = (part["behaviour"] == b for b in ("not_complied", "complied", "neither"))
    claim = part["rollout_id"].map(claims)
    confessed, heard = claim == "not_complied", claim.notna()
    known = part["knowledge"].isin(["aware", "unaware"])
    everyone = pd.Series(True, index=part.index)
    of_bad = free["behaviour"] == "not_complied"
    shares = {
        "p_bad": (part, bad, everyone),
        "p_confess_given_bad": (part, confessed, bad & heard),
        "p_confess_given_complied": (part, confessed, complied & heard),
        "p_admit_given_bad": (part, part["admitted"] == True, bad),  # noqa: E712 - missing values count as false
        "p_neither": (part, neither, everyone),
        "p_aware_given_bad": (part, part["knowledge"] == "aware", bad & known),
        "p_free_confess_given_bad": (free, free["claim"] == "not_complied", of_bad),
        "p_unparsed": (free, free["claim"] == "unparsed", free["claim"].notna()),
    }
    row: dict[str, float] = {
        "n": len(part),
        "n_bad": int(bad.sum()),
        "n_complied": int(complied.sum()),
        "n_neither": int(neither.sum()),
    }
    for name, (table, hits, base) in shares.items():
        interval = clustered_wilson(hits[base].to_numpy(bool), table.loc[base, "scenario"].to_numpy(str))
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row


def _effective_size(hits: NDArray[np.bool_], cluster: NDArray[np.intp], n_clusters: int) -> float:
    if n_clusters == 1:
        return 1.0
    n, p = len(hits), hits.mean()
    sums = np.bincount(cluster, weights=hits - p, minlength=n_clusters)
    robust = n_clusters / (n_clusters - 1) * (sums**2).sum() / n**2
    return float(n / max(1.0, robust / (p * (1 - p) / (n - 1))))
