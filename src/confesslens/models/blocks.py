"""Where a model keeps its transformer blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from confesslens.models.model import Model


def transformer_blocks(model: Model) -> list[torch.nn.Module]:
    """The transformer blocks, in order, of any decoder-only transformers model."""
    for module in model.hf.base_model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == model.n_layers:
            return list(module)
    raise ValueError(f"{type(model.hf).__name__} has no list of {model.n_layers} blocks: its layers cannot be hooked")
