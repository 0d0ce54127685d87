"""One teacher-forced, hooked pass over token ids: activations at named sites, and of every token where asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from transformers import DynamicCache

from confesslens.activations.activations import Activations, Block, Contents
from confesslens.activations.batches import plan_batches, shared_tokens
from confesslens.activations.formats import FORMATS, check_format, to_numpy
from confesslens.activations.items import Item, Span, as_items
from confesslens.activations.pooling import plan_pools, pool, to_device
from confesslens.activations.reads import Reads, reads_hash, reads_of
from confesslens.activations.sites import ROLLOUT_SPANS, SITES, check_sites
from confesslens.activations.store import StoreWriter, open_activations
from confesslens.activations.streams import HookPoint, check_layers, check_streams, hook_points, run_hooked

if TYPE_CHECKING:
    from confesslens.models import Model

BATCH_TOKENS = {"cpu": 2048, "other": 16384}


def capture(
    model: Model,
    items: Any,
    confessions: pd.DataFrame | None = None,
    *,
    layers: str | Sequence[int] = "all",
    sites: Sequence[str] | None = None,
    streams: str | Sequence[str] = "resid_post",
    token_layers: str | Sequence[int] = (),
    token_spans: Sequence[str] | None = None,
    dtype: str = "float32",
    out: str | Path | None = None,
    batch_tokens: int | None = None,
    on_done: Callable[[int], Any] | None = None,
) -> Activations:
    """Read activations of rollouts, chats, texts or token ids at named sites: [item, layer, site, d_model] a stream.

    Each item is fed once, as token ids. A rollout is prompt, chain of thought, answer, the constant request and, where
    guided `confessions` are given, the confession up to its verdict. Items of like length share a batch, padded on the
    right, where a causal model cannot see the padding; the tokens that a whole batch begins with are computed once;
    the pass ends after the last layer that is read, and the LM head is left out.

    Args:
        model: the model that made the rollouts.
        items: a rollouts table; or a list of `Item`s (token ids with spans; see also `text_items`), of chats (each a
            list of messages) or of texts.
        confessions: a confessions table, needed for `confession.verdict` of rollouts.
        layers: "all" or block numbers.
        sites: `span.pool` with a pool of `POOLS`; default `SITES` for rollouts, else last and mean of every span. A
            site that an item does not have is marked absent.
        streams: one or more of `STREAMS`.
        token_layers: "all" or block numbers whose activations are kept for every token too.
        token_spans: keep the tokens of these spans only.
        dtype: number format to keep values in: float32, bfloat16 or float16. What is read back is float32.
        out: path of a store to write to, batch by batch, instead of memory. Items that it has are not computed again.
        batch_tokens: padded tokens a batch (default: `BATCH_TOKENS`); changes speed and memory only.
        on_done: called with the number of items done after each batch.

    Raises:
        ValueError: an unknown layer, site, stream or number format; an item with tokens that the model does not take;
            a store with other contents, or an item whose id stands for other content there; values beyond float16.
        RuntimeError: a hook that did not fire exactly once in a pass.
    """
    found = as_items(model, items, confessions)
    contents = Contents(
        layers=check_layers(model, layers, "layers"),
        sites=_sites(sites, found, isinstance(items, pd.DataFrame)),
        streams=check_streams(streams),
        token_layers=check_layers(model, token_layers, "token_layers"),
        token_spans=None if token_spans is None else list(token_spans),
        dtype=check_format(dtype),
        d_model=model.d_model,
        model=model.fingerprint,
        model_dtype=str(model.dtype).removeprefix("torch."),
    )
    _check_items(model, found)
    reads = [reads_of(item, contents) for item in found]
    content = [reads_hash(item, own) for item, own in zip(found, reads, strict=True)]
    names = [item.item_id for item in found]
    budget = batch_tokens or BATCH_TOKENS["cpu" if model.device.type == "cpu" else "other"]
    advance = on_done or (lambda n: None)
    if out is None:
        gathered = _Gathered(len(found), contents)
        _read_all(model, found, reads, contents, budget, range(len(found)), gathered.put, advance)
        return Activations.of_block(contents, gathered.block(), names, content)
    with StoreWriter(out, contents) as writer:
        todo = writer.missing(names, content)
        if len(todo) < len(found):
            advance(len(found) - len(todo))

        def write(places: list[int], block: Block) -> None:
            writer.append(block, [names[i] for i in places], [content[i] for i in places])

        _read_all(model, found, reads, contents, budget, todo, write, advance)
    return open_activations(out, names)


class _Gathered:
    """Where batches come together in memory."""

    def __init__(self, count: int, contents: Contents) -> None:
        self.contents = contents
        shape = (count, len(contents.layers), len(contents.sites), contents.d_model)
        self.values = {stream: np.zeros(shape, FORMATS[contents.dtype]) for stream in contents.streams}
        self.present = np.zeros(shape[:1] + shape[2:3], bool)
        self.counts = np.zeros(count, np.int64)
        self.tokens: dict[int, dict[str, np.ndarray]] = {}  # by item: what each stream has, and "positions"

    def put(self, places: list[int], block: Block) -> None:
        for stream, array in block.values.items():
            self.values[stream][places] = array
        self.present[places] = block.present
        self.counts[places] = block.counts
        if not block.tokens:
            return
        ends = np.cumsum(block.counts)
        for place, start, end in zip(places, ends - block.counts, ends, strict=True):
            kept = {**block.tokens, "positions": block.positions}
            self.tokens[place] = {name: array[start:end] for name, array in kept.items()}

    def block(self) -> Block:
        ordered = [self.tokens[place] for place in sorted(self.tokens)]
        tokens = {name: np.concatenate([own[name] for own in ordered]) for name in (ordered[0] if ordered else ())}
        positions = tokens.pop("positions", np.zeros(0, np.int32))
        return Block(self.values, self.present, tokens, positions, self.counts)


def _sites(asked: Sequence[str] | None, items: Sequence[Item], are_rollouts: bool) -> list[str]:
    if are_rollouts:
        return check_sites(SITES) if asked is None else check_sites(asked, ROLLOUT_SPANS)
    spans = list(dict.fromkeys(name for item in items for name in item.spans))
    if asked is None:
        return [f"{name}.{how}" for name in spans for how in ("last", "mean")]
    return check_sites(asked, spans)


def _check_items(model: Model, items: Sequence[Item]) -> None:
    embeddings: Any = model.hf.get_input_embeddings()
    known = int(embeddings.weight.shape[0])
    for item in items:
        if len(item.token_ids) > model.max_tokens:
            raise ValueError(
                f"item {item.item_id!r} has {len(item.token_ids)} tokens but {model.name} holds {model.max_tokens}:"
                " shorten it"
            )
        if not 0 <= np.min(item.token_ids) <= np.max(item.token_ids) < known:
            raise ValueError(
                f"item {item.item_id!r} has token ids that {model.name} does not: expected 0 to {known - 1}"
            )


@torch.inference_mode()
def _read_all(
    model: Model,
    items: Sequence[Item],
    reads: Sequence[Reads],
    contents: Contents,
    batch_tokens: int,
    todo: Sequence[int],
    put: Callable[[list[int], Block], Any],
    advance: Callable[[int], Any],
) -> None:
    """Hand every batch of the items `todo` to `put`."""
    if not todo:
        return
    layers = sorted({*(contents.layers if contents.sites else []), *contents.token_layers})
    if not layers:
        raise ValueError("nothing is to be read: name layers and sites, or token_layers")
    points = hook_points(model, layers, contents.streams)
    sequences = [np.asarray(items[i].token_ids) for i in todo]
    for batch in plan_batches(sequences, batch_tokens):
        places = [todo[i] for i in batch]
        own = [reads[i] for i in places]
        put(places, _read(model, points, [sequences[i] for i in batch], own, contents))
        advance(len(places))


def _read(
    model: Model, points: Sequence[HookPoint], sequences: Sequence[np.ndarray], reads: Sequence[Reads], what: Contents
) -> Block:
    """One pass over one batch."""
    width = max(map(len, sequences))
    ids = np.zeros((len(sequences), width), np.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
    on_device = torch.from_numpy(ids).to(model.device)
    shared = shared_tokens(sequences, min(own.first for own in reads))
    past = _compute_once(model, points, on_device[:1, :shared], len(sequences)) if shared else None
    plan = to_device(plan_pools([own.spans for own in reads], what.sites, width - shared, shared), model.device)
    kept = [own.positions() for own in reads]
    flat = np.concatenate([row * (width - shared) + own - shared for row, own in enumerate(kept)])
    kept_on_device = torch.from_numpy(flat).to(model.device)

    # One buffer for all that leaves the device: what the sites read, then the kept tokens.
    n_sites, n_tokens, n_streams = len(plan.rows), len(flat), len(what.streams)
    pooled_rows = len(what.layers) * n_streams * n_sites
    token_rows = len(what.token_layers) * n_streams * n_tokens
    buffer = torch.zeros(pooled_rows + token_rows, model.d_model, dtype=getattr(torch, what.dtype), device=model.device)
    pooled = buffer[:pooled_rows].view(n_streams, len(what.layers), n_sites, model.d_model)
    tokens = buffer[pooled_rows:].view(n_streams, n_tokens, len(what.token_layers), model.d_model)
    slots = [(what.streams.index(p.stream), _place(what.layers, p), _place(what.token_layers, p)) for p in points]

    def read(i: int, states: torch.Tensor) -> None:
        stream, layer, token_layer = slots[i]
        if layer is not None:
            pooled[stream, layer] = pool(plan, states)
        if token_layer is not None:
            tokens[stream, :, token_layer] = states.flatten(0, 1).index_select(0, kept_on_device.to(states.device))

    positions = torch.arange(shared, width, device=model.device)[None].expand(len(sequences), -1)
    run_hooked(
        model,
        points,
        read,
        input_ids=on_device[:, shared:],
        position_ids=positions,
        past_key_values=past,
        use_cache=past is not None,
    )
    host = to_numpy(buffer)
    if what.dtype == "float16" and np.isinf(host).any():
        raise ValueError(f"activations of {model.name} are beyond float16 (65,504): capture bfloat16 or float32")
    values = {}
    for number, stream in enumerate(what.streams):
        array = np.zeros((len(sequences), len(what.layers), len(what.sites), what.d_model), FORMATS[what.dtype])
        read_here = host[:pooled_rows].reshape(pooled.shape)[number]
        array[plan.rows, :, plan.columns] = read_here.transpose(1, 0, 2)  # [read, layer, d_model]
        values[stream] = array
    kept_here = host[pooled_rows:].reshape(tokens.shape)
    return Block(
        values,
        np.array([[span is not None for span in own.spans] for own in reads], bool).reshape(len(reads), -1),
        {stream: kept_here[i] for i, stream in enumerate(what.streams)} if what.token_layers else {},
        np.concatenate(kept).astype(np.int32),
        np.array([len(own) for own in kept]),
    )


def _place(layers: Sequence[int], point: HookPoint) -> int | None:
    return layers.index(point.layer) if point.layer in layers else None


def _compute_once(model: Model, points: Sequence[HookPoint], ids: torch.Tensor, rows: int) -> DynamicCache:
    """Keys and values of one sequence, repeated for every row of a batch, as far as the points need them."""
    cache = DynamicCache()
    run_hooked(model, points, lambda i, states: None, input_ids=ids, past_key_values=cache, use_cache=True)
    cache.batch_repeat_interleave(rows)
    return cache


def _transcripts(
    model: Model, rollouts: pd.DataFrame, confessions: pd.DataFrame | None
) -> list[tuple[list[int], dict[str, Span]]]:
    """Token ids and spans of rollouts."""
    found = as_items(model, rollouts, confessions)
    return [(np.asarray(item.token_ids).tolist(), {k: (a, b) for k, (a, b) in item.spans.items()}) for item in found]
