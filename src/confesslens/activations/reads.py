"""What is read of one item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from confesslens.activations.activations import Contents
from confesslens.activations.items import Item, Span, content_hash
from confesslens.activations.sites import site_tokens


@dataclass(frozen=True)
class Reads:
    """The span of every site (None where absent), and the spans whose tokens are kept one by one."""

    spans: list[Span | None]
    kept: list[Span]

    @property
    def first(self) -> int:
        """The first position that is read."""
        return min((span[0] for span in [*self.spans, *self.kept] if span is not None), default=2**31)

    def positions(self) -> Int[np.ndarray, " token"]:
        """Positions of the tokens that are kept, each once, in order."""
        return np.unique(np.concatenate([np.arange(0), *(np.arange(start, end) for start, end in self.kept)]))


def reads_of(item: Item, contents: Contents) -> Reads:
    """What is read of an item to capture these contents of it."""
    kept: list[Span] = []
    if contents.token_layers and contents.token_spans is None:
        kept = [(0, len(item.token_ids))]
    elif contents.token_layers and contents.token_spans is not None:
        kept = [(span[0], span[1]) for name in contents.token_spans if (span := item.spans.get(name))]
    return Reads([site_tokens(site, item.spans) for site in contents.sites], kept)


def reads_hash(item: Item, reads: Reads) -> str:
    """Hash of an item's tokens and of what is read of them: what a store knows the item's content by."""
    described: Any = [reads.spans, reads.kept]
    return content_hash(item.token_ids, described)
