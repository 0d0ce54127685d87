"""Batched sampling that gives each job the same tokens whatever else is in the batch.

A job is a prefix and a script of parts: forced tokens, free text, text within a grammar, a choice between wordings.
Jobs run in the slots of one key-value cache. Three rules make a job's tokens a function of the job alone: prefixes are
computed one at a time, each slot holds its own tokens from position 0 on (no padding on the left), and every sampled
token consumes the next number of a random stream that is seeded by the job. Edits of the residual stream keep to them:
each row is edited by itself, and a prefix is shared as far as no edit changes it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import torch
from transformers import DynamicCache

from confesslens.rollouts.editing import EDITS, EditHooks, touches
from confesslens.rollouts.script import Choice, Chosen, Completion, Edit, Forced, Free, Job, Part, Structured, part_max
from confesslens.rollouts.served import can_be_served, sample_served
from confesslens.rollouts.slots import SlotCache
from confesslens.rollouts.walk import States, Walk

if TYPE_CHECKING:
    from confesslens.models import Model

__all__ = [
    "READERS",
    "Choice",
    "Chosen",
    "Completion",
    "Edit",
    "Forced",
    "Free",
    "Job",
    "Part",
    "Reader",
    "Structured",
    "sample",
]

MIN_ROWS = 4  # below four rows BLAS takes other kernels, whose last bits differ
CAPACITY_STEP = 64


class Reader(Protocol):
    """Reads states in the passes of sampling, where `READERS` has one for the model. It changes no token.

    `tail` is how many last tokens of a prefix it wants to know of, besides all tokens after it.
    """

    tail: int

    def take(self) -> torch.Tensor:
        """What was read in the pass that has just ended, [row, token, ...], of its last `tail` tokens at most."""
        ...

    def finish(self, job: Job, completion: Completion, states: list[torch.Tensor]) -> None:
        """A job is done; `states` are of its tokens one by one, from the prefix's last `tail` tokens on."""
        ...


READERS: WeakKeyDictionary[Model, Reader] = WeakKeyDictionary()
"""Who reads along when a model samples."""


def sample(
    model: Model, jobs: Sequence[Job], batch_size: int = 32, on_done: Callable[[int, Completion], Any] | None = None
) -> list[Completion]:
    """Run the jobs, at most `batch_size` at a time; returns their completions in the order of the jobs.

    Where the model has a `sampler`, free text is sampled there; choices, grammars and edits always here.

    Raises ValueError when a job cannot fit in the model's context, ModelError as `served.sample_served`.
    """
    limit = model.max_tokens
    if (everywhere := EDITS.get(model)) is not None:
        jobs = [job if job.edit is not None else replace(job, edit=everywhere) for job in jobs]
    for job in jobs:
        if job.max_tokens > limit:
            raise ValueError(
                f"a transcript may need {job.max_tokens} tokens but {model.name} holds {limit}: shorten the prompt"
                " or lower the token limits"
            )
    done: list[Completion | None] = [None] * len(jobs)
    for index, completion in _sample(model, jobs, batch_size):
        done[index] = completion
        if on_done:
            on_done(index, completion)
    return [completion for completion in done if completion is not None]


def _sample(model: Model, jobs: Sequence[Job], batch_size: int) -> Iterator[tuple[int, Completion]]:
    """(place of the job, completion), as they end."""
    served = [i for i, job in enumerate(jobs) if model.sampler is not None and can_be_served(job)]
    if served:
        if model in READERS:
            raise ValueError(f"{model.name} is sampled at {model.sampler}: capture its activations afterwards")
        for i, completion in sample_served(model, str(model.sampler), [jobs[i] for i in served], batch_size):
            yield served[i], completion
    here = sorted(set(range(len(jobs))) - set(served))
    with torch.inference_mode(), EditHooks(model, [jobs[i].edit for i in here]) as hooks:
        for i, completion in _run(model, [jobs[i] for i in here], batch_size, hooks):
            yield here[i], completion


def _run(model: Model, jobs: Sequence[Job], batch_size: int, hooks: EditHooks) -> Iterator[tuple[int, Completion]]:
    longest: dict[tuple[tuple[int, ...], ...], int] = {}
    for job in jobs:
        longest[job.prefix] = max(longest.get(job.prefix, 0), sum(map(part_max, job.parts)))
    # What may take longest first, so that short jobs fill the slots at the end; jobs of one prefix side by side.
    order = sorted(range(len(jobs)), key=lambda i: (-longest[jobs[i].prefix], jobs[i].prefix, i))
    reader = READERS.get(model)
    prefixes = _Prefixes(model, hooks, reader)
    n_slots = max(MIN_ROWS, min(batch_size, len(jobs)))
    slots: list[Walk] = []
    cache: SlotCache | None = None
    while order or slots:
        while order and len(slots) < max(1, batch_size):
            index = order.pop(0)
            logits, keys_values, length, tail = prefixes.compute(jobs[index])
            if cache is None:
                capacity = -(-max(job.max_tokens for job in jobs) // CAPACITY_STEP) * CAPACITY_STEP
                cache = SlotCache(model.hf.config, n_slots, capacity, keys_values)
            cache.fill(len(slots), keys_values, length)
            slots.append(Walk(index, jobs[index], model, logits, tail))
        assert cache is not None
        for row in reversed(range(len(slots))):  # finished rows are filled with the last one
            if slots[row].finished:
                if reader is not None:
                    reader.finish(slots[row].job, slots[row].completion(), slots[row].states)
                yield slots[row].index, slots[row].completion()
                last = len(slots) - 1
                if row != last:
                    cache.copy(last, row)
                    slots[row] = slots[last]
                slots.pop()
        if slots:
            _step(model, slots, cache, hooks, reader)


def _step(model: Model, slots: list[Walk], cache: SlotCache, hooks: EditHooks, reader: Reader | None) -> None:
    """Feed every slot's next token; hand the logits back to the slots."""
    rows = max(MIN_ROWS, len(slots))
    tokens = torch.zeros(rows, 1, dtype=torch.long)
    positions = torch.zeros(rows, dtype=torch.long)
    for row, slot in enumerate(slots):
        tokens[row, 0] = slot.next_token
        positions[row] = slot.length - 1
    device = model.device
    hooks.expect([(slot.job, positions[row : row + 1].numpy(), slot.fed_part) for row, slot in enumerate(slots)])
    mask = cache.step(positions.to(device), longest=int(positions.max()) + 1, dtype=model.dtype)
    out = model.hf(
        input_ids=tokens.to(device),
        position_ids=positions[:, None].to(device),
        attention_mask=mask,
        past_key_values=cache,
        use_cache=True,
    )
    if reader is not None:
        states = reader.take()
        for row, slot in enumerate(slots):
            slot.keep(states[row, 0])
    logits = out.logits[:, -1]
    wanting = [row for row, slot in enumerate(slots) if slot.wants_logits]
    chosen = logits[wanting].float().cpu().numpy() if wanting else None
    for row, slot in enumerate(slots):
        slot.advance(chosen[wanting.index(row)] if chosen is not None and row in wanting else None)


class _Prefixes:
    """Computes prefixes chunk by chunk, one prefix at a time, and keeps the few last ones."""

    def __init__(self, model: Model, hooks: EditHooks, reader: Reader | None = None, keep: int = 8) -> None:
        self.model, self.hooks, self.reader, self.keep = model, hooks, reader, keep
        self.cached: OrderedDict[Any, tuple[Any, DynamicCache, int, States]] = OrderedDict()

    def compute(self, job: Job) -> tuple[np.ndarray, list[tuple[Any, Any]], int, States]:
        """Logits [vocab] after the prefix, its keys and values per layer ([1, heads, length, d]), its length, and what
        was read of its last tokens."""
        logits, cache, length, tail = self._chain(job, len(job.prefix))
        return logits, _layers(cache), length, tail

    def _chain(self, job: Job, count: int) -> tuple[np.ndarray, DynamicCache, int, States]:
        chunks = job.prefix[:count]
        end = sum(map(len, chunks))
        edited = touches(job, end)
        key = (chunks, job.edit, job.spans) if edited else chunks
        if key in self.cached:
            self.cached.move_to_end(key)
            return self.cached[key]
        cache, start, tail = DynamicCache(), 0, States()
        if count > 1:
            _, before, start, tail = self._chain(job, count - 1)
            for layer, (keys, values) in enumerate(_layers(before)):
                cache.update(keys, values, layer)
        ids = torch.tensor([chunks[-1]], device=self.model.device)
        positions = torch.arange(start, end, device=ids.device)[None]
        self.hooks.expect([(job, np.arange(start, end), "")] if edited else [])
        out = self.model.hf(
            input_ids=ids, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        if self.reader is not None:
            tail = [*tail, *self.reader.take()[0]][-self.reader.tail :]
        self.cached[key] = (out.logits[0, -1].float().cpu().numpy(), cache, end, tail)
        while len(self.cached) > self.keep:
            self.cached.popitem(last=False)
        return self.cached[key]


def _layers(cache: DynamicCache) -> list[tuple[Any, Any]]:
    found: Any = cache.layers
    return [(layer.keys, layer.values) for layer in found]
