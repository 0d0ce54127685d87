"""Activations: the residual stream of stored transcripts, at named read sites, for all layers."""

from confesslens.activations.capture import Activations, capture
from confesslens.activations.sites import PRIMARY_SITES, SITES, site_tokens
from confesslens.activations.store import load_activations, save_activations

__all__ = [
    "PRIMARY_SITES",
    "SITES",
    "Activations",
    "capture",
    "load_activations",
    "save_activations",
    "site_tokens",
]
