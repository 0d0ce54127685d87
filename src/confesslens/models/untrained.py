"""A model that has learned nothing: the control that says what architecture and tokens alone let a probe read."""

from __future__ import annotations

import copy
from typing import Any

import torch

from confesslens.models.model import Model


def untrained_model(model: Model, seed: int = 0) -> Model:
    """A model of the same configuration and tokenizer with randomly initialised weights, as training begins with.

    Args:
        model: whose configuration, number format and device to take; it is not changed.
        seed: of the weights; the global random state is left as it is.
    """
    config = copy.deepcopy(model.hf.config)
    kind: Any = type(model.hf)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hf = kind(config)
    hf = hf.to(device=model.device, dtype=model.dtype).eval()
    return Model(name=f"{model.name} (random weights, seed {seed})", hf=hf, tokenizer=model.tokenizer)
