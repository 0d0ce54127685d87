"""Workers: results in order, progress told, errors as they are."""

from __future__ import annotations

import functools

import pytest

from confesslens.scale import Workers


def start(value: int) -> int:
    if value < 0:
        raise ValueError("no model of that name")
    return value


def add(state: int, shard: int, advance) -> int:
    advance(shard)
    if shard == 13:
        raise ValueError("bad shard 13")
    return state + shard


@pytest.mark.parametrize("count", [1, 2])
def test_results_progress_and_errors(count):
    told = []
    with Workers(functools.partial(start, 100), count) as workers:
        assert workers.map(add, [3, 1, 2], told.append) == [103, 101, 102]
        assert workers.map(add, []) == []
        assert sorted(told) == [1, 2, 3]
        with pytest.raises(ValueError, match="bad shard 13"):
            workers.map(add, [1, 13])


@pytest.mark.parametrize("count", [1, 2])
def test_a_start_that_fails_says_why(count):
    with (
        Workers(functools.partial(start, -1), count) as workers,
        pytest.raises(ValueError, match="no model of that name"),
    ):
        workers.map(add, [1])
