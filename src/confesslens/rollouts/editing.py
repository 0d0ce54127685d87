"""Edits of the residual stream in the passes of sampling, row by row, by hooks on the plain module's blocks."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from confesslens.models.blocks import transformer_blocks
from confesslens.rollouts.script import Edit, Job

if TYPE_CHECKING:
    from confesslens.models import Model

EDITS: WeakKeyDictionary[Model, Edit] = WeakKeyDictionary()
"""What is done to a model's states when it samples a job that has no edit of its own."""


@contextlib.contextmanager
def edited(model: Model, edit: Edit) -> Iterator[None]:
    """Whatever the model samples inside the context (rollouts, confessions, judgements) is sampled with the edit.

    Jobs with an edit of their own keep that one. Raises ValueError when the model already has an edit.
    """
    if model in EDITS:
        raise ValueError(f"{model.name} is already edited: leave the other context first")
    EDITS[model] = edit
    try:
        yield
    finally:
        del EDITS[model]


class EditHooks:
    """Forward hooks on the blocks that edits change. They come before the hooks of readers: what is read is edited."""

    def __init__(self, model: Model, edits: Iterable[Edit | None]) -> None:
        self._rows: list[tuple[Edit, np.ndarray, np.ndarray] | None] = []
        layers = sorted({edit.layer for edit in edits if edit is not None})
        blocks = transformer_blocks(model) if layers else []
        for layer in layers:
            if not 0 <= layer < len(blocks):
                raise ValueError(f"an edit is at layer {layer}: {model.name} has 0 to {len(blocks) - 1}")
        self._handles = [
            blocks[layer].register_forward_hook(functools.partial(self._hook, layer), prepend=True) for layer in layers
        ]

    def __enter__(self) -> EditHooks:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def expect(self, rows: Sequence[tuple[Job, np.ndarray, str]]) -> None:
        """Say what the next pass is fed: for each row its job, its tokens' positions [token] and their free part."""
        if self._handles:
            self._rows = [_edited_tokens(*row) for row in rows]

    def _hook(self, layer: int, _: Any, _args: Any, output: Any) -> Any:
        own = [(i, row) for i, row in enumerate(self._rows) if row is not None and row[0].layer == layer]
        if not own:
            return None
        states = (output[0] if isinstance(output, tuple) else output).clone()
        for i, (edit, tokens, positions) in own:
            at = torch.as_tensor(tokens, device=states.device)
            states[i, at] = edit.apply(states[i, at], positions).to(states.dtype)
        return (states, *output[1:]) if isinstance(output, tuple) else states


def touches(job: Job, end: int) -> bool:
    """Whether the edit of a job changes any of its first `end` tokens, which are given."""
    return job.edit is not None and bool(job.edit.where(job, np.arange(end), "").any())


def _edited_tokens(job: Job, positions: np.ndarray, part: str) -> tuple[Edit, np.ndarray, np.ndarray] | None:
    if job.edit is None:
        return None
    tokens = np.flatnonzero(job.edit.where(job, positions, part))
    return (job.edit, tokens, positions[tokens]) if len(tokens) else None
