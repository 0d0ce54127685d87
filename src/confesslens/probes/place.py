"""Where a probe may read: its own model, layer, stream and site, as its card has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STREAM = "resid_post"


@dataclass(frozen=True)
class ReadPlace:
    """The activations that a probe was fitted to."""

    layer: int
    site: str
    stream: str = STREAM

    def __str__(self) -> str:
        return f"{self.site} of blocks.{self.layer}.hook_{self.stream}"

    def missing_of(self, acts: Any) -> str:
        """What activations lack of this place, in words; empty when they have it."""
        for what, mine, theirs in (
            ("layers", self.layer, acts.layers),
            ("sites", self.site, acts.sites),
            ("streams", self.stream, acts.streams),
        ):
            if mine not in theirs:
                return f"these activations have {what} {list(theirs)}"
        return ""


def place_of(
    probe: Any, fingerprint: str, layer: int | None = None, site: str | None = None, tokenizer: str | None = None
) -> ReadPlace:
    """Where a probe reads, after its card, for a model of this fingerprint and, where text is read, this tokenizer.

    A direction means something in the activations that it was fitted to and in no others: those of another model, of
    the same model with another adapter, of another layer or site. So a probe with a card refuses them. One that was
    just fitted has no card: layer and site are then the caller's to say.

    Raises:
        ValueError: another model, tokenizer, layer or site than the card's, or no card and none said.
    """
    card = probe.card
    known = card.get("fingerprint")
    if card and not known:
        raise ValueError(
            "the probe's card has no fingerprint of its model, so it cannot be checked: fit the probe again"
        )
    if known and known != fingerprint:
        of = " with adapter ".join(str(card[key]) for key in ("model", "adapter") if card.get(key))
        raise ValueError(
            f"the probe was fitted to {of or 'a model'} (fingerprint {known}), not to this model (fingerprint"
            f" {fingerprint}): load that model, or fit a probe to this one"
        )
    if tokenizer and card.get("tokenizer") and tokenizer != card["tokenizer"]:
        raise ValueError(
            f"the probe was fitted with tokenizer and chat template {card['tokenizer']}, this model has {tokenizer}:"
            " the same text would be other tokens; load the model with its own tokenizer and template"
        )
    for what, asked in (("layer", layer), ("site", site)):
        if asked is not None and card.get(what) is not None and asked != card[what]:
            raise ValueError(
                f"the probe was fitted at {what} {card[what]!r}, not at {asked!r}: leave {what} out, or fit one there"
            )
    layer, site = card.get("layer", layer), card.get("site", site)
    if layer is None or site is None:
        raise ValueError("a probe without a card does not know where it reads: give layer= and site=")
    return ReadPlace(int(layer), str(site), str(card.get("stream") or STREAM))
