"""Read sites: named sets of token positions where activations are read.

A site is `span.pool`: the span of the transcript, and how its positions become one vector. `request.last` is the last
token before the confession's first, the same token in every rollout. `confession.verdict` is the position whose logits
give the guided verdict. Items with spans of their own have sites of their own: with a span `claim`, `claim.mean`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
"""The read sites of a rollout that are captured by default, in the order of the transcript."""

PRIMARY_SITES = tuple(site for site in SITES if site.startswith(("answer.", "request.")))
"""Sites free of the confession's own words that come after the act."""

POOLS = ("first", "last", "mean", "max")
"""How the positions of a span become one vector: one of them, their mean, or their element-wise maximum."""

ROLLOUT_SPANS = ("prompt", "cot", "answer", "request", "verdict")
"""The spans of a rollout."""

_VERDICT = "confession.verdict"


def site_tokens(site: str, spans: Mapping[str, Sequence[int]]) -> tuple[int, int] | None:
    """The [start, end) positions that a site reads in a transcript with these spans; None where the span is absent.

    Raises ValueError for what is not `span.pool`.
    """
    name, _, pool = site.rpartition(".")
    if site == _VERDICT:
        name, pool = "verdict", "last"
    if not name or pool not in POOLS:
        raise ValueError(no_such("read site", site, SITES))
    start, end = spans.get(name, (0, 0))
    if start >= end:
        return None
    if pool == "first":
        return start, start + 1
    if pool == "last":
        return end - 1, end
    return start, end


def check_sites(sites: Iterable[str], spans: Iterable[str] | None = None) -> list[str]:
    """The sites as a list; ValueError that names the nearest valid one for an unknown site.

    Valid are `SITES`, or, given the names of `spans`, every pool of each.
    """
    valid = list(SITES)
    if spans is not None:
        valid = [_VERDICT if name == "verdict" else f"{name}.{pool}" for name in spans for pool in POOLS]
    chosen = list(sites)
    for site in chosen:
        if site not in valid:
            raise ValueError(no_such("read site", site, dict.fromkeys(valid)))
    if twice := sorted({site for site in chosen if chosen.count(site) > 1}):
        raise ValueError(f"read sites {twice} are named twice: name each once")
    return chosen
