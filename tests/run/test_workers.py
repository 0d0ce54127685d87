"""Workers: results in order, progress told, errors as they are."""

from __future__ import annotations

import functools
import importlib
import sys

import pytest

from confesslens.scale import Workers

TASKS = """
def start(value):
    if value < 0:
        raise ValueError("no model of that name")
    return value


def add(state, shard, advance):
    advance(shard)
    if shard == 13:
        raise ValueError("bad shard 13")
    return state + shard
"""


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """A module that workers can import, as they import their tasks by name."""
    (tmp_path / "worker_tasks.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "worker_tasks", raising=False)
    return importlib.import_module("worker_tasks")


@pytest.mark.parametrize("count", [1, 2])
def test_results_progress_and_errors(count, tasks):
    told = []
    with Workers(functools.partial(tasks.start, 100), count) as workers:
        assert workers.map(tasks.add, [3, 1, 2], told.append) == [103, 101, 102]
        assert workers.map(tasks.add, []) == []
        assert sorted(told) == [1, 2, 3]
        with pytest.raises(ValueError, match="bad shard 13"):
            workers.map(tasks.add, [1, 13])


@pytest.mark.parametrize("count", [1, 2])
def test_a_start_that_fails_says_why(count, tasks):
    with (
        Workers(functools.partial(tasks.start, -1), count) as workers,
        pytest.raises(ValueError, match="no model of that name"),
    ):
        workers.map(tasks.add, [1])
