"""How far each pair of witnesses agrees inside evaluations: phi, kappa, AC1, g-mean squared, McNemar's test."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from confesslens.faithfulness.clusters import (
    CORRELATION,
    SHARE,
    cluster_sums,
    codes,
    exchanged,
    flip_test,
    jackknife_interval,
)
from confesslens.faithfulness.multiplicity import benjamini_hochberg
from confesslens.probes import Interval
from confesslens.probes.cv import MIN_SCENARIOS

WITNESSES = ("behaviour", "probe", "cot", "confession")
PAIRS = tuple(combinations(WITNESSES, 2))
MEASURES = {"phi": CORRELATION, "kappa": CORRELATION, "ac1": CORRELATION, "g2": SHARE}
"""The measures of agreement, and the scale on which each has its interval."""
MIN_RARER = 5
"""Scenarios that each side of either witness needs for an interval; of eight scenarios or fewer, `MIN_SCENARIOS`. In
simulated draws (besides those of the coverage study) 87 % of the intervals of phi and kappa held the truth with four
scenarios of fifteen on the rarer side, 95 % with five or more, and 94 to 96 % with four of eight."""
COLUMNS = [
    *("condition", "eval", "a", "b", "n", "phi", "phi_low", "phi_high", "note", "phi_p", "phi_q"),
    *(f"{name}{end}" for name in ("kappa", "ac1", "g2") for end in ("", "_low", "_high")),
    *("only_a", "only_b", "mcnemar_p", "mcnemar_q"),
]
_SAYS = {
    "behaviour": ("every answer is bad", "every answer is complied"),
    "probe": ("the probe fires on every rollout", "the probe fires on no rollout"),
    "cot": ("every chain of thought mentions the act", "no chain of thought mentions the act"),
    "confession": ("every confession says not complied", "every confession says complied"),
}


def phi(a: ArrayLike, b: ArrayLike) -> float:
    """Phi (Matthews) coefficient of two yes/no witnesses, -1..1; NaN when one of them never varies.

    Args:
        a: [n] booleans.
        b: [n] booleans.
    """
    a, b = np.asarray(a, dtype=bool), np.asarray(b, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"phi needs two columns of one length, got {a.shape} and {b.shape}")
    return float(measures(_counts(a, b).sum(axis=0))["phi"])


def measures(counts: NDArray) -> dict[str, NDArray[np.float64]]:
    """Measures of agreement of two yes/no witnesses from counts [..., (both, only a, only b, neither)].

    phi: Matthews' coefficient. kappa: Cohen (1960); it falls where a class is rare, so read it beside ac1: Gwet (2008,
    British Journal of Mathematical and Statistical Psychology 61). g2: g-mean squared, recall times specificity of b
    as a monitor of a (arXiv 2512.18311). NaN where undefined.
    """
    both, only_a, only_b, neither = np.moveaxis(np.asarray(counts, dtype=float), -1, 0)
    n = both + only_a + only_b + neither
    n_a, n_b = both + only_a, both + only_b
    scale = np.sqrt(n_a * (n - n_a) * n_b * (n - n_b))
    seen = _divide(both + neither, n)
    chance = _divide(n_a * n_b + (n - n_a) * (n - n_b), n**2)
    rate = _divide(n_a + n_b, 2 * n)
    apart = 2 * rate * (1 - rate)
    return {
        "phi": _divide(n * both - n_a * n_b, scale),
        "kappa": _divide(seen - chance, 1 - chance),
        "ac1": _divide(seen - apart, 1 - apart),
        "g2": _divide(both * neither, n_a * (n - n_a)),
    }


def verdicts(witnesses: pd.DataFrame) -> pd.DataFrame:
    """The four witnesses as nullable booleans, true for "bad"; NA where a witness does not say yes or no."""
    behaviour, claim = witnesses["behaviour"], witnesses["claim"]
    yes_no = ["complied", "not_complied"]
    return pd.DataFrame(
        {
            "behaviour": (behaviour == "not_complied").astype("boolean").where(behaviour.isin(yes_no)),
            "probe": witnesses["probe_fires"].astype("boolean"),
            "cot": witnesses["cot"].astype("boolean"),
            "confession": (claim == "not_complied").astype("boolean").where(claim.isin(yes_no)),
        }
    )


def agreement(
    witnesses: pd.DataFrame, seed: int = 0, pairs: Sequence[tuple[str, str]] = PAIRS, permutations: int = 1999
) -> pd.DataFrame:
    """Agreement of each pair of witnesses in each condition, by evaluation and as the mean over evaluations.

    Intervals are Student's on the jackknife over scenarios (phi, kappa and AC1 on the scale of arctanh, g2 of the arc
    sine of its root). Tests take whole scenarios, so that rollouts of a scenario may hang together: phi_p of no
    association, for which scenarios with as many rollouts exchange what a says (flipped signs, as of the other tests,
    reject in 6.5 % of simulated runs with rare acts); mcnemar_p that b says yes as often as a, by flipping the signs of
    scenarios (McNemar's exact test where every rollout has a scenario of its own, mid-p of Fagerland, Lydersen and
    Laake 2013, BMC Medical Research Methodology 13).

    Args:
        witnesses: from `witnesses`.
        seed: of permutations and flips.
        pairs: of witnesses.
        permutations: how many, for phi_p.

    Returns:
        columns condition, eval ("macro" last), a, b, n (rollouts on which both say yes or no), phi, phi_low, phi_high,
        note, phi_p, phi_q, then kappa, ac1 and g2 with `_low` and `_high`, only_a and only_b (rollouts on which one
        alone says yes), mcnemar_p, mcnemar_q; the `_q` are Benjamini-Hochberg's over the evaluations of a pair and
        condition. Undefined phi is NaN and the note says why; so does the note where there is phi but no interval.
    """
    parts = [
        _in_condition(part, seed, pairs, permutations).assign(condition=condition)
        for condition, part in witnesses.groupby("condition", sort=False)
    ]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True)
    single = table["eval"] != "macro"
    for test in ("phi", "mcnemar"):
        table[f"{test}_q"] = np.nan
        for _, own in table[single].groupby(["condition", "a", "b"]):
            table.loc[own.index, f"{test}_q"] = benjamini_hochberg(own[f"{test}_p"])
    return table[COLUMNS]


def _in_condition(
    witnesses: pd.DataFrame, seed: int, pairs: Sequence[tuple[str, str]], permutations: int
) -> pd.DataFrame:
    said = verdicts(witnesses)
    rng = np.random.default_rng(seed)
    evals, groups = witnesses["eval"].to_numpy(str), witnesses["scenario"].to_numpy(str)
    names = pd.unique(evals)
    rows, macro = [], []
    for a, b in pairs:
        both = (said[a].notna() & said[b].notna()).to_numpy()
        x, y = said[a].fillna(False).to_numpy(bool), said[b].fillna(False).to_numpy(bool)
        parts = []
        for name in names:
            keep = both & (evals == name)
            part = _Pair(x[keep], y[keep], groups[keep], rng, permutations)
            note = "" if part.defined("phi") else _no_spread({a: x[keep], b: y[keep]})
            rows.append({"eval": name, "a": a, "b": b, **_row([part], note, seed)})
            parts.append(part)
        macro.append({"eval": "macro", "a": a, "b": b, **_row(parts, "undefined in every evaluation", seed)})
    table = pd.DataFrame(rows + macro)
    order = {name: i for i, name in enumerate([*names, "macro"])}
    return table.sort_values("eval", key=lambda names: names.map(order), kind="stable", ignore_index=True)


class _Pair:
    """Two witnesses in one evaluation: counts by scenario, measures, and measures without each scenario."""

    def __init__(
        self, a: NDArray[np.bool_], b: NDArray[np.bool_], groups: NDArray, rng: np.random.Generator, permutations: int
    ) -> None:
        counts = cluster_sums(_counts(a, b).astype(float), codes(groups))
        self.n = len(a)
        self.total = counts.sum(axis=0) if len(counts) else np.zeros(4)
        self.measures = measures(self.total)
        self.left_out = measures(self.total - counts)
        self.n_scenarios = len(counts)
        self.off = counts[:, 1] - counts[:, 2]
        yes_no = (counts[:, [0, 0]] + counts[:, [1, 2]], counts[:, [3, 3]] + counts[:, [2, 1]])
        self.rarer = min(int((side > 0).sum(axis=0).min()) for side in yes_no) if len(counts) else 0
        self.both = np.concatenate([[float((a & b).sum())], _both_exchanged(a, b, codes(groups), rng, permutations)])

    def defined(self, name: str) -> bool:
        return not np.isnan(self.measures[name])


def _least(parts: list[_Pair]) -> int:
    """Scenarios that the rarer side needs, on average over these evaluations."""
    few = not parts or np.mean([part.n_scenarios for part in parts]) <= 2 * MIN_SCENARIOS
    return MIN_SCENARIOS if few else MIN_RARER


def _row(parts: list[_Pair], undefined: str, seed: int) -> dict[str, object]:
    row: dict[str, object] = {"n": sum(part.n for part in parts), "note": ""}
    for name, scale in MEASURES.items():
        known = [part for part in parts if part.defined(name)]
        value = float(np.mean([part.measures[name] for part in known])) if known else np.nan
        # Without a scenario of one evaluation, the mean moves by that evaluation's part of it.
        left_out = [value + (part.left_out[name] - part.measures[name]) / len(known) for part in known]
        strata = [np.full(len(part.left_out[name]), i) for i, part in enumerate(known)]
        least = _least(known)
        enough = known and np.mean([part.rarer for part in known]) >= least
        interval = (
            jackknife_interval(value, np.concatenate(left_out), np.concatenate(strata), scale)
            if enough
            else Interval(value, np.nan, np.nan)
        )
        row |= {name: value, f"{name}_low": interval.low, f"{name}_high": interval.high}
        if name == "phi":
            if not known:
                row["note"] = undefined
            elif np.isclose(abs(value), 1.0):
                row |= {"phi_low": np.nan, "phi_high": np.nan}
                row["note"] = "perfect in these rollouts: they cannot show how uncertain that is"
            elif not enough:
                row["note"] = f"no interval, no test: fewer than {least} scenarios on one side of one of the two"
            elif np.isnan(interval.low):
                row["note"] = "no interval: undefined without one of the scenarios"
            row["phi_p"] = _permutation_p(np.sum([part.both for part in known], axis=0)) if enough else np.nan
    total = np.sum([part.total for part in parts], axis=0) if parts else np.zeros(4)
    off = np.concatenate([part.off for part in parts]) if parts else np.zeros(0)
    row |= {"only_a": int(total[1]), "only_b": int(total[2])}
    row["mcnemar_p"] = flip_test(off, seed=seed) if np.any(off) else (1.0 if row["n"] else np.nan)
    return row


def _both_exchanged(
    a: NDArray, b: NDArray, cluster: NDArray[np.intp], rng: np.random.Generator, permutations: int
) -> NDArray[np.float64]:
    """[permutations] on how many rows both say yes, where scenarios have exchanged what `a` says."""
    if not len(a):
        return np.zeros(permutations)
    step = max(1, 2**22 // len(a))  # so many at a time: of many rows they take much memory
    place = rng.random((permutations, int(cluster.max()) + 1))
    some = (exchanged(cluster, place[start : start + step]) for start in range(0, permutations, step))
    return np.concatenate([(a[rows] & b).sum(axis=1).astype(float) for rows in some])


def _permutation_p(values: NDArray[np.float64]) -> float:
    """Two-sided mid-p of the first of `values` among the others; NaN where they never vary."""
    off = np.abs(values - values[1:].mean())
    if values[1:].std() < 1e-12:
        return float("nan")
    above, level = (off[1:] > off[0] + 1e-9).sum(), (np.abs(off[1:] - off[0]) <= 1e-9).sum()
    return float((1 + above + level / 2) / len(values))


def _no_spread(said: dict[str, NDArray[np.bool_]]) -> str:
    if not len(next(iter(said.values()))):
        return "no rollout on which both say yes or no"
    flat = [_SAYS[name][0 if x.all() else 1] for name, x in said.items() if x.all() or not x.any()]
    return "no spread: " + "; ".join(flat)


def _counts(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[n, (both, only a, only b, neither)]."""
    return np.column_stack([a & b, a & ~b, ~a & b, ~a & ~b])


def _divide(x: NDArray, y: NDArray) -> NDArray[np.float64]:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return np.divide(x, y, out=np.full(np.broadcast_shapes(x.shape, y.shape), np.nan), where=y > 1e-12)
