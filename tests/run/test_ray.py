"""A Ray cluster: the same results as one process, work of a dead worker done again, nothing twice."""

from __future__ import annotations

import functools
import importlib
import sys

import numpy as np
import pandas as pd
import pytest

from confesslens.config import make_config
from confesslens.probes import sweep
from confesslens.run import run
from confesslens.scale import RayWorkers

ray = pytest.importorskip("ray")

TASKS = """
import os, signal, time
from pathlib import Path


def start(value):
    if value < 0:
        raise ValueError("no model of that name")
    return value


def add(state, shard, advance):
    for _ in range(shard):
        advance(1)
    if shard == 13:
        raise ValueError("bad shard 13")
    return state + shard


def die_once(folder, shard, advance):
    advance(2)
    mark = Path(folder) / f"died-{shard}"
    if shard == 3 and not mark.exists():
        mark.touch()
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    advance(3)
    return 10 * shard


def die(folder, shard, advance):
    os.kill(os.getpid(), signal.SIGKILL)


class KilledOnce:
    # Kills the worker that it is called in, the first time that it is asked about one item.
    def __init__(self, function, mark, item):
        self.function, self.mark, self.item = function, Path(mark), item

    def __call__(self, item):
        if item == self.item and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.function(item)
"""


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """A module that workers can import, as they import their tasks by name."""
    (tmp_path / "ray_tasks.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "ray_tasks", raising=False)
    return importlib.import_module("ray_tasks")


def test_a_cluster_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no Ray cluster at '127.0.0.1:1'"):
        RayWorkers(int, 1, "127.0.0.1:1")


@pytest.mark.slow
def test_results_progress_and_errors(tasks, tmp_path):
    told = []
    with RayWorkers(functools.partial(tasks.start, 100), 2, shared=tmp_path / "run") as workers:
        assert workers.map(tasks.add, [3, 1, 2], told.append) == [103, 101, 102]
        assert workers.map(tasks.add, []) == []
        assert sum(told) == 6
        with pytest.raises(ValueError, match="bad shard 13"):
            workers.map(tasks.add, [1, 13])
    assert not ray.is_initialized() and not list((tmp_path / "run").iterdir())
    with (
        RayWorkers(functools.partial(tasks.start, -1), 1) as workers,
        pytest.raises(ValueError, match="no model of that name"),
    ):
        workers.map(tasks.add, [1])


@pytest.mark.slow
def test_the_shard_of_a_dead_worker_is_done_again(tasks, tmp_path):
    told = []
    with RayWorkers(functools.partial(str, tmp_path), 2) as workers:
        assert workers.map(tasks.die_once, [1, 2, 3, 4, 5], told.append) == [10, 20, 30, 40, 50]
        assert sum(told) == 25 and min(told) == -2  # what the dead worker had told is taken back
        with pytest.raises(RuntimeError, match="3 workers died of the same shard"):
            workers.map(tasks.die, [1])


@pytest.mark.slow
def test_a_run_ends_with_the_same_tables(tiny_folder, tmp_path):
    settings = {"model": str(tiny_folder), "n": 3, "seed": 3, "evals": ["people", "sandbagging"]}
    alone = run(make_config({**settings, "workers": 1}), tmp_path / "alone").path
    on_ray = run(make_config({**settings, "workers": 2, "ray": "local"}), tmp_path / "ray").path
    for name in ("rollouts.parquet", "confessions.parquet", "results/rates.parquet", "results/scores.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(alone / name), pd.read_parquet(on_ray / name), obj=name)


@pytest.mark.slow
def test_a_sweep_finds_the_same_although_a_worker_dies(tasks, tmp_path):
    rng = np.random.default_rng(5)
    labels, groups = np.arange(96) // 2 % 2 == 1, np.arange(96) // 2
    evals = np.where(np.arange(96) < 48, "a", "b")
    values = rng.normal(size=(96, 3, 2, 16)).astype("float32")
    values[labels, 1, 0, :4] += 1.0
    grid = (values, np.ones((96, 2), bool), labels, groups, evals, [0, 1, 2], ["answer.mean", "answer.last"])
    told = []
    here = sweep(*grid, permutations=19, n_boot=50)
    with RayWorkers(int, 2) as workers:

        def each(function, items, advance):
            return workers.each(tasks.KilledOnce(function, tmp_path / "died", items[3]), items, advance)

        there = sweep(*grid, permutations=19, n_boot=50, each=each, progress=lambda done, total: told.append(done))
    assert (tmp_path / "died").exists()
    pd.testing.assert_frame_equal(here.table, there.table)
    np.testing.assert_array_equal(here.nested.score, there.nested.score)
    assert here.p == there.p and told[-1] == 6
