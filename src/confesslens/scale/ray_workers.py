"""The same work on a Ray cluster, of GPUs or CPUs: shards go to actors that each hold one model."""

from __future__ import annotations

import os
import socket
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import cpu_count

from confesslens.scale.workers import Advance, Task

LOCAL = "local"
DEATHS = 3
"""Workers that a shard may cost before the run ends: what kills three in a row, a lack of memory say, kills more."""


class RayWorkers:
    """As `Workers`, on a Ray cluster: `map` gives the same results, in the order of the shards.

    A worker holds one shard at a time, so nothing piles up in memory. The shard of a worker that dies is done again by
    a new one; shards write whole files, so nothing is done twice or missing. All nodes must see the run's folder under
    the same path (which is checked), and have ConfessLens installed.
    """

    def __init__(
        self, start: Callable[[], Any], count: int | None = None, address: str = LOCAL, shared: Path | None = None
    ) -> None:
        """`count`: workers, default one a GPU of the cluster or, without any, one a CPU.

        `address` is `local` (a cluster of this machine, which ends with the work) or a cluster's, as `ray.init` takes
        it ("auto", "ray://head:10001", "10.0.0.1:6379"). `shared` is the folder that all nodes must see.

        Raises ValueError when Ray is not installed or no cluster answers.
        """
        try:
            import ray
        except ImportError:
            raise ValueError("--ray needs Ray: pip install 'confesslens[ray]', or leave --ray") from None
        self.ray, self.start, self.shared = ray, start, shared
        self._mine = not ray.is_initialized()
        options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if address == LOCAL:
            options |= {"num_cpus": count or cpu_count(), "include_dashboard": False}
        else:
            options |= {"address": address}
            _refuse_silence(address)
        if self._mine:
            try:
                ray.init(**options)
            except Exception as error:  # a start that takes too long has no class of its own
                first = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise ValueError(f"no Ray cluster at {address!r}: {first}") from None
        has = ray.cluster_resources()
        self.gpus = int(has.get("GPU", 0)) > 0
        self.count = count or max(1, int(has.get("GPU" if self.gpus else "CPU", 1)))
        self._workers: list[Any] = []
        self._news: Any = None

    def __enter__(self) -> RayWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            self.ray.kill(worker)
        self._workers = []
        if self._mine and self.ray.is_initialized():
            self.ray.shutdown()

    def map(self, task: Task, shards: Sequence[Any], advance: Advance = lambda n: None) -> list[Any]:
        """As `Workers.map`. Raises RuntimeError when one shard has cost `DEATHS` workers."""
        if not shards:
            return []
        idle = deque(self._started(len(shards)))
        todo, deaths, told = deque(range(len(shards))), [0] * len(shards), [0] * len(shards)
        results: dict[int, Any] = {}
        under_way: dict[Any, tuple[int, Any]] = {}

        def hear() -> None:
            """Count the items that are done; those of an attempt whose worker died have been taken back."""
            while not self._news.empty():
                for index, attempt, n in self._news.get_nowait_batch(min(1000, self._news.qsize())):
                    if attempt == deaths[index]:
                        told[index] += n
                        advance(n)

        while todo or under_way:
            while todo and idle:
                index, worker = todo.popleft(), idle.popleft()
                under_way[worker.work.remote(task, shards[index], index, deaths[index])] = (index, worker)
            ready, _ = self.ray.wait(list(under_way), timeout=0.2)
            hear()
            for reference in ready:
                index, worker = under_way.pop(reference)
                try:
                    results[index] = self.ray.get(reference)
                    idle.append(worker)
                except self.ray.exceptions.RayTaskError as error:
                    raise (error.cause or error) from None
                except self.ray.exceptions.RayActorError as error:
                    hear()
                    advance(-told[index])
                    told[index], deaths[index] = 0, deaths[index] + 1
                    if deaths[index] == DEATHS:
                        raise RuntimeError(
                            f"{DEATHS} workers died of the same shard, the last one thus: {str(error).splitlines()[0]}"
                        ) from None
                    self._workers.remove(worker)
                    idle.append(self._new_worker())
                    todo.appendleft(index)
        hear()
        return [results[index] for index in range(len(shards))]

    def each(
        self, function: Callable[[Any], Any], items: Sequence[Any], advance: Advance = lambda n: None
    ) -> list[Any]:
        """`function` of every item, in their order: a `probes.Each`.

        The function, with the arrays that it holds, goes to every node once, whose workers share it.
        """
        shared = self.ray.put(function)
        return self.map(_apply, [(_Shared([shared]), item) for item in items], advance)

    def _started(self, most: int) -> list[Any]:
        if self._news is None:
            from ray.util.queue import Queue

            self._news = Queue(actor_options={"num_cpus": 0})
        while len(self._workers) < min(self.count, most):
            self._new_worker()
        return self._workers

    def _new_worker(self) -> Any:
        settings = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        kind = self.ray.remote(_Worker).options(
            num_cpus=1, num_gpus=1 if self.gpus else 0, runtime_env={"env_vars": settings}
        )
        sign = None
        if self.shared is not None:  # a file that only a node with the same folder can find
            self.shared.mkdir(parents=True, exist_ok=True)
            sign = self.shared / f".seen-{uuid.uuid4().hex[:8]}"
            sign.touch()
        try:
            worker: Any = kind.remote(self.start, self._news, str(Path.cwd()), self.gpus)
            if sign is not None and not self.ray.get(worker.sees.remote(str(sign))):
                raise ValueError(
                    f"a node of the cluster does not see {self.shared}: give --out in a folder that all nodes share"
                )
        finally:
            if sign is not None:
                sign.unlink(missing_ok=True)
        self._workers.append(worker)
        return worker


def _refuse_silence(address: str) -> None:
    """Ray itself asks an address for minutes when nobody is there."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        except OSError as error:
            raise ValueError(f"no Ray cluster at {address!r}: {error.strerror or error}") from None


@dataclass(frozen=True)
class _Shared:
    """A reference that Ray is not to follow by itself: a worker does, once."""

    references: list[Any]


_followed: dict[str, Any] = {}


def _apply(_: Any, shard: tuple[_Shared, Any], advance: Advance) -> Any:
    import ray

    (reference,) = shard[0].references
    if reference.hex() not in _followed:
        _followed.clear()
        _followed[reference.hex()] = ray.get(reference)
    result = _followed[reference.hex()](shard[1])
    advance(1)
    return result


class _Worker:
    """Lives on a node of the cluster, with one model."""

    def __init__(self, start: Callable[[], Any], news: Any, home: str, gpus: bool) -> None:
        if os.path.isdir(home):
            os.chdir(home)  # where paths without a beginning are meant
        import torch

        if not gpus:
            torch.set_num_threads(1)
        self.news, self.own, self.failed = news, None, None
        try:
            self.own = start()
        except Exception as error:
            self.failed = error

    def sees(self, path: str) -> bool:
        return os.path.exists(path)

    def work(self, task: Task, shard: Any, index: int, attempt: int) -> Any:
        if self.failed is not None:
            raise self.failed
        return task(self.own, shard, lambda n: self.news.put((index, attempt, n)))
