"""A Ray cluster of two local workers against two processes by hand: one JSON line of ratios, measured in turns.

    uv run python benchmarks/ray_workers.py [ROUNDS]

Both sample and grade the same 48 tempted and 24 neutral rollouts of the embedded model (2 scenarios an evaluation;
float32, one thread a worker), from nothing, with the start of the processes and of the cluster, and again with workers
that are up. Two rounds, or as many as are asked for, every second in the other order.
"""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
os.environ["OMP_NUM_THREADS"] = "1"

import pandas as pd
from measure import paired_ratio

from confesslens.config import RunConfig, make_config
from confesslens.folder import RunFolder
from confesslens.models import embedded_folder
from confesslens.scale import RayWorkers
from confesslens.shards import Shard, load_worker_model, planned_rollouts, sample_shard

WORKERS = 2


def shards_of(folder: Path, config: RunConfig) -> list[Shard]:
    """Eight shards of whole scenarios, in a run's folder."""
    RunFolder(folder).save_manifest()
    scenarios = [item.scenario.scenario for item in planned_rollouts(config)]
    number = {scenario: i for i, scenario in enumerate(dict.fromkeys(scenarios))}
    places: list[list[int]] = [[] for _ in range(8)]
    for place, scenario in enumerate(scenarios):
        places[number[scenario] % 8].append(place)
    return [Shard(folder, config, i, 8, tuple(own)) for i, own in enumerate(places)]


def by_hand(config: RunConfig, mine: list[Shard], seconds: Any) -> None:
    """One of two processes: its model, then its shards; tells how long the shards took."""
    import torch

    torch.set_num_threads(1)
    model = load_worker_model(config, embedded_folder())
    start = time.perf_counter()
    for shard in mine:
        sample_shard(model, shard, lambda n: None)
    seconds.put(time.perf_counter() - start)


def two_processes(config: RunConfig, folder: Path) -> tuple[float, float]:
    """(seconds in all, seconds of the slower one's shards)."""
    start, shards = time.perf_counter(), shards_of(folder, config)
    context = multiprocessing.get_context("spawn")
    seconds = context.Queue()
    each = [context.Process(target=by_hand, args=(config, shards[i::WORKERS], seconds)) for i in range(WORKERS)]
    for process in each:
        process.start()
    own = [seconds.get() for _ in each]
    for process in each:
        process.join()
    return time.perf_counter() - start, max(own)


def on_ray(config: RunConfig, folder: Path, again: Path) -> tuple[float, float]:
    """(seconds in all, seconds of the same shards once more with workers that are up)."""
    start = time.perf_counter()
    with RayWorkers(functools.partial(load_worker_model, config, embedded_folder()), WORKERS) as workers:
        workers.map(sample_shard, shards_of(folder, config))
        cold = time.perf_counter() - start
        start = time.perf_counter()
        workers.map(sample_shard, shards_of(again, config))
        return cold, time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    config = make_config({"n": 2, "samples": 2, "evals": ["all"], "conditions": ["tempted"], "neutral_samples": 1})
    times: dict[str, list[float]] = {name: [] for name in ("hand", "hand_up", "ray", "ray_up")}
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with tempfile.TemporaryDirectory() as home:
        for turn in range(rounds):
            folders = [Path(home) / f"{name}-{turn}" for name in ("hand", "ray", "again")]
            for name in ("hand", "ray") if turn % 2 == 0 else ("ray", "hand"):
                found = two_processes(config, folders[0]) if name == "hand" else on_ray(config, *folders[1:])
                times[name].append(found[0])
                times[f"{name}_up"].append(found[1])
        parts = [sorted((folder / "parts").glob("*.parquet")) for folder in folders]
        tables = [pd.concat(pd.read_parquet(path) for path in own) for own in parts]
    print(
        json.dumps(
            {
                "benchmark": "ray_workers",
                "ray_over_two_processes": paired_ratio(times["ray_up"], times["hand_up"]),
                "with_start": paired_ratio(times["ray"], times["hand"]),
                "seconds": {name: [round(s, 1) for s in own] for name, own in times.items()},
                "same_rollouts": all(tables[0].equals(other) for other in tables[1:]),
            }
        )
    )


if __name__ == "__main__":
    main()
