"""Worker processes that each hold one model and one torch thread, which on a CPU beats one process of many threads."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for
from typing import Any

Advance = Callable[[int], Any]
Task = Callable[[Any, Any, Advance], Any]

_state: dict[str, Any] = {}


def run_shards(
    task: Task,
    shards: Sequence[Any],
    start: Callable[[], Any],
    *,
    workers: int = 1,
    advance: Advance = lambda n: None,
) -> list[Any]:
    """Run `task(worker_state, shard, advance)` for every shard; returns the results in the order of the shards.

    Args:
        task: a module-level function (it travels to the workers by name).
        shards: what to work on, each picklable.
        start: makes a worker's state (its model), once a worker.
        workers: processes; with 1 everything runs in this process.
        advance: told the number of items done, as they are done.
    """
    if not shards:
        return []
    if workers <= 1:
        state = start()
        return [task(state, shard, advance) for shard in shards]
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # before a worker imports torch: idle threads must not spin
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    context = multiprocessing.get_context("spawn")
    news = context.Queue()
    workers = min(workers, len(shards))
    with ProcessPoolExecutor(workers, context, _enter, (start, news)) as pool:
        futures: list[Future[Any]] = [pool.submit(_run, task, shard) for shard in shards]
        try:
            waiting: set[Future[Any]] = set(futures)
            while waiting:
                finished, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                _drain(news, advance)
                for future in finished:
                    future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        _drain(news, advance)
        return [future.result() for future in futures]


def _drain(news: Any, advance: Advance) -> None:
    while True:
        try:
            advance(news.get_nowait())
        except queue.Empty:
            return


def _enter(start: Callable[[], Any], news: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    _state.update(own=start(), news=news)


def _end_with_parent() -> None:
    """A worker whose parent was killed must not live on."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _run(task: Task, shard: Any) -> Any:
    return task(_state["own"], shard, _state["news"].put)
