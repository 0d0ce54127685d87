"""Averages over evaluations: each evaluation counts the same, and rows of a scenario hang together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from confesslens.probes import Interval, proportion


def macro_share(hits: ArrayLike, base: ArrayLike, evals: ArrayLike, groups: ArrayLike, level: float = 0.95) -> Interval:
    """Mean over evaluations of the share of hits among the rows in `base` (see `probes.proportion.macro_share`).

    Args:
        hits: [n] booleans.
        base: [n] booleans, the denominator; evaluations without such rows are left out.
        evals: [n] evaluation names.
        groups: [n] scenarios.
        level: of the interval.
    """
    keep = np.asarray(base, dtype=bool)
    hit, names, clusters = np.asarray(hits, dtype=bool)[keep], np.asarray(evals)[keep], np.asarray(groups)[keep]
    return proportion.macro_share(hit, names, clusters, level)
