"""Streams: what is read of a transformer block, by the names of TransformerLens (`blocks.L.hook_resid_post`, ...)."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from confesslens.closest import no_such
from confesslens.models.blocks import transformer_blocks

if TYPE_CHECKING:
    from confesslens.models import Model

STREAMS = ("resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out")
"""The residual stream before a block, between its attention and MLP, and after it; what attention and MLP add to it."""

_ATTENTION = ("self_attn", "attn", "attention", "self_attention")
_MLP = ("mlp", "feed_forward", "ffn", "block_sparse_moe")
_MLP_NORM = ("pre_feedforward_layernorm", "pre_ff_layernorm", "ln_2", "norm_2", "ffn_norm", "post_attention_layernorm")
_AFTER_ATTENTION = (
    "post_self_attn_layernorm",
    "post_attention_layernorm",
)  # in blocks that also have one after the MLP
_AFTER_MLP = ("post_feedforward_layernorm", "post_mlp_layernorm")
_TRIAL_TOKENS = 4


@dataclass(frozen=True)
class HookPoint:
    """A stream of a layer: the input or the output of a module."""

    layer: int
    stream: str
    module: torch.nn.Module
    is_input: bool = False

    def hook(self, read: Callable[[torch.Tensor], None]) -> Any:
        """Have `read` called with the states [row, token, d_model] of every pass; returns the handle to remove it."""

        def before(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            read(args[0] if args else kwargs["hidden_states"])

        def after(_: Any, _args: Any, output: Any) -> None:
            read(output[0] if isinstance(output, tuple) else output)

        if self.is_input:
            return self.module.register_forward_pre_hook(before, with_kwargs=True)
        return self.module.register_forward_hook(after)


class _Enough(Exception):
    """Nothing that comes later in the pass is needed."""


def check_layers(model: Model, layers: str | Sequence[int], name: str = "layers") -> list[int]:
    """Block numbers as a list; ValueError for those that the model does not have, or that are named twice."""
    chosen = list(range(model.n_layers)) if isinstance(layers, str) else [int(layer) for layer in layers]
    if (isinstance(layers, str) and layers != "all") or not set(chosen) <= set(range(model.n_layers)):
        raise ValueError(f"{name}={layers!r}: expected 'all' or block numbers from 0 to {model.n_layers - 1}")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{name}={layers!r}: name each block number once")
    return chosen


def check_streams(streams: str | Sequence[str]) -> list[str]:
    """The streams as a list; ValueError for an unknown one, one named twice, or none."""
    chosen = [streams] if isinstance(streams, str) else list(streams)
    for stream in chosen:
        if stream not in STREAMS:
            raise ValueError(no_such("stream", stream, STREAMS))
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"streams={chosen}: name one or more of {', '.join(STREAMS)}, each once")
    return chosen


def hook_points(model: Model, layers: Sequence[int], streams: Sequence[str]) -> list[HookPoint]:
    """Where the streams of these layers are read, layer by layer.

    A short trial pass makes sure that every hook fires exactly once and that what attention and MLP put out is what
    the residual stream gains.

    Raises:
        ValueError: a stream that the architecture does not have, or keeps where it is not known.
        RuntimeError: a hook that does not fire exactly once in a pass.
    """
    blocks = transformer_blocks(model)
    points = [_point(model, layer, stream, blocks[layer]) for layer in layers for stream in streams]
    if points:
        _try(model, points, blocks)
    return points


def run_hooked(
    model: Model,
    points: Sequence[HookPoint],
    read: Callable[[int, torch.Tensor], None],
    *,
    stop_early: bool = True,
    **inputs: Any,
) -> None:
    """One pass of the transformer, without LM head: `read(i, states)` gets the states of `points[i]`.

    With `stop_early` the pass ends when all points are read. RuntimeError when one is not read exactly once.
    """
    fired = [0] * len(points)

    def read_once(i: int, states: torch.Tensor) -> None:
        fired[i] += 1
        read(i, states)
        if stop_early and all(fired):
            raise _Enough

    with hooked(points, read_once), contextlib.suppress(_Enough):
        model.hf.base_model(**inputs)
    check_fired(model, points, fired)


@contextlib.contextmanager
def hooked(points: Sequence[HookPoint], read: Callable[[int, torch.Tensor], None]) -> Iterator[None]:
    """Call `read(i, states)` whenever `points[i]` is passed."""
    handles: list[Any] = []
    try:
        for i, point in enumerate(points):
            handles.append(point.hook(functools.partial(read, i)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def check_fired(model: Model, points: Sequence[HookPoint], fired: Sequence[int]) -> None:
    """RuntimeError that names a hook that did not fire exactly once in a pass."""
    for point, times in zip(points, fired, strict=True):
        if times != 1:
            raise RuntimeError(
                f"the hook on {point.stream} of layer {point.layer} fired {times} times in one pass of {model.name}:"
                " expected exactly once"
            )


def _point(model: Model, layer: int, stream: str, block: torch.nn.Module) -> HookPoint:
    if stream in ("resid_pre", "resid_post"):
        return HookPoint(layer, stream, block, is_input=stream == "resid_pre")
    mlp, after_mlp = _child(block, _MLP), _child(block, _AFTER_MLP)
    module: torch.nn.Module | None
    if stream == "attn_out":  # Gemma and OLMo 2 add it after a norm of its own
        module = _child(block, _AFTER_ATTENTION) if after_mlp is not None else _child(block, _ATTENTION)
    elif stream == "mlp_out":
        module = after_mlp if after_mlp is not None else mlp
    elif _is_parallel(model, block):
        raise ValueError(
            f"{model.name} has no resid_mid: attention and MLP of a {type(block).__name__} both read the residual"
            " stream before the block. Leave it out, or read resid_pre"
        )
    else:
        norms = _MLP_NORM if after_mlp is None else _MLP_NORM[:2]
        module = _child(block, norms) or mlp  # OLMo 2 has no norm before the MLP
    if module is None:
        parts = ", ".join(name for name, _ in block.named_children())
        raise ValueError(
            f"it is not known where a {type(block).__name__} keeps its {stream} (it has {parts}): capture resid_pre or"
            " resid_post"
        )
    return HookPoint(layer, stream, module, is_input=stream == "resid_mid")


def _child(block: torch.nn.Module, names: Sequence[str]) -> torch.nn.Module | None:
    return next((child for name in names if (child := getattr(block, name, None)) is not None), None)


def _is_parallel(model: Model, block: torch.nn.Module) -> bool:
    """Whether attention and MLP read the same input (GPT-NeoX, GPT-J, Phi, Falcon, Cohere)."""
    for name in ("use_parallel_residual", "parallel_attn"):
        parallel = getattr(block, name, getattr(model.hf.config.get_text_config(), name, None))
        if parallel is not None:
            return bool(parallel)
    return _child(block, (*_MLP_NORM, *_AFTER_MLP)) is None


@torch.inference_mode()
def _try(model: Model, points: list[HookPoint], blocks: list[torch.nn.Module]) -> None:
    """A short pass to its end: whether every hook fires once, and whether the streams of the first layer add up."""
    ids = torch.arange(_TRIAL_TOKENS, device=model.device)[None]
    run_hooked(model, points, lambda i, states: None, stop_early=False, input_ids=ids, use_cache=False)
    asked = {point.stream for point in points}
    if not asked & {"attn_out", "mlp_out", "resid_mid"}:
        return
    layer = points[0].layer
    parts = [s for s in STREAMS if s != "resid_mid" or s in asked]
    all_points = [_point(model, layer, stream, blocks[layer]) for stream in parts]
    seen: dict[str, torch.Tensor] = {}

    def keep(i: int, states: torch.Tensor) -> None:
        seen[parts[i]] = states.float()

    run_hooked(model, all_points, keep, input_ids=ids, use_cache=False)
    gained = seen["attn_out"] + seen["mlp_out"]
    pairs = [(seen["resid_pre"] + gained, seen["resid_post"])]
    if "resid_mid" in seen:
        pairs.append((seen["resid_pre"] + seen["attn_out"], seen["resid_mid"]))
    for sum_, whole in pairs:
        error = (sum_.to(whole.device) - whole).norm() / (gained.norm() + whole.norm())
        if error > 0.02:  # bfloat16 errs by less than 0.01
            raise ValueError(
                f"what attention and MLP of a {type(blocks[layer]).__name__} put out is not what the residual stream"
                " gains: capture resid_pre or resid_post"
            )
