"""Batched sampling that gives each job the same tokens whatever else is in the batch.

A job is a prefix and a script of parts: forced tokens, free text, a choice between wordings. Jobs run in the slots of
one key-value cache. Three rules make a job's tokens a function of the job alone: prefixes are computed one at a time,
each slot holds its own tokens from position 0 on (no padding on the left), and every sampled token consumes the next
number of a random stream that is seeded by the job.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import torch
from transformers import DynamicCache

from confesslens.rollouts.slots import SlotCache

if TYPE_CHECKING:
    from confesslens.models import Model

MIN_ROWS = 4  # below four rows BLAS takes other kernels, whose last bits differ
CAPACITY_STEP = 64


@dataclass(frozen=True)
class Forced:
    """Tokens put into the transcript by us."""

    ids: tuple[int, ...]


@dataclass(frozen=True)
class Free:
    """Text sampled by the model until an end-of-turn token, a stop string, or `max_tokens`."""

    name: str
    max_tokens: int
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """One of several wordings, which must part at the same token; the model chooses at that token."""

    name: str
    options: Mapping[str, tuple[int, ...]]


Part = Forced | Free | Choice
_States = list[torch.Tensor]  # token by token


@dataclass(frozen=True)
class Job:
    """A prefix, given in chunks (chunks that several jobs share are computed once), and what to sample after it.

    `temperature` 0 takes the likeliest token. `seed` fixes the random stream of the job.
    """

    prefix: tuple[tuple[int, ...], ...]
    parts: tuple[Part, ...]
    seed: int = 0
    temperature: float = 1.0

    @property
    def max_tokens(self) -> int:
        """The most tokens that the transcript can have, prefix included."""
        return sum(map(len, self.prefix)) + sum(_part_max(part) for part in self.parts)


@dataclass(frozen=True)
class Chosen:
    """What was chosen, the log-probability of each option's token at the parting, the position that predicts it."""

    option: str
    logprobs: dict[str, float]
    position: int


@dataclass
class Completion:
    """All tokens (prefix included), the token span and text of each free part, why it ended, and the choices made."""

    ids: list[int]
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    finish: dict[str, str] = field(default_factory=dict)
    choices: dict[str, Chosen] = field(default_factory=dict)


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

    Raises ValueError when a job cannot fit in the model's context.
    """
    limit = model.max_tokens
    for job in jobs:
        if job.max_tokens > limit:
            raise ValueError(
                f"a transcript may need {job.max_tokens} tokens but {model.name} holds {limit}: shorten the prompt"
                " or lower the token limits"
            )
    done: list[Completion | None] = [None] * len(jobs)
    with torch.inference_mode():
        for index, completion in _run(model, jobs, batch_size):
            done[index] = completion
            if on_done:
                on_done(index, completion)
    return [completion for completion in done if completion is not None]


def _run(model: Model, jobs: Sequence[Job], batch_size: int) -> Iterator[tuple[int, Completion]]:
    longest: dict[tuple[tuple[int, ...], ...], int] = {}
    for job in jobs:
        longest[job.prefix] = max(longest.get(job.prefix, 0), sum(map(_part_max, job.parts)))
    # What may take longest first, so that short jobs fill the slots at the end; jobs of one prefix side by side.
    order = sorted(range(len(jobs)), key=lambda i: (-longest[jobs[i].prefix], jobs[i].prefix, i))
    reader = READERS.get(model)
    prefixes = _Prefixes(model, reader)
    n_slots = max(MIN_ROWS, min(batch_size, len(jobs)))
    slots: list[_Slot] = []
    cache: SlotCache | None = None
    while order or slots:
        while order and len(slots) < max(1, batch_size):
            index = order.pop(0)
            logits, keys_values, length, tail = prefixes.compute(jobs[index].prefix)
            if cache is None:
                capacity = -(-max(job.max_tokens for job in jobs) // CAPACITY_STEP) * CAPACITY_STEP
                cache = SlotCache(model.hf.config, n_slots, capacity, keys_values)
            cache.fill(len(slots), keys_values, length)
            slots.append(_Slot(index, jobs[index], model, logits, tail))
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
            _step(model, slots, cache, reader)


def _step(model: Model, slots: list[_Slot], cache: SlotCache, reader: Reader | None) -> None:
    """Feed every slot's next token; hand the logits back to the slots."""
    rows = max(MIN_ROWS, len(slots))
    tokens = torch.zeros(rows, 1, dtype=torch.long)
    positions = torch.zeros(rows, dtype=torch.long)
    for row, slot in enumerate(slots):
        tokens[row, 0] = slot.next_token
        positions[row] = slot.length - 1
    device = model.device
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

    def __init__(self, model: Model, reader: Reader | None = None, keep: int = 8) -> None:
        self.model, self.reader, self.keep = model, reader, keep
        self.cached: OrderedDict[tuple[tuple[int, ...], ...], tuple[Any, DynamicCache, int, _States]] = OrderedDict()

    def compute(self, chunks: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, list[tuple[Any, Any]], int, _States]:
        """Logits [vocab] after the prefix, its keys and values per layer ([1, heads, length, d]), its length, and what
        was read of its last tokens."""
        logits, cache, length, tail = self._chain(chunks)
        return logits, _layers(cache), length, tail

    def _chain(self, chunks: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, DynamicCache, int, _States]:
        if chunks in self.cached:
            self.cached.move_to_end(chunks)
            return self.cached[chunks]
        cache, start, tail = DynamicCache(), 0, _States()
        if len(chunks) > 1:
            _, before, start, tail = self._chain(chunks[:-1])
            for layer, (keys, values) in enumerate(_layers(before)):
                cache.update(keys, values, layer)
        ids = torch.tensor([chunks[-1]], device=self.model.device)
        positions = torch.arange(start, start + ids.shape[1], device=ids.device)[None]
        out = self.model.hf(
            input_ids=ids, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        if self.reader is not None:
            tail = [*tail, *self.reader.take()[0]][-self.reader.tail :]
        self.cached[chunks] = (out.logits[0, -1].float().cpu().numpy(), cache, start + ids.shape[1], tail)
        while len(self.cached) > self.keep:
            self.cached.popitem(last=False)
        return self.cached[chunks]


def _layers(cache: DynamicCache) -> list[tuple[Any, Any]]:
    found: Any = cache.layers
    return [(layer.keys, layer.values) for layer in found]


class _Slot:
    """One job on its way through its script."""

    def __init__(self, index: int, job: Job, model: Model, logits: np.ndarray, tail: _States) -> None:
        self.index, self.job, self.model = index, job, model
        self.ids = [token for chunk in job.prefix for token in chunk]
        self.done = Completion(ids=self.ids)
        self.uniforms = iter(_uniforms(job))
        self.waiting: list[int] = []  # forced tokens that come next
        self.part = -1
        self.start = len(self.ids)
        self.states = list(tail)
        self._unread = len(self.ids) - len(tail)  # first tokens that nothing was read of
        self.wants_logits = True
        self._next_part()
        self._take(logits)

    @property
    def finished(self) -> bool:
        return self.part >= len(self.job.parts)

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def next_token(self) -> int:
        return self.ids[-1]

    def completion(self) -> Completion:
        return self.done

    def keep(self, states: torch.Tensor) -> None:
        """What was read of the token that was just fed; it takes the place of one that was sampled and dropped."""
        del self.states[self.length - 1 - self._unread :]
        self.states.append(states)

    def advance(self, logits: np.ndarray | None) -> None:
        """The last token was fed; `logits` [vocab] predict the next one (None where the script knows it)."""
        self._take(logits)

    def _take(self, logits: np.ndarray | None) -> None:
        """Append exactly one token, from the script or sampled, or finish."""
        while not self.finished:
            if self.waiting:
                self.ids.append(self.waiting.pop(0))
                break
            part = self.job.parts[self.part]
            if isinstance(part, Forced):
                self._next_part()
            elif isinstance(part, Choice):
                assert logits is not None
                self.waiting = self._choose(part, logits)
                self._next_part(keep_waiting=True)
            else:
                assert logits is not None
                if self._extend(part, logits):
                    break
                # The part ended on a token that is not kept: the script goes on from the same state.
                self._next_part()
                logits = logits if self.waiting or self.finished else None
                if not self.finished and not self.waiting:
                    raise ValueError("a free part must be followed by forced tokens or by the end of the script")
        self.wants_logits = not self.waiting

    def _next_part(self, keep_waiting: bool = False) -> None:
        if not keep_waiting:
            self.waiting = []
        self.part += 1
        if self.finished:
            if self.waiting:  # the rest of a chosen wording closes the transcript
                self.ids.extend(self.waiting)
                self.waiting = []
            return
        part = self.job.parts[self.part]
        self.start = len(self.ids) + len(self.waiting)
        if isinstance(part, Forced):
            self.waiting = [*self.waiting, *part.ids]
        elif isinstance(part, Choice):
            shared = _shared_start(part)
            self.waiting = [*self.waiting, *next(iter(part.options.values()))[:shared]]

    def _choose(self, part: Choice, logits: np.ndarray) -> list[int]:
        shared = _shared_start(part)
        heads = {option: ids[shared] for option, ids in part.options.items()}
        shifted = logits.astype(np.float64) - logits.max()
        logprobs = shifted - np.log(np.exp(shifted).sum())
        scores = {option: float(logprobs[token]) for option, token in heads.items()}
        if self.job.temperature == 0:
            option = max(scores, key=lambda name: scores[name])
        else:
            names = list(scores)
            option = names[_draw(np.array([scores[n] for n in names]), self.job.temperature, next(self.uniforms))]
        self.done.choices[part.name] = Chosen(option, scores, position=len(self.ids) - 1)
        return list(part.options[option][shared:])

    def _extend(self, part: Free, logits: np.ndarray) -> bool:
        """Sample one token of a free part; False when the part has ended without keeping it."""
        if len(self.ids) - self.start >= part.max_tokens:
            return self._close(part, "length")
        token = _draw(logits, self.job.temperature, next(self.uniforms))
        if token in self.model.stop_ids:
            return self._close(part, "stop")
        self.ids.append(token)
        for stop in part.stop:
            text = self.model.decode(self.ids[self.start :])
            at = text.find(stop)
            if at >= 0:  # drop the tokens from the stop string on; its canonical form is forced by the script
                while len(self.ids) > self.start and len(self.model.decode(self.ids[self.start :])) > at:
                    self.ids.pop()
                return self._close(part, "stop")
        return True

    def _close(self, part: Free, why: str) -> bool:
        self.done.spans[part.name] = (self.start, len(self.ids))
        self.done.texts[part.name] = self.model.decode(self.ids[self.start :])
        self.done.finish[part.name] = why
        return False


def _draw(logits: np.ndarray, temperature: float, uniform: float) -> int:
    if temperature == 0:
        return int(logits.argmax())
    scaled = (logits.astype(np.float64) - logits.max()) / temperature
    cumulative = np.cumsum(np.exp(scaled))
    return int(min(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"), len(logits) - 1))


def _uniforms(job: Job) -> Iterator[float]:
    generator = np.random.Generator(np.random.Philox(key=job.seed))
    while True:
        yield from generator.random(64)


def _shared_start(part: Choice) -> int:
    """How many first tokens the options share; they must part at one token, all differently."""
    wordings = list(part.options.values())
    shared = 0
    while all(len(w) > shared for w in wordings) and len({w[shared] for w in wordings}) == 1:
        shared += 1
    if any(len(w) <= shared for w in wordings) or len({w[shared] for w in wordings}) < len(wordings):
        raise ValueError(f"the options of {part.name!r} do not part at one token: {sorted(part.options)}")
    return shared


def _part_max(part: Part) -> int:
    if isinstance(part, Forced):
        return len(part.ids)
    if isinstance(part, Free):
        return part.max_tokens + 1
    return max(map(len, part.options.values()))
