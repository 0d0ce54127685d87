"""Many fits that share large arrays: in threads here, or wherever an `Each` takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

Each = Callable[[Callable[[Any], Any], Sequence[Any], Callable[[int], Any]], list[Any]]
"""`each(function, items, advance)`: the function of every item, in order; `advance(1)` is called as each is done."""


def in_threads(jobs: int) -> Each:
    """In so many threads: they share arrays without a copy, start at once, and the heavy parts release the
    interpreter lock."""

    def each(function: Callable[[Any], Any], items: Sequence[Any], advance: Callable[[int], Any]) -> list[Any]:
        def numbered(number: int) -> tuple[int, Any]:
            return number, function(items[number])

        results: dict[int, Any] = {}
        with threadpool_limits(1):
            done = Parallel(n_jobs=jobs, backend="threading", return_as="generator_unordered")(
                delayed(numbered)(number) for number in range(len(items))
            )
            for number, result in done:
                results[number] = result
                advance(1)
        return [results[number] for number in range(len(items))]

    return each
