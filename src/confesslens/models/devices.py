"""Where a model's weights go: the CPU, one accelerator, or its layers over several."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel

from confesslens.models.errors import ModelError

SPREAD = "auto"
"""The device that stands for all accelerators."""


def device_of(name: str | torch.device | None) -> torch.device:
    """The device of this name; without one, or for "auto", the first accelerator if there is one, else the CPU.

    Raises ModelError for one that there is not.
    """
    if name is None or str(name) == SPREAD:
        # mps computes silently wrong results in places
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"there is no device {name!r}: expected cpu, cuda, cuda:1 and so on, or auto") from error
    if device.type == "cuda" and not (device.index or 0) < torch.cuda.device_count():
        found = torch.cuda.device_count() or "none"
        raise ModelError(f"there is no device {name!r} here, CUDA devices found: {found}; see `confesslens doctor`")
    return device


def spread(hf: PreTrainedModel) -> PreTrainedModel:
    """Place whole layers over all accelerators, evenly (accelerate's device map).

    Raises ModelError where they cannot hold the model: half of it on the CPU would be slow beyond use.
    """
    from accelerate import dispatch_model
    from accelerate.utils import get_balanced_memory

    whole = list(getattr(hf, "_no_split_modules", None) or [])
    where = device_map(hf, get_balanced_memory(hf, no_split_module_classes=whole))
    placed: PreTrainedModel = dispatch_model(hf, where)
    return placed


def device_map(hf: PreTrainedModel, memory: dict[Any, Any]) -> dict[str, Any]:
    """The device of every part, with at most `memory` (bytes, or text such as "10GiB") on each."""
    from accelerate import infer_auto_device_map

    whole = list(getattr(hf, "_no_split_modules", None) or [])
    where: dict[str, Any] = infer_auto_device_map(hf, max_memory=memory, no_split_module_classes=whole)
    outside = sorted(part for part, device in where.items() if device in ("cpu", "disk"))
    if outside:
        size = sum(p.numel() * p.element_size() for p in hf.parameters()) / 1e9
        raise ModelError(
            f"the accelerators cannot hold the model ({size:.1f} GB): {len(outside)} parts, from {outside[0]} on, are"
            " left over. Use more of them, a smaller model, or dtype='bfloat16'"
        )
    return where
