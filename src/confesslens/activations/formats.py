"""Number formats that activations are kept in. numpy and zarr know no bfloat16: its bits are kept as uint16."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Shaped

from confesslens.closest import no_such

FORMATS: dict[str, type[np.generic]] = {"float32": np.float32, "bfloat16": np.uint16, "float16": np.float16}
"""The formats by name, and the numpy type that holds each."""


def check_format(dtype: str | torch.dtype) -> str:
    """The format's name; ValueError when it is not one of `FORMATS`."""
    name = str(dtype).removeprefix("torch.")
    if name not in FORMATS:
        raise ValueError(no_such("number format", name, FORMATS))
    return name


def to_numpy(tensor: Float[torch.Tensor, " *shape"]) -> Shaped[np.ndarray, " *shape"]:
    """A tensor's values on the host, in the numpy type of its format."""
    tensor = tensor.cpu()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(np.uint16)
    return tensor.numpy()


def to_float32(kept: Shaped[np.ndarray, " *shape"]) -> Float[np.ndarray, " *shape"]:
    """What `to_numpy` gave, as float32; exact."""
    if kept.dtype != np.uint16:
        return kept.astype(np.float32, copy=False)
    wide = kept.astype(np.uint32)
    wide <<= 16
    return wide.view(np.float32)
