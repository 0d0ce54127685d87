"""The activations that a probe's controls need: what enters the first block, and a model that has learned nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from confesslens.activations.capture import capture
from confesslens.models.untrained import untrained_model

if TYPE_CHECKING:
    from confesslens.models import Model


def capture_controls(
    model: Model,
    items: Any,
    confessions: pd.DataFrame | None = None,
    *,
    sites: Sequence[str] | None = None,
    layers: str | Sequence[int] = "all",
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """What `probes.controls` takes beside a sweep, of the same items and sites.

    Args:
        model: the model that the probe reads.
        items: as `capture`.
        confessions: as `capture`.
        sites: the sites of the sweep; default as `capture`.
        layers: of the randomly initialised model; a few of them say as much as all.
        seed: of its weights.

    Returns:
        "embedding" [item, site, d_model]: the stream that enters the first block, token (and position) embeddings
        alone; and "random_model" [item, layer, site, d_model]: `layers` of `untrained_model`.
    """
    first = capture(model, items, confessions, layers=[0], sites=sites, streams="resid_pre")
    random = capture(untrained_model(model, seed), items, confessions, layers=layers, sites=sites)
    return {"embedding": first.values[:, 0], "random_model": random.values}
