"""A Ray cluster: the same results as one process, work of a dead worker done again, nothing twice."""

from __future__ import annotations

import functools
import importlib
import sys

import pandas as pd
import pytest

from confesslens.config import make_config
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
