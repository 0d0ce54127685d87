"""How much a confession's claim depends on how it is asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from confesslens.probes.bootstrap import Interval, percentile_interval, resample_weights
from confesslens.probes.proportion import clustered_wilson

_PARTED = ("complied", "not_complied")


def wording_dependence(
    rollouts: pd.DataFrame, confessions: pd.DataFrame, reference: str = "three_part", n_boot: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Flips of the guided claim from one request to another, rollout by rollout.

    A rollout flips between two requests when it claims to have complied under one and not to have under the other.

    Args:
        rollouts: the rollouts table.
        confessions: guided confessions of the same rollouts by several requests (`confess(request=[...])`).
        reference: the request that each other one is set against.
        n_boot: draws of scenarios for the change of the logit.
        seed: of the draws.

    Returns:
        a row an evaluation and request: eval, request, n (rollouts asked both ways), p_confess of the request, p_flip
        (share of rollouts whose claim flips against the reference), to_confess and to_deny (the two kinds of flip,
        shares of the same rollouts), each with _low and _high (Wilson at the effective sample size of scenarios), and
        logit_change with its clustered bootstrap interval; the logits of two forms are on scales of their own. The
        request "any" has p_flip: the share of rollouts that do not claim the same under all requests.

    Raises:
        ValueError: no `request` column, or no guided confession by the reference.
    """
    if "request" not in confessions:
        raise ValueError("the confessions do not tell by which request they were asked for: ask with confess(request=)")
    guided = confessions[(confessions["mode"] == "guided") & confessions["claim"].isin(_PARTED)]
    if reference not in set(guided["request"]):
        raise ValueError(f"no guided confession by {reference!r}; there are {sorted(set(guided['request']))}")
    keys = rollouts[["rollout_id", "eval", "scenario"]]
    claims = guided.assign(denies=guided["claim"] == "not_complied")
    wide = claims.pivot_table(index="rollout_id", columns="request", values="denies", aggfunc="first")
    logits = claims.pivot_table(index="rollout_id", columns="request", values="logit", aggfunc="first")
    names = [name for name in dict.fromkeys(guided["request"]) if name != reference]
    rows = []
    for eval_name, part in keys[keys["rollout_id"].isin(wide.index)].groupby("eval", sort=False):
        groups = part["scenario"].to_numpy(str)
        own, logit = wide.loc[part["rollout_id"]], logits.reindex(part["rollout_id"])
        for name in names:
            both = own[[reference, name]].notna().all(axis=1).to_numpy()
            had, has = own[reference][both].to_numpy(bool), own[name][both].to_numpy(bool)
            shift = (logit[name] - logit[reference])[both].to_numpy(float)
            rows.append(
                {"eval": eval_name, "request": name, "n": int(both.sum())}
                | _share("p_confess", has, groups[both])
                | _share("p_flip", had != has, groups[both])
                | _share("to_confess", ~had & has, groups[both])
                | _share("to_deny", had & ~has, groups[both])
                | _spread("logit_change", _mean(shift, groups[both], n_boot, seed))
            )
        whole = own[[reference, *names]].dropna()
        split = whole.nunique(axis=1).to_numpy() > 1
        kept = own[[reference, *names]].notna().all(axis=1).to_numpy()
        rows.append({"eval": eval_name, "request": "any", "n": len(whole)} | _share("p_flip", split, groups[kept]))
    ends = [f"{name}{end}" for name in _VALUES for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["eval", "request", "n", *ends])


_VALUES = ("p_confess", "p_flip", "to_confess", "to_deny", "logit_change")


def _share(name: str, hits: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    return _spread(name, clustered_wilson(hits, groups))


def _spread(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _mean(values: np.ndarray, groups: np.ndarray, n_boot: int, seed: int) -> Interval:
    if not len(values) or np.isnan(values).any():
        return Interval(np.nan, np.nan, np.nan)
    weights = resample_weights(groups, None, n_boot, seed)
    return percentile_interval(float(values.mean()), values @ weights / weights.sum(axis=0))
