"""How much of an accelerator the capture pass uses: one JSON line.

    uv run python benchmarks/gpu_capture.py [--small] [--peak-tflops N]

A randomly initialised model of the shape of Llama 3 8B in bfloat16, all layers at four sites, 256 transcripts of 200 to
1,000 random tokens; against the bare transformer over the same batches, without hooks and LM head. Model FLOP
utilisation is what the tokens need, not the padding (2 a weight and token, and the lower half of attention: PaLM,
arXiv 2204.02311, appendix B, forward pass alone), over the dense bfloat16 peak of the accelerator. With --small a tiny
model on any machine: to see that it runs.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import torch
from measure import paired_ratio, seconds_in_turns
from transformers import LlamaConfig, LlamaForCausalLM

import confesslens as cl
from confesslens.activations import Item
from confesslens.activations.batches import plan_batches
from confesslens.activations.capture import BATCH_TOKENS
from confesslens.models import Model

SITES = ["prompt.last", "answer.mean", "answer.max", "answer.last"]
PEAK_TFLOPS = {"H100": 989.0, "H200": 989.0, "A100": 312.0}
"""Dense bfloat16, from the makers' data sheets (SXM forms)."""


def make_model(small: bool, device: str) -> Model:
    """Random weights, made where they are used."""
    shape = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32}
    if small:
        shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 8}
    config = LlamaConfig(**shape, num_key_value_heads=8, vocab_size=500 if small else 128_256, dtype=torch.bfloat16)
    torch.manual_seed(0)
    with torch.device(device):
        hf = LlamaForCausalLM(config).to(torch.bfloat16).eval()
    return Model("8B-shaped", hf, tokenizer=None)  # type: ignore[arg-type]


def make_items(small: bool) -> list[Item]:
    """Random tokens; the last third of each transcript is its answer."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, 60, 8) if small else rng.integers(200, 1001, 256)
    ids = [rng.integers(10, 400, n) for n in lengths]
    return [Item(own, {"prompt": (0, 2 * len(own) // 3), "answer": (2 * len(own) // 3, len(own))}) for own in ids]


def forward_flops(model: Model, items: list[Item]) -> float:
    """Of all items' tokens, without the LM head."""
    blocks = sum(p.numel() for layer in model.hf.base_model.layers for p in layer.parameters())
    lengths = [len(item.token_ids) for item in items]
    attention = sum(2 * model.n_layers * model.d_model * n * n for n in lengths)  # QK' and AV: 4 n^2 d, half of it
    return 2.0 * blocks * sum(lengths) + attention


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="a tiny model and a few transcripts: to see that it runs")
    parser.add_argument("--peak-tflops", type=float, help="dense bfloat16, of an accelerator that is not known here")
    asked = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not asked.small:
        parser.error("no CUDA device here: give --small to see that it runs")
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    peak = asked.peak_tflops or next((value for key, value in PEAK_TFLOPS.items() if key in name), None)
    model, items = make_model(asked.small, device), make_items(asked.small)
    sequences = [np.asarray(item.token_ids) for item in items]
    batches = list(plan_batches(sequences, BATCH_TOKENS["cpu" if device == "cpu" else "other"]))

    def done() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    def capture() -> None:
        cl.capture(model, items, sites=SITES, dtype="bfloat16")
        done()

    @torch.inference_mode()
    def bare() -> None:
        for batch in batches:
            ids = torch.zeros(len(batch), max(len(sequences[i]) for i in batch), dtype=torch.long)
            for row, i in enumerate(batch):
                ids[row, : len(sequences[i])] = torch.tensor(sequences[i])
            model.hf.base_model(input_ids=ids.to(device), use_cache=False)
        done()

    seconds = seconds_in_turns({"capture": capture, "bare": bare}, rounds=2 if asked.small else 5)
    flops = forward_flops(model, items)

    def utilisation(way: str) -> float | None:
        return round(flops / float(np.median(seconds[way])) / 1e12 / peak, 3) if peak else None

    told = {
        "benchmark": "gpu_capture",
        "small": asked.small,
        "device": name,
        "parameters": model.hf.num_parameters(),
        "capture_mfu": utilisation("capture"),
        "bare_mfu": utilisation("bare"),
        "speed_over_bare": paired_ratio(seconds["bare"], seconds["capture"]),
        "tokens_per_second": round(sum(map(len, sequences)) / float(np.median(seconds["capture"]))),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
