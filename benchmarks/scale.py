"""A store of 100,000 items: written and swept in flat memory. One JSON line.

    uv run python benchmarks/scale.py [--small] [--out FOLDER]

Items x 8 layers x 2 sites x d = 4,096 in bfloat16 (13 GB), planted: at every layer and site one direction tells the
labels apart. They are written block by block as capture does; then one layer and site at a time is read and probed.
"""

from __future__ import annotations

import os

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from measure import PeakMemory

from confesslens import probes
from confesslens.activations import open_activations
from confesslens.activations.activations import Block, Contents
from confesslens.activations.formats import to_numpy
from confesslens.activations.store import StoreWriter

LAYERS, SITES, BLOCK = list(range(0, 32, 4)), ["answer.mean", "request.last"], 32


def write(path: Path, n: int, d_model: int, labels: np.ndarray) -> None:
    """Write n planted items."""
    contents = Contents(LAYERS, SITES, ["resid_post"], [], None, "bfloat16", d_model, "planted", "bfloat16")
    noise = torch.Generator().manual_seed(0)
    direction = torch.randn(len(LAYERS), len(SITES), d_model, generator=noise) / d_model**0.5
    with StoreWriter(path, contents) as writer:
        for first in range(0, n, BLOCK):
            own = labels[first : first + BLOCK]
            values = torch.randn(len(own), len(LAYERS), len(SITES), d_model, generator=noise)
            values += torch.tensor(2.0 * own - 1)[:, None, None, None] * direction
            block = Block(
                {"resid_post": to_numpy(values.to(torch.bfloat16))},
                np.ones((len(own), len(SITES)), bool),
                {},
                np.zeros(0, np.int32),
                np.zeros(len(own), np.int64),
            )
            names = [f"item {i}" for i in range(first, first + len(own))]
            writer.append(block, names, names)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="2,000 items of d = 64: to see that it runs")
    parser.add_argument("--out", type=Path, help="folder for the store (default: a temporary one); removed at the end")
    parser.add_argument("--skip-sweep", action="store_true", help="write and read only")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    n, d_model = (2_000, 64) if asked.small else (100_000, 4_096)
    labels = np.arange(n) % 2 == 0
    groups = np.array([f"scenario {i // 20}" for i in range(n)])
    evals = np.full(n, "planted")
    folder = Path(tempfile.mkdtemp(dir=asked.out))
    path = folder / "scale.zarr"
    told: dict[str, object] = {"benchmark": "scale", "small": asked.small, "items": n, "d_model": d_model}
    try:
        start = time.perf_counter()
        with PeakMemory() as memory:
            write(path, n, d_model, labels)
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        gigabytes = 2**30
        told |= {
            "gigabytes": round(size / gigabytes, 2),
            "write_seconds": round(time.perf_counter() - start, 1),
            "write_peak_gigabytes": round((memory.gained or 0) / gigabytes, 3),
        }
        acts = open_activations(path)
        start = time.perf_counter()
        with PeakMemory() as memory:
            for layer in LAYERS:
                for site in SITES:
                    assert acts.at(layer, site).shape == (n, d_model)
        told |= {
            "read_seconds_a_layer_and_site": round((time.perf_counter() - start) / len(LAYERS) / len(SITES), 2),
            "read_peak_gigabytes": round((memory.gained or 0) / gigabytes, 3),
        }
        if not asked.skip_sweep:
            start, found = time.perf_counter(), []
            with PeakMemory() as memory:
                for layer in LAYERS:
                    for site in SITES:
                        values = acts.at(layer, site)[:, None, None]
                        present = np.ones((n, 1), bool)
                        grid = (values, present, labels, groups, evals, [layer], [site])
                        table = probes.sweep(*grid, estimators=["logistic"], jobs=1).table
                        found.append(float(table["auroc"].iloc[0]))
                        del values, grid  # else this layer and site is held while the next one is read
                        passed = (time.perf_counter() - start) / len(found)
                        print(f"{len(found)} of {len(LAYERS) * len(SITES)}, {passed:.0f} s each", file=sys.stderr)
            told |= {
                "sweep_seconds_a_layer_and_site": round((time.perf_counter() - start) / len(found), 2),
                "sweep_peak_gigabytes": round((memory.gained or 0) / gigabytes, 3),
                "least_auroc": round(min(found), 3),
            }
        print(json.dumps(told))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
