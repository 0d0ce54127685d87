"""Many tests at once: Holm for the few that confirm, Benjamini-Hochberg for tables over evaluations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p values [n] that bound the chance of any false rejection (Holm 1979); NaN stays NaN and counts not."""
    values = np.asarray(p, dtype=float)
    out, known = np.full(len(values), np.nan), np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    out[order] = np.minimum(1, np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)))
    return out


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p values [n] that bound the share of false ones among the rejected (1995); NaN as in `holm`."""
    values = np.asarray(p, dtype=float)
    out, known = np.full(len(values), np.nan), ~np.isnan(values)
    if known.any():
        out[known] = false_discovery_control(values[known], method="bh")
    return out
