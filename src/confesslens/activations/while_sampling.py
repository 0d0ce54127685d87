"""Activations read while sampling: no second pass.

    with capture_while_sampling(model, layers=[15], sites=["answer.mean", "request.last"]) as reads:
        rollouts = cl.roll_out(model, ...)
        confessions = cl.confess(model, rollouts)
    acts = reads.activations(rollouts, confessions)

Sampling computes every token once, with the same weights as `capture` does, so that the values are the same but for
rounding. What stands under a site is known when its text has ended; until then a few tokens' states are kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from confesslens.activations.activations import Activations, Block, Contents
from confesslens.activations.formats import FORMATS, check_format, to_numpy
from confesslens.activations.items import Item, Span, content_hash, rollout_items
from confesslens.activations.pooling import plan_pools, pool, to_device
from confesslens.activations.reads import Reads, reads_hash, reads_of
from confesslens.activations.sites import PRIMARY_SITES, check_sites, site_tokens
from confesslens.activations.store import StoreWriter, open_activations
from confesslens.activations.streams import check_fired, check_layers, check_streams, hook_points, hooked
from confesslens.rollouts.sampler import READERS, Completion, Job

if TYPE_CHECKING:
    from confesslens.models import Model

_SPANS = ("cot", "answer")  # sampled text, any pool of which can be read
_SINGLE = ("prompt.last", "request.last", "confession.verdict")


@contextlib.contextmanager
def capture_while_sampling(
    model: Model,
    *,
    layers: str | Sequence[int] = "all",
    sites: Sequence[str] = PRIMARY_SITES,
    streams: str | Sequence[str] = "resid_post",
    dtype: str = "float32",
) -> Iterator[SampledActivations]:
    """Read activations of all rollouts and confessions that the model samples inside the context.

    Args:
        model: the model that will sample.
        layers: "all" or block numbers.
        sites: of `SITES`, or any pool of `cot` and `answer`.
        streams: one or more of `STREAMS`.
        dtype: number format to keep values in: float32, bfloat16 or float16.

    Raises:
        ValueError: an unknown layer, site, stream or number format; a model that is already being read.
        RuntimeError: a hook that did not fire exactly once in a pass.
    """
    if model in READERS:
        raise ValueError(f"{model.name} is already being read while it samples: leave that context first")
    for site in check_sites(sites, ("prompt", *_SPANS, "request", "verdict")):
        if site not in _SINGLE and site.split(".")[0] not in _SPANS:
            raise ValueError(f"{site!r} cannot be read while sampling: sample first, then use capture")
    contents = Contents(
        layers=check_layers(model, layers),
        sites=list(sites),
        streams=check_streams(streams),
        token_layers=[],
        token_spans=None,
        dtype=check_format(dtype),
        d_model=model.d_model,
        model=model.fingerprint,
        model_dtype=str(model.dtype).removeprefix("torch."),
    )
    reads = SampledActivations(model, contents)
    with reads._hooked():
        READERS[model] = reads
        try:
            yield reads
        finally:
            del READERS[model]


class SampledActivations:
    """What `capture_while_sampling` has read so far: one vector a site of every text that was sampled to its end."""

    def __init__(self, model: Model, contents: Contents) -> None:
        self.model, self.contents = model, contents
        marks = model.thinking
        self.tail = 1 + max(len(model.encode(mark)) for mark in (marks.open, marks.none))  # to the prompt's last token
        self._points = hook_points(model, contents.layers, contents.streams)
        self._fired = [0] * len(self._points)
        self._states: dict[int, torch.Tensor] = {}
        self._found: dict[str, np.ndarray] = {}

    def activations(
        self, rollouts: pd.DataFrame, confessions: pd.DataFrame | None = None, out: str | Path | None = None
    ) -> Activations:
        """The activations of these rollouts, as `capture` gives them; in a store where `out` names one.

        Raises ValueError for a rollout that was not sampled, or not asked to confess, inside the context.
        """
        items = list(rollout_items(self.model, rollouts, confessions))
        reads = [reads_of(item, self.contents) for item in items]
        names = [item.item_id for item in items]
        content = [reads_hash(item, own) for item, own in zip(items, reads, strict=True)]
        if out is None:
            return Activations.of_block(self.contents, self._block(items, reads), names, content)
        with StoreWriter(out, self.contents) as writer:
            for i in writer.missing(names, content):
                writer.append(self._block(items[i : i + 1], reads[i : i + 1]), names[i : i + 1], content[i : i + 1])
        return open_activations(out, names)

    def take(self) -> torch.Tensor:
        """The states of the pass that has just ended, [row, token, point, d_model]."""
        check_fired(self.model, self._points, self._fired)
        device = self.model.device  # layers may be on several
        return torch.stack([self._states[i].to(device) for i in range(len(self._points))], dim=2)

    def finish(self, job: Job, completion: Completion, states: list[torch.Tensor]) -> None:
        """Pool the sites of a job that is done; `states` [token][point, d_model] begin in the prefix."""
        prefix = sum(map(len, job.prefix))
        first = prefix - min(self.tail, prefix)
        spans, ids = self._spans(prefix, completion), np.asarray(completion.ids, np.int32)
        under = [(site, site_tokens(site, spans)) for site in self.contents.sites]
        known = [(site, span) for site, span in under if span and first <= span[0] and span[1] <= first + len(states)]
        if not known:
            return
        whole = torch.stack(states).flatten(1)[None]
        plan = plan_pools([[span for _, span in known]], [site for site, _ in known], len(states), first)
        pooled = to_numpy(pool(to_device(plan, whole.device), whole).to(getattr(torch, self.contents.dtype)))
        for vector, column in zip(pooled, plan.columns, strict=True):
            site, span = known[column]
            self._found[_key(ids, site, span)] = vector

    @contextlib.contextmanager
    def _hooked(self) -> Iterator[None]:
        def begin(*_: object) -> None:
            self._fired = [0] * len(self._points)

        def read(i: int, states: torch.Tensor) -> None:
            self._fired[i] += 1  # most of a prefix is not wanted: let it go
            self._states[i] = states if states.shape[1] <= self.tail else states[:, -self.tail :].clone()

        handle = self.model.hf.base_model.register_forward_pre_hook(begin)
        try:
            with hooked(self._points, read):
                yield
        finally:
            handle.remove()
            self._states.clear()

    def _spans(self, prefix: int, done: Completion) -> dict[str, Span]:
        """The spans of a rollout or a confession whose sites are read, as `rollout_items` has them."""
        if "answer" in done.spans:
            opened = self.tail - 1 if "cot" in done.spans else 0
            return {"prompt": (0, prefix - opened), **{name: done.spans[name] for name in _SPANS if name in done.spans}}
        verdict = done.choices.get("verdict")
        return {"request": (0, prefix)} | ({"verdict": (0, verdict.position + 1)} if verdict else {})

    def _block(self, items: Sequence[Item], reads: Sequence[Reads]) -> Block:
        what = self.contents
        shape = (len(items), len(what.sites), len(what.layers), len(what.streams), what.d_model)
        values = np.zeros(shape, FORMATS[what.dtype])
        for i, (item, own) in enumerate(zip(items, reads, strict=True)):
            for column, (site, span) in enumerate(zip(what.sites, own.spans, strict=True)):
                if span is None:
                    continue
                vector = self._found.get(_key(np.asarray(item.token_ids), site, span))
                if vector is None:
                    raise ValueError(
                        f"{site!r} of rollout {item.item_id!r} was not sampled while activations were read: sample it"
                        " inside the context, or use capture"
                    )
                values[i, column] = vector.reshape(shape[2:])
        return Block(
            {stream: values[:, :, :, s].swapaxes(1, 2) for s, stream in enumerate(what.streams)},
            np.array([[span is not None for span in own.spans] for own in reads], bool).reshape(shape[:2]),
            {},
            np.zeros(0, np.int32),
            np.zeros(len(items), np.int64),
        )


def _key(ids: np.ndarray, site: str, span: Span) -> str:
    """What a causal model's states under a site depend on: the tokens up to its end, and how they are pooled."""
    return content_hash(ids[: span[1]], [span[0], site.endswith(".max")])
