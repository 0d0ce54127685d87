"""Capture against the bare transformer, TransformerLens, plain transformers and nnsight: one JSON line of ratios.

    uv run python benchmarks/capture.py [--small]

All layers at four sites of 256 transcripts of 50 to 400 random tokens (embedded model, float32, one thread). The bare
transformer has the same batches, no hooks and no LM head. The others are used in their ordinary way: batches of 16 in
the order given, padded on the right, the LM head included where it belongs to the call. All give the same array, which
is checked. Speed is paired turn by turn in one process, after a warm round on a few transcripts; peak memory is that
over the loaded model, each in a process of its own.
"""

from __future__ import annotations

import os

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import argparse
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from measure import PeakMemory, paired_ratio, run_alone, seconds_in_turns

import confesslens as cl
from confesslens.activations import Item, site_tokens
from confesslens.activations.batches import plan_batches
from confesslens.activations.capture import BATCH_TOKENS

SITES = ["prompt.last", "answer.mean", "answer.max", "answer.last"]
BATCH = 16


def make_items(small: bool) -> list[Item]:
    """Random tokens; the last third of each transcript is its answer."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, 60, 8) if small else rng.integers(50, 401, 256)
    ids = [rng.integers(10, 40_000, n) for n in lengths]
    return [Item(own, {"prompt": (0, 2 * len(own) // 3), "answer": (2 * len(own) // 3, len(own))}) for own in ids]


def padded(items: list[Item]) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Batches in the order given: places, ids [row, token], mask [row, token]."""
    for first in range(0, len(items), BATCH):
        places = list(range(first, min(first + BATCH, len(items))))
        width = max(len(items[i].token_ids) for i in places)
        ids, mask = torch.zeros(len(places), width, dtype=torch.long), torch.zeros(len(places), width, dtype=torch.long)
        for row, i in enumerate(places):
            own = torch.tensor(np.asarray(items[i].token_ids, np.int64))
            ids[row, : len(own)], mask[row, : len(own)] = own, 1
        yield places, ids, mask


def read_sites(out: np.ndarray, items: list[Item], places: list[int], layer: int, states: torch.Tensor) -> None:
    """What one does with a layer's states [row, token, d_model] where nothing does it for one."""
    for row, i in enumerate(places):
        for column, site in enumerate(SITES):
            start, end = site_tokens(site, items[i].spans) or (0, 0)
            tokens = states[row, start:end]
            out[i, layer, column] = (tokens.amax(0) if site.endswith("max") else tokens.mean(0)).numpy()


def works(model: Any, items: list[Item]) -> dict[str, Callable[[], Any]]:
    """Each way to capture, by name."""
    shape = (len(items), model.n_layers, len(SITES), model.d_model)
    wrapped: dict[str, Any] = {}

    def confesslens() -> np.ndarray:
        return cl.capture(model, items, sites=SITES).values

    @torch.inference_mode()
    def bare() -> None:
        sequences = [np.asarray(item.token_ids) for item in items]
        for batch in plan_batches(sequences, BATCH_TOKENS["cpu"]):
            ids = torch.zeros(len(batch), max(len(sequences[i]) for i in batch), dtype=torch.long)
            for row, i in enumerate(batch):
                ids[row, : len(sequences[i])] = torch.tensor(sequences[i])
            model.hf.base_model(input_ids=ids, use_cache=False)

    @torch.no_grad()
    def hidden_states() -> np.ndarray:
        out = np.zeros(shape, np.float32)
        for places, ids, mask in padded(items):
            found = model.hf(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False)
            for layer, states in enumerate(found.hidden_states[1:]):  # the last one is after the final norm
                read_sites(out, items, places, layer, states)
        return out

    @torch.no_grad()
    def transformer_lens() -> np.ndarray:
        out = np.zeros(shape, np.float32)
        names = [f"blocks.{layer}.hook_resid_post" for layer in range(model.n_layers)]
        for places, ids, mask in padded(items):
            _, cache = model.bridge.run_with_cache(ids, attention_mask=mask, names_filter=names)
            for layer, name in enumerate(names):
                read_sites(out, items, places, layer, cache[name])
        return out

    def nnsight() -> np.ndarray:
        from nnsight import LanguageModel, save

        if "model" not in wrapped:
            wrapped["model"] = LanguageModel(model.hf, tokenizer=model.tokenizer)
        whole = wrapped["model"]
        out = np.zeros(shape, np.float32)
        for places, ids, mask in padded(items):
            with torch.no_grad(), whole.trace({"input_ids": ids, "attention_mask": mask}) as tracer:
                found = save([])
                for layer in range(model.n_layers):
                    found.append(whole.model.layers[layer].output)
                tracer.stop()
            for layer, states in enumerate(found):
                read_sites(out, items, places, layer, states[0] if isinstance(states, tuple) else states)
        return out

    ways = {
        "confesslens": confesslens,
        "bare": bare,
        "hidden_states": hidden_states,
        "transformer_lens": transformer_lens,
    }
    try:
        import nnsight as _  # noqa: F401
    except ImportError:
        return ways
    return {**ways, "nnsight": nnsight}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="a few short transcripts: to see that it runs")
    parser.add_argument("--memory-of", help="print only the peak memory of one way")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    model, items = cl.load_model(), make_items(asked.small)
    ways = works(model, items)
    if asked.memory_of:
        if asked.memory_of == "transformer_lens":
            _ = model.bridge
        longest = sorted(items, key=lambda item: len(item.token_ids))[-BATCH:]
        works(model, longest)["bare"]()  # what any pass allocates at most
        with PeakMemory() as memory:
            ways[asked.memory_of]()
        print(json.dumps({"bytes": memory.gained}))
        return
    for work in works(model, make_items(small=True)).values():  # warm
        work()
    values: dict[str, Any] = {}
    kept = {name: lambda name=name: values.__setitem__(name, ways[name]()) for name in ways}
    seconds = seconds_in_turns(kept, rounds=1 if asked.small else 2, warm=False)
    for name in set(ways) - {"confesslens", "bare"}:
        layers = slice(None, -1) if name == "hidden_states" else slice(None)
        ours = values["confesslens"][:, layers]
        far = np.abs(values[name][:, layers] - ours).max() / np.abs(ours).max()
        assert far < 1e-4, f"{name} gives other values: {far}"
    values.clear()
    small = ["--small"] if asked.small else []
    peaks = {name: run_alone(__file__, "--memory-of", name, *small)["bytes"] for name in ways if name != "bare"}
    others = [name for name in ways if name not in ("confesslens", "bare")]
    speeds = {f"speed_over_{name}": paired_ratio(seconds[name], seconds["confesslens"]) for name in ["bare", *others]}
    if "nnsight" not in ways:
        speeds["speed_over_nnsight"] = "not installed"
    tokens = sum(len(item.token_ids) for item in items)
    known = all(peaks.values())
    print(
        json.dumps(
            {
                "benchmark": "capture",
                "small": asked.small,
                **speeds,
                "peak_memory_over_best_other": round(peaks["confesslens"] / min(peaks[name] for name in others), 2)
                if known
                else None,
                "peak_megabytes": {name: round(peak / 2**20) if peak else None for name, peak in peaks.items()},
                "tokens_per_second": round(tokens / sorted(seconds["confesslens"])[len(seconds["confesslens"]) // 2]),
            }
        )
    )


if __name__ == "__main__":
    main()
