"""One teacher-forced, hooked pass over stored token ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from transformers import DynamicCache

from confesslens.activations.sites import SITES, check_sites, pool_site, site_tokens
from confesslens.confessions.confess import request_ids

if TYPE_CHECKING:
    from confesslens.models import Model

BATCH_TOKENS = 2048
LEAST_SHARED = 32  # tokens that a batch must share for them to be computed once


@dataclass(frozen=True)
class Activations:
    """Residual stream after each block (TransformerLens `blocks.L.hook_resid_post`), one vector a site.

    Attributes:
        values: [rollout, layer, site, d_model], float32; zero where absent.
        present: [rollout, site]; False where the transcript has no such span.
        layers: block numbers, the second axis.
        sites: site names, the third axis.
        rollout_ids: the first axis.
        model: fingerprint of the model that computed them.
        dtype: number format of that model's forward pass.
    """

    values: Float[np.ndarray, "rollout layer site d_model"]
    present: Bool[np.ndarray, "rollout site"]
    layers: list[int]
    sites: list[str]
    rollout_ids: list[str]
    model: str = ""
    dtype: str = "float32"

    def at(self, layer: int, site: str) -> Float[np.ndarray, "rollout d_model"]:
        """Activations [rollout, d_model] at one layer and site.

        Raises KeyError when these were not captured, ValueError when some rollout has no such site.
        """
        if layer not in self.layers or site not in self.sites:
            raise KeyError(f"layer {layer}, site {site!r} not captured: layers {self.layers}, sites {self.sites}")
        column = self.sites.index(site)
        if not self.present[:, column].all():
            missing = int((~self.present[:, column]).sum())
            raise ValueError(f"{missing} rollouts have no {site!r}: select those where present[:, {column}] is True")
        return self.values[:, self.layers.index(layer), column]


def capture(
    model: Model,
    rollouts: pd.DataFrame,
    confessions: pd.DataFrame | None = None,
    *,
    layers: str | Sequence[int] = "all",
    sites: Sequence[str] = SITES,
    batch_tokens: int = BATCH_TOKENS,
    on_done: Callable[[int], Any] | None = None,
) -> Activations:
    """Read the residual stream of rollouts at named sites.

    Each transcript is fed back once, as stored ids: prompt, chain of thought, answer, the constant request and, where
    guided `confessions` are given, the confession up to its verdict. Transcripts that begin alike and are of like
    length share a batch, padded on the right, where a causal model cannot see the padding; the tokens that a whole
    batch begins with are computed once; the LM head is left out.

    Args:
        model: the model that made the rollouts.
        rollouts: a rollouts table.
        confessions: a confessions table, needed for `confession.verdict`.
        layers: "all" or block numbers.
        sites: names from `SITES`; a site that a transcript does not have is marked absent.
        batch_tokens: padded tokens a batch; changes speed and memory only.
        on_done: called with the number of rollouts done after each batch.
    """
    chosen = list(range(model.n_layers)) if isinstance(layers, str) else list(layers)
    if (isinstance(layers, str) and layers != "all") or not set(chosen) <= set(range(model.n_layers)):
        raise ValueError(f"layers={layers!r}: expected 'all' or block numbers from 0 to {model.n_layers - 1}")
    names = check_sites(sites)
    transcripts = list(_transcripts(model, rollouts, confessions))
    values = np.zeros((len(transcripts), len(chosen), len(names), model.d_model), np.float32)
    present = np.zeros((len(transcripts), len(names)), bool)
    for batch in _batches([ids for ids, _ in transcripts], batch_tokens):
        tokens = [[site_tokens(site, transcripts[i][1]) for site in names] for i in batch]
        present[batch] = [[span is not None for span in row] for row in tokens]
        values[batch] = _read(model, [transcripts[i][0] for i in batch], tokens, chosen, names)
        if on_done:
            on_done(len(batch))
    dtype = str(model.dtype).removeprefix("torch.")
    return Activations(values, present, chosen, names, rollouts["rollout_id"].tolist(), model.fingerprint, dtype)


def transformer_blocks(model: Model) -> list[torch.nn.Module]:
    """The transformer blocks, in order, of any decoder-only transformers model."""
    for module in model.hf.base_model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == model.n_layers:
            return list(module)
    raise ValueError(f"{type(model.hf).__name__} has no list of {model.n_layers} blocks: its layers cannot be hooked")


def _transcripts(
    model: Model, rollouts: pd.DataFrame, confessions: pd.DataFrame | None
) -> Iterator[tuple[list[int], dict[str, Any]]]:
    guided = {}
    if confessions is not None:
        rows = confessions[confessions["mode"] == "guided"].to_dict("records")
        guided = {row["rollout_id"]: row for row in rows}
    for row in rollouts.to_dict("records"):
        ids, spans = [int(token) for token in row["token_ids"]], json.loads(row["spans"])
        if confession := guided.get(row["rollout_id"]):
            spans |= json.loads(confession["spans"])
            ids = [int(token) for token in confession["token_ids"][: spans["verdict"][1]]]
        else:
            request = request_ids(model, row)
            spans["request"] = (len(ids), len(ids) + len(request))
            ids += request
        yield ids, spans


def _batches(sequences: Sequence[list[int]], batch_tokens: int) -> Iterator[list[int]]:
    """Indices in batches of like beginning and length, each at most `batch_tokens` when padded, or one transcript."""
    batch: list[int] = []
    for index in sorted(range(len(sequences)), key=lambda i: (sequences[i][:LEAST_SHARED], -len(sequences[i]))):
        longest = max(len(sequences[i]) for i in [*batch, index])
        if batch and (len(batch) + 1) * longest > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _shared_tokens(sequences: list[list[int]], tokens: list[list[tuple[int, int] | None]]) -> int:
    """How many first tokens all sequences of a batch share, before any that is read; 0 where it is not worth it."""
    reads = [span[0] for row in tokens for span in row if span is not None]
    limit = min([len(sequence) - 1 for sequence in sequences] + reads)
    first, last = min(sequences), max(sequences)  # in dictionary order, so they part where any two part
    shared = next((i for i in range(limit) if first[i] != last[i]), limit)
    return shared if shared >= LEAST_SHARED and len(sequences) > 1 else 0


def _compute_once(model: Model, ids: torch.Tensor, rows: int) -> DynamicCache:
    """Keys and values of one sequence, repeated for every row of a batch."""
    cache = DynamicCache()
    model.hf.base_model(input_ids=ids, past_key_values=cache, use_cache=True)
    cache.batch_repeat_interleave(rows)
    return cache


@torch.inference_mode()
def _read(
    model: Model,
    sequences: list[list[int]],
    tokens: list[list[tuple[int, int] | None]],
    layers: list[int],
    sites: list[str],
) -> Float[np.ndarray, "batch layer site d_model"]:
    ids = torch.zeros(len(sequences), max(map(len, sequences)), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
    ids = ids.to(model.device)
    shared = _shared_tokens(sequences, tokens)
    past = _compute_once(model, ids[:1, :shared], len(sequences)) if shared else None
    out = torch.zeros(len(sequences), len(layers), len(sites), model.d_model, device=model.device)
    fired = [0] * len(layers)

    def hook(place: int) -> Callable[..., None]:
        def read(_module: Any, _inputs: Any, output: Any) -> None:
            fired[place] += 1
            states = output[0] if isinstance(output, tuple) else output
            for row, spans in enumerate(tokens):
                for column, span in enumerate(spans):
                    if span is not None:
                        out[row, place, column] = pool_site(
                            sites[column], states[row, span[0] - shared : span[1] - shared]
                        )

        return read

    blocks = transformer_blocks(model)
    handles = [blocks[layer].register_forward_hook(hook(place)) for place, layer in enumerate(layers)]
    try:
        positions = torch.arange(shared, ids.shape[1], device=ids.device)[None].expand(len(sequences), -1)
        model.hf.base_model(
            input_ids=ids[:, shared:], position_ids=positions, past_key_values=past, use_cache=past is not None
        )
    finally:
        for handle in handles:
            handle.remove()
    if set(fired) - {1}:
        raise RuntimeError(f"hooks fired {sorted(set(fired))} times in one pass of {model.name}: expected once each")
    return out.cpu().numpy()
