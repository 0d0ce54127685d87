"""One job's way through its script, token by token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from confesslens.rollouts.grammar import Matcher
from confesslens.rollouts.script import Choice, Chosen, Completion, Forced, Free, Job, Structured, shared_start

if TYPE_CHECKING:
    from confesslens.models import Model

States = list[torch.Tensor]  # token by token


class Walk:
    """One job on its way through its script."""

    def __init__(self, index: int, job: Job, model: Model, logits: np.ndarray, tail: States) -> None:
        self.index, self.job, self.model = index, job, model
        self.ids = [token for chunk in job.prefix for token in chunk]
        self.done = Completion(ids=self.ids)
        self.uniforms = iter(_uniforms(job))
        self.waiting: list[int] = []  # forced tokens that come next
        self.part = -1
        self.fed_part = ""  # the free part that the last token was sampled in
        self.matcher: Matcher | None = None  # of a structured part
        self.start = len(self.ids)
        self.states = list(tail)
        self._unread = len(self.ids) - len(tail)  # first tokens that nothing was read of
        self.wants_logits = True
        self._next_part()
        self._take(logits)

    @property
    def finished(self) -> bool:
        """Whether the script is at its end."""
        return self.part >= len(self.job.parts)

    @property
    def length(self) -> int:
        """Tokens so far."""
        return len(self.ids)

    @property
    def next_token(self) -> int:
        """The token to be fed next."""
        return self.ids[-1]

    def completion(self) -> Completion:
        """What came of the job so far."""
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
                self.fed_part = ""
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
                    self.fed_part = part.name
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
            shared = shared_start(part)
            self.waiting = [*self.waiting, *next(iter(part.options.values()))[:shared]]

    def _choose(self, part: Choice, logits: np.ndarray) -> list[int]:
        shared = shared_start(part)
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

    def _extend(self, part: Free | Structured, logits: np.ndarray) -> bool:
        """Sample one token of a free part; False when the part has ended without keeping it."""
        if len(self.ids) - self.start >= part.max_tokens:
            return self._close(part, "length")
        if isinstance(part, Structured):
            return self._extend_structured(part, logits)
        token = _draw(logits, self.job.temperature, next(self.uniforms))
        return take_token(self.model, self.ids, self.start, part, token) or self._close(part, "stop")

    def _extend_structured(self, part: Structured, logits: np.ndarray) -> bool:
        if self.matcher is None:
            self.matcher = Matcher(self.model, part.grammar, len(logits))
        logits = np.where(self.matcher.allowed(), logits, -np.inf)
        token = _draw(logits, self.job.temperature, next(self.uniforms))
        if token in self.model.stop_ids:
            return self._close(part, "stop")
        self.ids.append(token)
        if self.matcher.take(token):  # complete: what the script has next follows at once
            self._close(part, "stop")
            self._next_part()
        return True

    def _close(self, part: Free | Structured, why: str) -> bool:
        self.done.spans[part.name] = (self.start, len(self.ids))
        self.done.texts[part.name] = self.model.decode(self.ids[self.start :])
        self.done.finish[part.name] = why
        self.matcher = None
        return False


def take_token(model: Model, ids: list[int], start: int, part: Free, token: int) -> bool:
    """Append a token that was sampled for a free part, which began at `start`; False when the part ends with it.

    An end of turn is not kept, nor is a stop string with what follows it.
    """
    if token in model.stop_ids:
        return False
    ids.append(token)
    for stop in part.stop:
        at = model.decode(ids[start:]).find(stop)
        if at >= 0:  # drop the tokens from the stop string on; its canonical form is forced by the script
            while len(ids) > start and len(model.decode(ids[start:])) > at:
                ids.pop()
            return False
    return True


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
