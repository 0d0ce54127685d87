"""Activations on disk: a zarr group with `values` [rollout, layer, site, d_model] and `present` [rollout, site].

A chunk holds one layer of up to 256 rollouts, so that one layer of all rollouts reads at once.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from confesslens.activations.capture import Activations

_CHUNK = 256


def save_activations(activations: Activations, path: str | Path) -> None:
    """Write a store; it appears whole or not at all."""
    target = Path(path)
    partial = target.with_name(f".partial-{target.name}")
    shutil.rmtree(partial, ignore_errors=True)
    group = zarr.open_group(str(partial), mode="w")
    n, layers, sites, d_model = activations.values.shape
    chunks = (max(1, min(n, _CHUNK)), 1, max(1, sites), max(1, d_model))
    values = group.create_array("values", shape=activations.values.shape, chunks=chunks, dtype="float32")
    values[:] = activations.values
    present = group.create_array("present", shape=activations.present.shape, dtype="bool")
    present[:] = activations.present
    group.attrs.update(
        {
            "stream": "resid_post",
            "layers": activations.layers,
            "sites": activations.sites,
            "rollout_ids": activations.rollout_ids,
            "model": activations.model,
            "dtype": activations.dtype,
        }
    )
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def load_activations(path: str | Path) -> Activations:
    """Read a store whole. Raises FileNotFoundError or ValueError naming the path when it is missing or not one."""
    if not Path(path).is_dir():
        raise FileNotFoundError(f"there are no activations at {path}: run the activations stage first")
    try:
        group: Any = zarr.open_group(str(path), mode="r")
        attrs = group.attrs
        return Activations(
            values=np.asarray(group["values"][:]),
            present=np.asarray(group["present"][:]),
            layers=list(attrs["layers"]),
            sites=list(attrs["sites"]),
            rollout_ids=list(attrs["rollout_ids"]),
            model=attrs["model"],
            dtype=attrs["dtype"],
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a store of activations ({error}): capture it again") from error
