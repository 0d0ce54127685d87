"""Which features tell two classes apart, and the features of spans of tokens."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike

from confesslens.probes.metrics import within_eval_auroc_columns
from confesslens.probes.sae.autoencoder import SparseAutoencoder

_COLUMNS = 2048  # ranked at once


def top_features(features: ArrayLike, labels: ArrayLike, evals: ArrayLike | None = None, n: int = 10) -> pd.DataFrame:
    """The features that tell the bad act from the rest best, each by itself, inside evaluations.

    What is best among thousands is so by chance too: look at rows that did not choose them, or at a `sweep` with
    permutations, before believing an AUROC in this table.

    Args:
        features: [n, feature] of one site.
        labels: [n] true for the bad act.
        evals: [n] evaluation names; one when None.
        n: how many features.

    Returns:
        One row a feature, the strongest first: feature (its number), auroc (below 0.5 where the feature speaks for the
        good act), mean_bad, mean_good, active (share of rows where it is above 0). Features that are 0 everywhere are
        left out.

    Raises:
        ValueError: shapes that do not fit, or no evaluation with both classes.
    """
    rows, bad = np.asarray(features), np.asarray(labels, dtype=bool)
    names = np.zeros(len(bad), int) if evals is None else np.asarray(evals)
    if rows.ndim != 2 or not len(rows) == len(bad) == len(names):
        raise ValueError(
            f"features {rows.shape}, labels {bad.shape}, evals {names.shape}: expected [n, feature] and [n]"
        )
    alive = np.flatnonzero((rows != 0).any(axis=0))
    parts = [alive[start : start + _COLUMNS] for start in range(0, len(alive), _COLUMNS)]
    codes = np.unique(names, return_inverse=True)[1]
    areas = [within_eval_auroc_columns(bad[:, None], rows[:, part], codes) for part in parts]
    auroc = np.concatenate([np.zeros(0), *areas])
    if not len(auroc) or np.isnan(auroc).all():
        raise ValueError("no evaluation has both classes, or no feature is ever on: nothing to tell apart")
    best = np.argsort(-np.abs(np.nan_to_num(auroc, nan=0.5) - 0.5), kind="stable")[:n]
    chosen = alive[best]
    return pd.DataFrame(
        {
            "feature": chosen,
            "auroc": auroc[best],
            "mean_bad": rows[bad][:, chosen].mean(axis=0, dtype=float),
            "mean_good": rows[~bad][:, chosen].mean(axis=0, dtype=float),
            "active": (rows[:, chosen] > 0).mean(axis=0),
        }
    )


def pool_tokens(
    sae: SparseAutoencoder, values: ArrayLike, offsets: ArrayLike, how: str = "mean"
) -> Float[np.ndarray, "item feature"]:
    """Features of spans: every token is encoded, and then pooled, as an autoencoder is meant to be used.

    Args:
        sae: from `load_sae`.
        values: [token, d_model] the tokens of one item after the other: `acts.tokens(layer).values`.
        offsets: [item + 1] the tokens of item i are `offsets[i]` to `offsets[i + 1]`.
        how: "mean" or "max".

    Returns:
        [item, feature] float32; 0 for an item without tokens.

    Raises:
        ValueError: another `how`, or activations of another width.
    """
    if how not in ("mean", "max"):
        raise ValueError(f"how={how!r}: expected 'mean' or 'max'")
    rows, ends = np.asarray(values, np.float32), np.asarray(offsets)
    out = np.zeros((len(ends) - 1, sae.n_features), np.float32)
    for i, (start, end) in enumerate(zip(ends[:-1], ends[1:], strict=True)):
        if end > start:
            found = sae.encode(rows[start:end])
            out[i] = found.mean(axis=0) if how == "mean" else found.max(axis=0)
    return out
