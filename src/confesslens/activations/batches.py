"""Batches of like length and beginning, filled up to a budget of padded tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

LEAST_SHARED = 32  # tokens that a batch must share for them to be computed once
_LEAST_GROUP = 8  # items that begin alike for them to be kept from others of their length

Tokens = Int[np.ndarray, " token"]


def plan_batches(sequences: Sequence[Tokens], batch_tokens: int) -> Iterator[list[int]]:
    """Indices in batches, longest first, each at most `batch_tokens` when padded, or one sequence.

    Sequences of one long beginning are kept together, for it to be computed once.
    """
    groups: dict[bytes, list[int]] = {}
    for index, key in enumerate(_beginnings(sequences)):
        groups.setdefault(key, []).append(index)
    for members in groups.values():
        members.sort(key=lambda i: -len(sequences[i]))
        batch: list[int] = []
        for index in members:
            if batch and (len(batch) + 1) * len(sequences[batch[0]]) > batch_tokens:
                yield batch
                batch = []
            batch.append(index)
        yield batch


def shared_tokens(sequences: Sequence[Tokens], first_read: int) -> int:
    """How many first tokens all sequences of a batch share, before any that is read; 0 where it is not worth it."""
    limit = min([len(sequence) - 1 for sequence in sequences] + [first_read])
    differ = np.zeros(limit, bool)
    for sequence in sequences[1:]:
        differ |= sequence[:limit] != sequences[0][:limit]
    shared = int(differ.argmax()) if differ.any() else limit
    return shared if shared >= LEAST_SHARED and len(sequences) > 1 else 0


def _beginnings(sequences: Sequence[Tokens]) -> list[bytes]:
    """For each sequence its longest beginning of 32, 64, 128, ... tokens that enough others have; else nothing."""
    found = [b""] * len(sequences)
    depth, within = LEAST_SHARED, range(len(sequences))
    left: Sequence[int] = within
    while left:
        keys = {i: sequences[i][:depth].tobytes() for i in left if len(sequences[i]) > depth}
        counts = Counter(keys.values())
        left = [i for i, key in keys.items() if counts[key] >= _LEAST_GROUP]
        for i in left:
            found[i] = keys[i]
        depth *= 2
    return found
