"""Edits of the residual stream: add a direction, project one out, put in states from elsewhere.

    edit = add(probe.direction, layer=15, amount=40.0, sites=("request", "confession"))
    with edited(model, edit):
        confessions = cl.confess(model, rollouts)

They act on the plain module that samples, after block `layer` (`blocks.LAYER.hook_resid_post` of TransformerLens), in
every pass: a token's keys and values in later layers are those of its edited state. `bridge_hooks` gives the same edit
for `model.bridge`; both agree, to a tolerance that a test states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from confesslens.closest import no_such
from confesslens.rollouts.editing import EditHooks
from confesslens.rollouts.sampler import Edit, Job

if TYPE_CHECKING:
    from confesslens.models import Model

SITES = ("all", "prompt", "cot", "answer", "request", "confession")
"""Where an edit acts: at the tokens of these spans. `request.last` and the like name one token of a span that is
given, not sampled. What is edited at a token shows from the next one on."""

Spans = Sequence[tuple[str, int, int]]


@dataclass(frozen=True, eq=False)
class Steer:
    """h + amount · u, or with `project` h − (h · u) u, at the tokens of `sites`; u [d_model] is of norm 1."""

    layer: int
    unit: torch.Tensor
    amount: float = 0.0
    sites: tuple[str, ...] = ("all",)
    project: bool = False

    def where(self, job: Job, positions: np.ndarray, part: str) -> np.ndarray:
        """Which tokens are edited, [token]."""
        hit = np.zeros(len(positions), bool)
        for site in self.sites:
            name, _, pool = site.partition(".")
            if name == "all" or (part and part == name and not pool):
                return np.ones(len(positions), bool)
            for span, start, end in job.spans:
                if span == name:
                    first, last = (end - 1 if pool == "last" else start), (start if pool == "first" else end - 1)
                    hit |= (first <= positions) & (positions <= last)
        return hit

    def apply(self, states: torch.Tensor, positions: np.ndarray) -> torch.Tensor:
        """The edited states [token, d_model], in float32."""
        unit, exact = self.unit.to(states.device), states.float()
        if self.project:
            return exact - (exact * unit).sum(-1, keepdim=True) * unit
        return exact + self.amount * unit


@dataclass(frozen=True, eq=False)
class Patch:
    """The states of another transcript, `values` [token, d_model], in place of those at `positions` [token]."""

    layer: int
    values: torch.Tensor
    positions: np.ndarray
    _at: dict[int, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.values) != len(self.positions):
            raise ValueError(f"{len(self.values)} states for {len(self.positions)} positions: expected one each")
        object.__setattr__(self, "_at", {int(position): i for i, position in enumerate(self.positions)})

    def where(self, job: Job, positions: np.ndarray, part: str) -> np.ndarray:
        """Which tokens are edited, [token]."""
        return np.isin(positions, self.positions)

    def apply(self, states: torch.Tensor, positions: np.ndarray) -> torch.Tensor:
        """The other transcript's states."""
        return self.values[[self._at[int(position)] for position in positions]].to(states.device)


def add(direction: ArrayLike, layer: int, amount: float, sites: Sequence[str] = ("all",)) -> Steer:
    """Add `amount` (in the units of the residual stream; negative to subtract) along a direction [d_model].

    Raises ValueError for a direction that is no finite vector or zero, and for an unknown site.
    """
    return Steer(layer, _unit(direction), float(amount), check_sites(sites))


def project_out(direction: ArrayLike, layer: int, sites: Sequence[str] = ("all",)) -> Steer:
    """Take away what the residual stream has along a direction [d_model]. Raises as `add`."""
    return Steer(layer, _unit(direction), sites=check_sites(sites), project=True)


def check_sites(sites: Sequence[str]) -> tuple[str, ...]:
    """The sites; ValueError for none, or an unknown one."""
    chosen = (sites,) if isinstance(sites, str) else tuple(sites)
    for site in chosen:
        name, dot, pool = site.partition(".")
        if name not in SITES or (dot and (pool not in ("first", "last") or name in ("all", "confession"))):
            raise ValueError(no_such("site of an edit", site, (*SITES, "answer.last", "request.last")))
    if not chosen:
        raise ValueError(f"no site to edit at: name one or more of {', '.join(SITES)}")
    return chosen


@torch.inference_mode()
def edited_logits(model: Model, ids: Sequence[int], edit: Edit | None, spans: Spans = ()) -> np.ndarray:
    """Next-token logits [token, vocab] of one sequence under an edit, by one pass over given tokens.

    Args:
        model: the model.
        ids: the tokens.
        edit: what is done to its residual stream.
        spans: (name, start, end) of the tokens that the edit's sites name.
    """
    job = Job((tuple(ids),), (), edit=edit, spans=tuple(spans))
    with EditHooks(model, [edit]) as hooks:
        hooks.expect([(job, np.arange(len(job.prefix[0])), "")])
        return model.logits(ids)


def bridge_hooks(edit: Edit, n_tokens: int, spans: Spans = ()) -> list[tuple[str, Callable[..., Any]]]:
    """The edit as `fwd_hooks` of the TransformerLens bridge, for one sequence of `n_tokens` run as a whole."""
    positions = np.arange(n_tokens)
    tokens = np.flatnonzero(edit.where(Job(((0,) * n_tokens,), (), spans=tuple(spans)), positions, ""))

    def hook(states: torch.Tensor, hook: Any) -> torch.Tensor:
        changed = states.clone()
        changed[0, tokens] = edit.apply(states[0, tokens], positions[tokens]).to(states.dtype)
        return changed

    return [(f"blocks.{edit.layer}.hook_resid_post", hook)]


def _unit(direction: ArrayLike) -> torch.Tensor:
    vector = np.asarray(direction, np.float64)
    norm = float(np.linalg.norm(vector)) if vector.ndim == 1 else np.nan
    if not (np.isfinite(norm) and norm > 0):
        raise ValueError(f"a direction of shape {vector.shape}: expected one finite vector [d_model] that is not zero")
    return torch.tensor(vector / norm, dtype=torch.float32)
