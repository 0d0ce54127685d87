"""Activations: the streams of transformer blocks at named read sites, captured of rollouts, chats, texts or tokens."""

from confesslens.activations.activations import Activations, TokenActivations
from confesslens.activations.capture import capture
from confesslens.activations.controls import capture_controls
from confesslens.activations.items import Item, chat_items, rollout_items, text_items
from confesslens.activations.sites import POOLS, PRIMARY_SITES, SITES, site_tokens
from confesslens.activations.store import load_activations, open_activations, order_items, save_activations
from confesslens.activations.streams import STREAMS
from confesslens.activations.token_scores import score_tokens
from confesslens.activations.while_sampling import capture_while_sampling

__all__ = [
    "POOLS",
    "PRIMARY_SITES",
    "SITES",
    "STREAMS",
    "Activations",
    "Item",
    "TokenActivations",
    "capture",
    "capture_controls",
    "capture_while_sampling",
    "chat_items",
    "load_activations",
    "open_activations",
    "order_items",
    "rollout_items",
    "save_activations",
    "score_tokens",
    "site_tokens",
    "text_items",
]
