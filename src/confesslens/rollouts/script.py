"""What a sampler is asked for: a prefix, a script of parts, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch


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
class Structured:
    """Text sampled by the model within a grammar (`rollouts.grammar`), until that is complete or `max_tokens`."""

    name: str
    grammar: str
    max_tokens: int


@dataclass(frozen=True)
class Choice:
    """One of several wordings, which must part at the same token; the model chooses at that token."""

    name: str
    options: Mapping[str, tuple[int, ...]]


Part = Forced | Free | Structured | Choice


class Edit(Protocol):
    """A change of the residual stream after a block, at some tokens. The same object is the same change."""

    @property
    def layer(self) -> int:
        """Number of the block."""
        ...

    def where(self, job: Job, positions: np.ndarray, part: str) -> np.ndarray:
        """Which tokens are edited, [token] booleans.

        Args:
            job: whose tokens they are.
            positions: [token] places in the transcript.
            part: name of the free part that the tokens were sampled in, "" where they were given.
        """
        ...

    def apply(self, states: torch.Tensor, positions: np.ndarray) -> torch.Tensor:
        """The states [token, d_model] that take the place of those at `positions` [token]."""
        ...


@dataclass(frozen=True)
class Job:
    """A prefix, given in chunks (chunks that several jobs share are computed once), and what to sample after it.

    `temperature` 0 takes the likeliest token. `seed` fixes the random stream of the job. `edit` changes its residual
    stream; `spans` (name, start, end) name tokens of the transcript for it.
    """

    prefix: tuple[tuple[int, ...], ...]
    parts: tuple[Part, ...]
    seed: int = 0
    temperature: float = 1.0
    edit: Edit | None = None
    spans: tuple[tuple[str, int, int], ...] = ()

    @property
    def max_tokens(self) -> int:
        """The most tokens that the transcript can have, prefix included."""
        return sum(map(len, self.prefix)) + sum(part_max(part) for part in self.parts)


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


def part_max(part: Part) -> int:
    """The most tokens that a part can have."""
    if isinstance(part, Forced):
        return len(part.ids)
    if isinstance(part, Free | Structured):
        return part.max_tokens + 1
    return max(map(len, part.options.values()))


def shared_start(part: Choice) -> int:
    """How many first tokens the options share; they must part at one token, all differently."""
    wordings = list(part.options.values())
    shared = 0
    while all(len(w) > shared for w in wordings) and len({w[shared] for w in wordings}) == 1:
        shared += 1
    if any(len(w) <= shared for w in wordings) or len({w[shared] for w in wordings}) < len(wordings):
        raise ValueError(f"the options of {part.name!r} do not part at one token: {sorted(part.options)}")
    return shared
