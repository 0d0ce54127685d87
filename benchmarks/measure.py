"""How the benchmarks measure: works paired turn by turn in one process, and peak memory in a process of its own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def seconds_in_turns(
    works: Mapping[str, Callable[[], Any]], rounds: int = 3, warm: bool = True
) -> dict[str, list[float]]:
    """Seconds [round] of each work; every round does all of them, after one that does not count unless not `warm`."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(-int(warm), rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if turn >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def paired_ratio(one: list[float], other: list[float]) -> float:
    """Median over the rounds of one / other."""
    return round(statistics.median(a / b for a, b in zip(one, other, strict=True)), 3)


class PeakMemory:
    """Most memory (bytes) that this process held inside the context, and how much more that is than at its start.

    Read from /proc every 2 ms; None where there is no /proc.
    """

    def __enter__(self) -> PeakMemory:
        self.before = self.peak = self._now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def gained(self) -> int | None:
        """Bytes above the start."""
        return None if self.peak is None or self.before is None else self.peak - self.before

    def _watch(self) -> None:
        while self.peak is not None and not self._over.wait(0.002):
            self.peak = max(self.peak, self._now() or 0)

    def _now(self) -> int | None:
        status = Path("/proc/self/statm")
        return int(status.read_text().split()[1]) * 4096 if status.exists() else None


def run_alone(script: str, *arguments: str) -> dict[str, Any]:
    """The JSON line that a script prints in a process of its own."""
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{script} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
