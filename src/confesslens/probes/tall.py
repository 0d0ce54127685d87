"""Features of too many rows to be copied: centred, scaled and multiplied in blocks of rows.

The functions take plain arrays too, for which each is the one line of numpy that it says; so fits are written once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LARGE = 2**25
"""Numbers in an array (128 MB as float32) from which on it is not copied, if it has twice as many rows as columns."""

BLOCK = 2**23
"""Numbers in a block of rows (32 MB)."""


@dataclass(frozen=True)
class TallRows:
    """Rows of an array that stays as it is, centred and scaled as they are multiplied.

    Products are made in float32, a block of rows at a time, and added up in float64. `x[rows]`, `x @ b`, `len(x)` and
    `x.shape` are those of an array.

    Attributes:
        values: [n, d] the array, shared and never changed.
        rows: [m] which of its rows these are.
        centres: [c, d] what is taken off them.
        code: [m] which centre each row has.
        scale: [d] what they are divided by.
        kept: what was worked out of these values once; rows taken of them share it.
    """

    values: NDArray
    rows: NDArray[np.intp]
    centres: Array
    code: NDArray[np.intp]
    scale: Array
    kept: dict[str, NDArray] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, values: NDArray) -> TallRows:
        """All rows as they are."""
        n, d = values.shape
        return cls(values, np.arange(n), np.zeros((1, d)), np.zeros(n, dtype=np.intp), np.ones(d))

    @property
    def shape(self) -> tuple[int, int]:
        """(m, d)."""
        return len(self.rows), self.values.shape[1]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: NDArray | slice) -> TallRows:
        return replace(self, rows=self.rows[rows], code=self.code[rows])

    def __matmul__(self, right: Array) -> Array:
        out = np.empty((len(self), right.shape[1]))
        narrow = (right / self.scale[:, None]).astype(np.float32)
        for where, block in self.blocks():
            out[where] = block @ narrow
        return out

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Where each block of rows begins and ends, and the block [rows, d], centred and not scaled."""
        centres = self.centres.astype(np.float32)
        step = max(1, BLOCK // self.shape[1])
        for start in range(0, len(self), step):
            where = slice(start, start + step)
            block = np.asarray(self.values[self.rows[where]], dtype=np.float32)
            block -= centres[self.code[where]] if len(centres) > 1 else centres
            yield where, block


Features: TypeAlias = NDArray | TallRows


def features(values: NDArray, present: NDArray | None = None) -> Features:
    """The values [n, d] as float64, 0 in rows that are not present [n], or as `TallRows` where they are `LARGE`."""
    n, d = values.shape
    if values.size > LARGE and n >= 2 * d:
        return TallRows.of(values)
    wide = np.asarray(values, dtype=np.float64)
    return wide if present is None else np.where(present[:, None], wide, 0.0)


def transposed_times(x: Features, y: NDArray) -> Array:
    """[d, k] x' y."""
    if not isinstance(x, TallRows):
        return np.asarray(x.T @ y, dtype=np.float64)
    out = np.zeros((x.shape[1], y.shape[1]))
    for where, block in x.blocks():
        out += block.T @ y[where].astype(np.float32)
    return out / x.scale[:, None]


def gram(x: Features) -> Array:
    """[d, d] x' x."""
    if not isinstance(x, TallRows):
        return np.asarray(x.T @ x, dtype=np.float64)
    out = np.zeros((x.shape[1], x.shape[1]))
    for _, block in x.blocks():
        out += block.T @ block
    return out / x.scale[:, None] / x.scale


def covariance(x: TallRows) -> NDArray[np.float32]:
    """[d, d] mean of x' x, of the first of these values' rows that were asked for it: about right for the others, such
    as another fold's, and too dear to work out for each."""
    if "covariance" not in x.kept:
        x.kept["covariance"] = (gram(x) / len(x)).astype(np.float32)
    return x.kept["covariance"]


def means_of(x: Features, code: NDArray) -> Array:
    """[c, d] mean of the rows of each code; 0 where a code has none."""
    out = np.zeros((code.max() + 1, x.shape[1]))
    if isinstance(x, TallRows):
        for where, block in x.blocks():
            for each in np.unique(code[where]):
                out[each] += block[code[where] == each].sum(axis=0, dtype=np.float64)
        return out / np.maximum(np.bincount(code, minlength=len(out)), 1)[:, None] / x.scale
    for each in np.unique(code):
        out[each] = x[code == each].mean(axis=0)
    return out


def less(x: Features, means: Array, code: NDArray) -> Features:
    """x - means[code]."""
    if not isinstance(x, TallRows):
        return np.asarray(x - means[code])
    if len(x.centres) > 1:
        raise ValueError("these rows have centres of their own: take rows that are not centred by a code")
    return replace(x, centres=x.centres + x.scale * means, code=code)


def over(x: Features, spread: Array) -> Features:
    """x / spread."""
    return replace(x, scale=x.scale * spread) if isinstance(x, TallRows) else np.asarray(x / spread)


def spread_of(x: Features) -> Array:
    """[d] standard deviation of each centred feature; 1 where it never varies."""
    if isinstance(x, TallRows):
        total, squares = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        for _, block in x.blocks():
            total += block.sum(axis=0, dtype=np.float64)
            squares += np.square(block, out=block).sum(axis=0, dtype=np.float64)
        sd = np.sqrt(np.maximum(squares / len(x) - (total / len(x)) ** 2, 0.0)) / x.scale
        least = 1e-6 * np.abs(x.centres).max(axis=0) / x.scale  # what float32 leaves of a feature that never varies
    else:
        sd, least = x.std(axis=0), 0.0
    return np.where(sd > least, sd, 1.0)


def standardised(x: Features, train: NDArray) -> Features:
    """All rows, less the mean of the training rows and over their spread."""
    none = np.zeros(len(x), dtype=np.intp)
    centred = less(x, means_of(x[train], none[train]), none)
    return over(centred, spread_of(centred[train]))
