"""Worker processes that each hold one model and one torch thread, which on a CPU beats one process of many threads."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for
from typing import Any

Advance = Callable[[int], Any]
Task = Callable[[Any, Any, Advance], Any]

_state: dict[str, Any] = {}


class Workers:
    """A pool of `count` processes, started at the first `map`; with one, everything runs in this process.

    `start` makes a worker's state (its model) once a worker; it and the shards must be picklable. Use as a context
    manager: leaving it ends the processes.
    """

    def __init__(self, start: Callable[[], Any], count: int = 1) -> None:
        self.start, self.count = start, count
        self._pool: ProcessPoolExecutor | None = None
        self._news: Any = None
        self._own: Any = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def map(self, task: Task, shards: Sequence[Any], advance: Advance = lambda n: None) -> list[Any]:
        """Run `task(state, shard, advance)` for every shard; the results in the order of the shards.

        `task` is a module-level function; `advance` is told the number of items done, as they are done.
        """
        if not shards:
            return []
        if self.count <= 1:
            if self._own is None:
                self._own = self.start()
            return [task(self._own, shard, advance) for shard in shards]
        pool = self._started()
        futures: list[Future[Any]] = [pool.submit(_run, task, shard) for shard in shards]
        waiting: set[Future[Any]] = set(futures)
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                self._drain(advance)
                for future in finished:
                    future.result()
        except BaseException:
            processes = list((pool._processes or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:  # one that is still starting would complain of what is gone (3.14: kill_workers)
                process.terminate()
            raise
        self._drain(advance)
        return [future.result() for future in futures]

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # read when a worker imports torch: idle threads must not spin
            os.environ["TOKENIZERS_PARALLELISM"] = "false"
            os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(8 << 20))  # glibc: give freed caches back at once
            context = multiprocessing.get_context("spawn")
            self._news = context.SimpleQueue()  # a put is written when it returns: no item comes after the result
            self._pool = ProcessPoolExecutor(self.count, context, _enter, (self.start, self._news))
        return self._pool

    def _drain(self, advance: Advance) -> None:
        while not self._news.empty():
            advance(self._news.get())


def _enter(start: Callable[[], Any], news: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    _state["news"] = news
    try:
        _state["own"] = start()
    except Exception as error:  # told by the first task: a pool only says that a worker died
        _state["failed"] = error


def _end_with_parent() -> None:
    """A worker whose parent was killed must not live on."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _run(task: Task, shard: Any) -> Any:
    if "failed" in _state:
        raise _state["failed"]
    return task(_state["own"], shard, _state["news"].put)
