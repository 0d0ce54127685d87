"""Ragged tokens: sequences of unequal length as one array of tokens and the places where sequences begin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import validate_data


def read_tokens(
    estimator: Any, X: Any, lengths: ArrayLike | None = None, reset: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Tokens of all sequences, one after the other, and where each begins.

    Args:
        estimator: whose `n_features_in_` is checked, or set with `reset`.
        X: a list or object array of n arrays [tokens, d]; or padded [n, t, d]; or [n, d], sequences of one token.
        lengths: [n] tokens of each padded sequence that count; all t when None.
        reset: whether this is the fit.

    Returns:
        tokens [total, d] and bounds [n + 1]: sequence i is `tokens[bounds[i]:bounds[i + 1]]`.

    Raises:
        ValueError: an empty sequence, unequal d, lengths that do not fit, or values that are not finite.
    """
    if isinstance(X, np.ndarray) and X.dtype != object and X.ndim == 3:
        tokens, sizes = _padded(X, lengths)
    else:
        if lengths is not None:
            raise ValueError("lengths belong to padded activations [n, t, d]; leave them out for a list of sequences")
        if not _is_ragged(X):
            rows = np.asarray(validate_data(estimator, X, dtype=np.float64, reset=reset))
            return rows, np.arange(len(rows) + 1)
        tokens, sizes = _concatenated(X)
    if not np.isfinite(tokens).all():
        raise ValueError("X holds NaN or infinite activations: leave those tokens out, or give lengths for padding")
    if reset:
        estimator.n_features_in_ = tokens.shape[1]
    elif tokens.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {tokens.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    return tokens, np.concatenate([[0], np.cumsum(sizes)])


def sums(values: NDArray, bounds: NDArray[np.intp]) -> NDArray[np.float64]:
    """[n] or [n, d] sums over the tokens of each sequence of values [total] or [total, d]."""
    return np.add.reduceat(values, bounds[:-1], axis=0)


def sequence_of(bounds: NDArray[np.intp]) -> NDArray[np.intp]:
    """[total] the sequence that each token belongs to."""
    return np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))


def windows(tokens: NDArray, bounds: NDArray[np.intp], width: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Means over every run of `width` consecutive tokens; a shorter sequence is one window.

    Returns:
        means [total windows, d] and their bounds [n + 1].
    """
    sizes = np.diff(bounds)
    counts = np.maximum(sizes - width, 0) + 1
    ends = np.concatenate([[0], np.cumsum(counts)])
    first = np.arange(ends[-1]) - np.repeat(ends[:-1], counts) + np.repeat(bounds[:-1], counts)
    span = np.repeat(np.minimum(sizes, width), counts)
    # Centred, so that the running sum stays small beside its differences.
    centre = tokens.mean(axis=0)
    running = np.vstack([np.zeros(tokens.shape[1]), np.cumsum(tokens - centre, axis=0)])
    return (running[first + span] - running[first]) / span[:, None] + centre, ends


def _is_ragged(X: Any) -> bool:
    loose = isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1)
    return loose and len(X) > 0 and np.ndim(X[0]) >= 2


def _padded(X: NDArray, lengths: ArrayLike | None) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    n, t, _ = X.shape
    sizes = np.full(n, t) if lengths is None else np.asarray(lengths)
    if sizes.shape != (n,) or not np.issubdtype(sizes.dtype, np.integer) or (sizes < 1).any() or (sizes > t).any():
        raise ValueError(f"lengths must be {n} whole numbers in 1..{t} for activations {X.shape}, got {sizes!r}")
    return np.asarray(X[np.arange(t) < sizes[:, None]], dtype=np.float64), sizes


def _concatenated(X: Any) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    parts = [np.asarray(part, dtype=np.float64) for part in X]
    shapes = [part.shape for part in parts]
    wrong = [i for i, s in enumerate(shapes) if len(s) != 2 or s[0] < 1 or s[1] != shapes[0][1]]
    if wrong:
        i = wrong[0]
        raise ValueError(
            f"sequence {i} has shape {shapes[i]}; expected [tokens, {shapes[0][-1]}] with one token or more: leave "
            "out rollouts without tokens at this site"
        )
    return np.concatenate(parts), np.array([s[0] for s in shapes])
