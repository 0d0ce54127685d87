"""Read sites: named sets of token positions where activations are read.

A site is `span.pool`: the span of the transcript, and how its positions become one vector. `request.last` is the last
token before the confession's first, the same token in every rollout. `confession.verdict` is the position whose logits
give the guided verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from jaxtyping import Float

from confesslens.closest import no_such

SITES = (
    "prompt.last",
    "cot.mean",
    "cot.last",
    "answer.first",
    "answer.mean",
    "answer.max",
    "answer.last",
    "request.last",
    "confession.verdict",
)
"""All read sites, in the order of the transcript."""

PRIMARY_SITES = tuple(site for site in SITES if site.startswith(("answer.", "request.")))
"""Sites free of the confession's own words that come after the act."""


def site_tokens(site: str, spans: Mapping[str, Sequence[int]]) -> tuple[int, int] | None:
    """The [start, end) positions that a site reads in a transcript with these spans; None where the span is absent."""
    if site not in SITES:
        raise ValueError(no_such("read site", site, SITES))
    name, pool = site.split(".")
    start, end = spans.get("verdict" if pool == "verdict" else name, (0, 0))
    if start >= end:
        return None
    if pool == "first":
        return start, start + 1
    if pool in ("last", "verdict"):
        return end - 1, end
    return start, end


def pool_site(site: str, states: Float[torch.Tensor, "tokens d_model"]) -> Float[torch.Tensor, " d_model"]:
    """One vector for a site: the element-wise maximum for `.max`, else the mean over its positions."""
    states = states.float()
    return states.amax(0) if site.endswith(".max") else states.mean(0)


def check_sites(sites: Iterable[str]) -> list[str]:
    """The sites as a list; ValueError that names the nearest valid one for an unknown site."""
    chosen = list(sites)
    for site in chosen:
        site_tokens(site, {})
    return chosen
