"""The cells over many thresholds of the probe, as they are observed and corrected for the probe's own errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from confesslens.faithfulness.clusters import codes
from confesslens.faithfulness.errors import errors_at, probe_errors
from confesslens.faithfulness.macro import macro_share
from confesslens.faithfulness.witnesses import CELLS, assign_cells
from confesslens.probes import Interval
from confesslens.probes.proportion import clustered_wilson, effective_size, mover_mean, wilson

COLUMNS = [
    *("condition", "eval", "threshold", "cell", "n", "share", "share_low", "share_high"),
    *("corrected", "corrected_low", "corrected_high", "uncut", "note"),
]
OTHER = {"B1P1C1": "B1P0C1", "B1P0C1": "B1P1C1", "B1P1C0": "B1P0C0", "B1P0C0": "B1P1C0"}
NO_ERRORS = "no sensitivity and specificity from organisms at this threshold"
UNKNOWN_J = "not identified: sensitivity and specificity add to 1 or less"


def sweep(
    witnesses: pd.DataFrame,
    errors: Any = None,
    thresholds: Sequence[float] | None = None,
    main: float = 0.0,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Shares of the cells at each threshold, observed and corrected.

    The correction is that of Rogan and Gladen (1978, American Journal of Epidemiology 107), of bad acts that were
    confessed and of those that were denied: knowing = (fires - (1 - specificity) bad) / (sensitivity + specificity -
    1). It holds where the probe's errors do not hang on the confession. For given error rates the interval puts Wilson
    intervals of "fires" and "does not" at the effective sample size together (MOVER, Zou and Donner 2008, with their
    correlation); the error rates are drawn from Jeffreys' posteriors of the organisms' counts (Lang and Reiczigel 2014,
    Preventive Veterinary Medicine 113), and both are joined by simulation. Shares and intervals are cut to what is
    possible (at least 0, at most all bad acts so confessed); `uncut` is the estimate without that.

    Args:
        witnesses: from `witnesses`.
        errors: see `probe_errors`.
        thresholds: default: `main`, those of `errors`, and the deciles of the probe's scores.
        main: the threshold that errors without one are for.
        draws: of the error rates.
        seed: of the draws.
        level: of the intervals.

    Returns:
        columns condition, eval ("macro" last), threshold, cell, n, share, share_low, share_high, corrected,
        corrected_low, corrected_high, uncut, note. Cells of complied answers need no correction. Without error rates,
        or where they do not identify the share, `corrected` is NaN and the note says so.
    """
    table = probe_errors(errors)
    known = witnesses[witnesses["probe"].notna()]
    if thresholds is None:
        own = np.quantile(known["probe"], np.linspace(0.1, 0.9, 9)).tolist() if len(known) else []
        thresholds = sorted({main, *table["threshold"].dropna(), *own})
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=draws)
    drawn = {i: _draw(row, draws, np.random.default_rng([seed, i])) for i, (_, row) in enumerate(table.iterrows())}
    rows = []
    for condition, part in known.groupby("condition", sort=False):
        for threshold in thresholds:
            fires = (part["probe"] > threshold).astype("boolean")
            at = part.assign(cell=assign_cells(part.assign(probe_fires=fires)))
            at = at[at["cell"] != ""]
            of = [
                _Evaluation(name, own, table, drawn, threshold, main, level)
                for name, own in at.groupby("eval", sort=False)
            ]
            for name, parts in [*((each.name, [each]) for each in of), ("macro", of)]:
                for cell in CELLS if parts else ():
                    row = {"condition": condition, "eval": name, "threshold": threshold, "cell": cell}
                    rows.append(row | _observed(cell, parts, level) | _corrected(cell, parts, normal, level))
    return pd.DataFrame(rows, columns=COLUMNS)


class _Errors(NamedTuple):
    """Sensitivity and specificity: as estimated, and [draws] of each."""

    sensitivity: float
    specificity: float
    drawn: NDArray[np.float64]


def _draw(row: pd.Series, draws: int, rng: np.random.Generator) -> _Errors:
    both = []
    for rate in ("sensitivity", "specificity"):
        k, n = row[rate] * row[f"n_{rate}"], row[f"n_{rate}"]
        both.append(rng.beta(k + 0.5, n - k + 0.5, size=draws))
    return _Errors(row["sensitivity"], row["specificity"], np.array(both))


class _Evaluation:
    """The rows of one evaluation at one threshold."""

    def __init__(
        self,
        name: str,
        table: pd.DataFrame,
        errors: pd.DataFrame,
        drawn: dict[int, _Errors],
        threshold: float,
        main: float,
        level: float,
    ) -> None:
        self.name, self.level = name, level
        self.cell, self.groups = table["cell"].to_numpy(str), table["scenario"].to_numpy(str)
        found = errors_at(errors, name, threshold, main)
        self.errors = drawn[int(found.name)] if found is not None else None  # type: ignore[arg-type]

    def share(self, *cells: str) -> Interval:
        return clustered_wilson(np.isin(self.cell, cells), self.groups, self.level)

    def mixture(self, cell: str, u: float, v: float) -> tuple[float, float, float, float]:
        """Shares of the cell and of its other, and how far u own - v other may lie below and above its estimate."""
        own, other = self.cell == cell, self.cell == OTHER[cell]
        values = u * own - v * other
        cluster = codes(self.groups)
        p, q, n = own.mean(), other.mean(), len(values)
        size = effective_size(values, cluster, self.level) if values.std() > 0 else float(cluster.max() + 1)
        a, b = (wilson(share * size, size, self.level) for share in (p, q))
        r = -np.sqrt(p * q / ((1 - p) * (1 - q))) if n and p < 1 and q < 1 else 0.0
        below = _root(u * (p - a.low), v * (b.high - q), r)
        above = _root(u * (a.high - p), v * (q - b.low), r)
        return float(p), float(q), below, above


def _root(x: float, y: float, r: float) -> float:
    return float(np.sqrt(max(0.0, x**2 + y**2 - 2 * r * x * y)))


def _mean(shares: list[Interval]) -> Interval:
    return mover_mean(np.array([[share.estimate, share.low, share.high] for share in shares]))


def _observed(cell: str, parts: list[_Evaluation], level: float) -> dict[str, Any]:
    hits = np.concatenate([part.cell == cell for part in parts])
    groups = np.concatenate([part.groups for part in parts])
    names = np.concatenate([np.full(len(part.cell), part.name) for part in parts])
    share = macro_share(hits, hits | True, names, groups, level)
    return {"n": int(hits.sum()), "share": share.estimate, "share_low": share.low, "share_high": share.high}


def _corrected(cell: str, parts: list[_Evaluation], normal: NDArray, level: float) -> dict[str, Any]:
    nothing: dict[str, Any] = dict.fromkeys(("corrected", "corrected_low", "corrected_high", "uncut"), np.nan)
    if cell not in OTHER:
        share = _observed(cell, parts, level)
        interval = {f"corrected{end}": share[f"share{end}"] for end in ("", "_low", "_high")}
        return interval | {"uncut": share["share"], "note": ""}
    known = [part.errors for part in parts if part.errors is not None]
    if len(known) < len(parts):
        return nothing | {"note": NO_ERRORS}
    if any(each.sensitivity + each.specificity <= 1 for each in known):
        return nothing | {"note": UNKNOWN_J}
    fires = "P1" in cell
    estimates, spread, means = [], np.zeros((2, len(normal))), np.zeros(len(normal))
    unknown = np.zeros(len(normal), dtype=bool)
    for part, each in zip(parts, known, strict=True):
        u = each.specificity if fires else each.sensitivity
        p, q, below, above = part.mixture(cell, u, 1 - u)
        estimates.append((u * p - (1 - u) * q) / (each.sensitivity + each.specificity - 1))
        gain = each.drawn.sum(axis=0) - 1
        unknown |= gain <= 0
        gain = np.where(gain > 0, gain, np.nan)
        right = each.drawn[1 if fires else 0]
        means += (right * p - (1 - right) * q) / gain / len(parts)
        spread += (np.array([below, above])[:, None] / gain / len(parts)) ** 2
    z = norm.ppf((1 + level) / 2)
    drawn = means + normal / z * np.sqrt(np.where(normal < 0, spread[0], spread[1]))
    total = _mean([part.share(cell, OTHER[cell]) for part in parts])
    uncut = float(np.mean(estimates))
    notes = []
    # Where a draw identifies nothing, anything from none to all is possible: it counts at both ends.
    tail = (1 - level) / 2
    low = float(np.quantile(np.where(unknown, -np.inf, drawn), tail, method="lower"))
    high = float(np.quantile(np.where(unknown, np.inf, drawn), 1 - tail, method="higher"))
    if unknown.mean() > tail:
        notes.append("the organisms leave open whether the probe reads anything: the interval is all that is possible")
    corrected = float(np.clip(uncut, 0, total.estimate))
    if corrected != uncut:
        notes.append(f"cut to what is possible from {uncut:.3f}")
    low, high = (float(np.clip(end, 0, total.high)) for end in (low, high))
    return {
        "corrected": corrected,
        "corrected_low": min(low, corrected),
        "corrected_high": max(high, corrected),
        "uncut": uncut,
        "note": "; ".join(notes),
    }
