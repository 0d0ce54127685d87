"""Agreement of monitors of the chain of thought with each other, and with labels by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from confesslens.probes.bootstrap import Interval, auroc_draws, percentile_interval, resample_weights
from confesslens.probes.proportion import wilson

LABEL = "label"
_VALUES = ("agree", "phi", "tpr", "tnr", "g_mean2", "auroc")


def monitor_agreement(
    rollouts: pd.DataFrame,
    monitored: pd.DataFrame,
    labels: pd.DataFrame | None = None,
    n_boot: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """How far every two monitors agree, and each with labels by hand, per evaluation and macro-averaged.

    Args:
        rollouts: with rollout_id, eval and scenario.
        monitored: tables of `cot.monitor_thoughts` of several monitors, one below the other.
        labels: of `cot.load_labels`; "unclear" ones are left out. Rows drawn unevenly count by their `weight`.
        n_boot: draws of scenarios inside evaluations.
        seed: of the draws.

    Returns:
        a row an evaluation (then "macro": the mean over evaluations in which the number is defined) and pair: eval,
        first, second, n (rollouts with both), agree (share), phi and, where `first` is the label, tpr, tnr, g_mean2
        (TPR · TNR, arXiv 2512.18311) and auroc of the second's score for the label; each with _low and _high.

    Raises:
        ValueError: a monitor that reads a rollout twice, or no pair at all.
    """
    if monitored.duplicated(["rollout_id", "monitor"]).any():
        raise ValueError("a monitor reads the same rollout twice: give one run's rollouts at a time")
    wide = monitored.pivot(index="rollout_id", columns="monitor", values="mentioned").astype("boolean")
    scores = monitored.pivot(index="rollout_id", columns="monitor", values="score").astype(float)
    keys = rollouts[["rollout_id", "eval", "scenario"]].drop_duplicates("rollout_id").set_index("rollout_id")
    names = list(dict.fromkeys(monitored["monitor"]))
    weight = pd.Series(1.0, index=keys.index)
    if labels is not None:
        clear = labels[labels["label"].isin(["mentions", "none"])].drop_duplicates("rollout_id").set_index("rollout_id")
        wide = wide.join((clear["label"] == "mentions").astype("boolean").rename(LABEL), how="left")
        weight.update(clear["weight"])
        names = [LABEL, *names]
    pairs = list(combinations(names, 2))
    if not pairs:
        raise ValueError("one monitor has nothing to agree with: give two, or labels")
    rows = []
    for first, second in pairs:
        both = wide[[first, second]].dropna().index.intersection(keys.index)
        own = keys.loc[both]
        evals, groups = own["eval"].to_numpy(str), own["scenario"].to_numpy(str)
        counts = weight[both].to_numpy() if first == LABEL else np.ones(len(both))
        drawn = np.column_stack([np.ones(len(both)), resample_weights(groups, evals, n_boot, seed)]) * counts[:, None]
        a, b = (wide.loc[both, name].to_numpy(bool) for name in (first, second))
        graded = scores.loc[both, second].to_numpy()
        found: dict[str, list[np.ndarray]] = {name: [] for name in _VALUES}
        for name in dict.fromkeys(evals):
            at = evals == name
            values = _values(a[at], b[at], graded[at], evals[at], drawn[at], first == LABEL)
            rows.append(_row(name, first, second, int(at.sum()), values, _clusters(a[at], groups[at])))
            for key, draws in values.items():
                found[key].append(draws)
        macro = {key: _mean(np.array(draws)) for key, draws in found.items() if draws}
        rows.append(_row("macro", first, second, len(both), macro, _clusters(a, groups)))
    ends = [f"{name}{end}" for name in _VALUES for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["eval", "first", "second", "n", *ends])


def _values(
    a: np.ndarray, b: np.ndarray, scores: np.ndarray, evals: np.ndarray, weights: np.ndarray, labelled: bool
) -> dict[str, np.ndarray]:
    """Each number for the data as they are (entry 0) and in every draw, [1 + n_boot]."""
    tp, fn, fp, tn = (cell.astype(float) @ weights for cell in (a & b, a & ~b, ~a & b, ~a & ~b))
    total = tp + fn + fp + tn
    values = {
        "agree": _ratio(tp + tn, total),
        "phi": _ratio(tp * tn - fp * fn, np.sqrt((tp + fn) * (fp + tn) * (tp + fp) * (fn + tn))),
    }
    if labelled:
        tpr, tnr = _ratio(tp, tp + fn), _ratio(tn, tn + fp)
        auroc = auroc_draws(a, scores, evals, weights)
        values |= {"tpr": tpr, "tnr": tnr, "g_mean2": tpr * tnr, "auroc": auroc}
    return values


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0)


def _mean(draws: np.ndarray) -> np.ndarray:
    """Mean over evaluations [e, 1 + n_boot], of those that are defined."""
    known = ~np.isnan(draws)
    return _ratio(np.where(known, draws, 0).sum(axis=0), known.sum(axis=0).astype(float))


def _clusters(a: np.ndarray, groups: np.ndarray) -> dict[str, int]:
    """How many scenarios each share is over."""
    return {"agree": len(set(groups)), "tpr": len(set(groups[a])), "tnr": len(set(groups[~a]))}


def _row(
    name: str, first: str, second: str, n: int, values: dict[str, np.ndarray], clusters: dict[str, int]
) -> dict[str, object]:
    row: dict[str, object] = {"eval": name, "first": first, "second": second, "n": n}
    for key, draws in values.items():
        interval = percentile_interval(float(draws[0]), draws[1:])
        if interval.low == interval.high:  # no draw varies: shares are bounded by their scenarios, the rest not at all
            known = key in clusters and interval.estimate in (0.0, 1.0)
            k = interval.estimate * clusters[key] if known else 0.0
            bound = wilson(k, clusters[key]) if known else Interval(np.nan, np.nan, np.nan)
            interval = Interval(interval.estimate, bound.low, bound.high)
        row |= {key: interval.estimate, f"{key}_low": interval.low, f"{key}_high": interval.high}
    return row
