"""A run: six stages, each reading the stages before it from the run's folder and adding its own files.

    rollouts → confessions → activations → probes → faithfulness → report

A stage whose inputs have not changed is not done again, unless a file of it is gone or damaged. Stages that sample keep
finished shards in `parts/` until they are whole, so that a killed run goes on where it was.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.metadata
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from joblib import cpu_count

from confesslens import stages
from confesslens.activations.store import damaged_parts
from confesslens.closest import no_such
from confesslens.config import RunConfig
from confesslens.folder import MANIFEST, RunFolder, content_key
from confesslens.models import EMBEDDED, Endpoint, embedded_folder
from confesslens.models.devices import device_of
from confesslens.models.endpoint import NO_INTERNALS
from confesslens.models.load import check_model_name, organism_folder
from confesslens.rollouts.rollout import regrade
from confesslens.scale import AnyWorkers, RayWorkers, Workers
from confesslens.shards import ROLLOUTS, asked_rollouts, load_worker_model
from confesslens.stages import ACTIVATIONS

Progress = Callable[[str, int, int], Any]
FORMAT = 5  # of the run folder; a new one makes every stage's inputs new


@dataclass(frozen=True)
class Stage:
    """A stage: what it does, the settings it depends on, and whether redoing it would throw away long work."""

    name: str
    work: Callable[..., None]
    settings: tuple[str, ...]
    long: bool = False


STAGES = (
    Stage(
        "rollouts",
        stages.rollouts,
        (
            *(
                "model",
                "endpoint",
                "sampler",
                "adapter",
                "organism",
                "held_out",
                "dtype",
                "evals",
                "tier",
                "conditions",
                "n",
                "samples",
            ),
            *("neutral_samples", "cot", "temperature", "seed"),
        ),
        long=True,
    ),
    Stage("confessions", stages.confessions, ("free_samples",), long=True),
    Stage("activations", stages.activations, ("sites",), long=True),
    Stage("probes", stages.probe, ("probe_every",)),
    Stage("faithfulness", stages.compare, ()),
    Stage("report", stages.report, ()),
)
"""The stages of a run, in order."""

_SHOWN = ("confesslens", "torch", "transformers", "transformer-lens", "peft", "scikit-learn", "numpy", "pandas", "zarr")


def run(
    config: RunConfig,
    out: str | Path | None = None,
    *,
    until: str | None = None,
    progress: Progress = lambda stage, done, total: None,
    command: str = "",
) -> RunFolder:
    """Do all stages (or those up to `until`) that are not done yet; returns the run's folder.

    Args:
        config: from `make_config`.
        out: the folder; default `config.default_folder()`.
        until: name of the last stage to do.
        progress: called with (stage, items done, items in all).
        command: the command line, kept for the report.

    Raises:
        ValueError: no such stage, or the folder holds a run with other settings (which differ is said), is in use, or
            cannot be written and the run is not whole (a whole one is given back as it is).
    """
    names = [stage.name for stage in STAGES]
    if until is not None and until not in names:
        raise ValueError(no_such("stage", until, names))
    folder = RunFolder(out or config.default_folder())
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{folder.path} cannot be made ({error.strerror}): choose another folder (--out)") from None
    if not os.access(folder.path, os.W_OK) and _is_whole(folder, config, until, progress):
        return folder
    with _locked(folder.path):
        _do_stages(RunFolder(folder.path), config, until, progress, command)
    return RunFolder(folder.path)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from working on the folder; ValueError when one does, or when it cannot be written."""
    lock = FileLock(path / ".lock")
    try:
        if not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, "it is read-only")
        lock.acquire(timeout=0)
    except OSError as error:
        if isinstance(error, Timeout):
            raise ValueError(f"another process is working on {path}: wait for it, or choose another folder") from None
        raise ValueError(
            f"{path} cannot be written ({error.strerror}): make it writable, or copy the folder and work on the copy"
        ) from None
    try:
        yield
    finally:
        lock.release()


def regrade_run(folder: str | Path, *, progress: Progress = lambda stage, done, total: None) -> RunFolder:
    """Grade a run's answers again, for graders that changed since, and redo what follows from it without the model.

    Raises:
        ValueError: the folder holds no run with all confessions and activations.
    """
    path = Path(folder)
    if not (path / MANIFEST).is_file():
        raise ValueError(f"{path} holds no run: expected a folder with {MANIFEST}")
    with _locked(path):
        found = RunFolder(path)
        done = found.manifest.get("stages", {})
        if missing := [stage.name for stage in STAGES if stage.long and stage.name not in done]:
            raise ValueError(f"the run in {path} has no {', '.join(missing)} yet: run it to its end first")
        for stage in STAGES:
            if not stage.long:
                done.pop(stage.name, None)
        found.save_manifest()
        found.write_table(ROLLOUTS, regrade(found.read_table(ROLLOUTS)))
        found.save_manifest()
    config = RunConfig(**found.manifest["config"])
    return run(config, path, progress=progress, command=found.manifest.get("command", ""))


def explore_run(folder: str | Path, *, progress: Progress = lambda stage, done, total: None) -> RunFolder:
    """Colour a run's explorer: score the tokens of its rollouts by its own probe, and write explorer.html again.

    Raises:
        ValueError: the folder holds no whole run, or the run has no probe.
    """
    path = Path(folder)
    if not (path / MANIFEST).is_file() or "report" not in RunFolder(path).manifest.get("stages", {}):
        raise ValueError(f"{path} holds no whole run: run it to its end first")
    with _locked(path):
        found = RunFolder(path)
        config = RunConfig(**found.manifest["config"])
        total, finished = len(asked_rollouts(found)), 0

        def advance(n: int) -> None:
            nonlocal finished
            finished += n
            progress("token scores", finished, total)

        progress("token scores", 0, total)
        model = load_worker_model(config, _embedded(config))
        if isinstance(model, Endpoint):
            raise ValueError(f"{path} cannot be coloured: {NO_INTERNALS}")
        stages.score_tokens_of_run(found, model, advance)
        stages.write_explorer(found)
        found.save_manifest()
    return RunFolder(path)


def stage_keys(config: RunConfig) -> dict[str, str]:
    """A hash for each stage of all that its files depend on: its settings and those of the stages before it."""
    keys, before = {}, content_key({"format": FORMAT, "weights": _weights(config)})
    dumped = config.model_dump(mode="json")
    for stage in STAGES:
        before = content_key({"before": before, "settings": {name: dumped[name] for name in stage.settings}})
        keys[stage.name] = before
    return keys


def _is_whole(run: RunFolder, config: RunConfig, until: str | None, progress: Progress) -> bool:
    """Whether all that is asked for is there and undamaged. Writes nothing."""
    keys = stage_keys(config)
    _refuse_other_settings(run, config, keys)
    done: dict[str, dict[str, Any]] = run.manifest.get("stages", {})
    names = [stage.name for stage in STAGES]
    asked = names[: names.index(until) + 1 if until else None]
    if _damage(run, done, keys, asked)[1] or any(done.get(name, {}).get("key") != keys[name] for name in asked):
        return False
    for name in asked:
        progress(name, 1, 1)
    return True


def _do_stages(run: RunFolder, config: RunConfig, until: str | None, progress: Progress, command: str) -> None:
    names = [stage.name for stage in STAGES]
    keys = stage_keys(config)
    _refuse_other_settings(run, config, keys)
    for left in list(run.path.rglob(".partial-*")):  # half-written by a process that was killed
        run.remove(str(left.relative_to(run.path)))
    done: dict[str, dict[str, Any]] = run.manifest.setdefault("stages", {})
    asked = names[: names.index(until) + 1 if until else None]
    for name in _damaged_stages(run, done, keys, asked):  # it and what follows from it is done again
        done.pop(name, None)
    todo = [stage for stage in STAGES if done.get(stage.name, {}).get("key") != keys[stage.name]]
    todo = [stage for stage in todo if stage.name in asked]
    for stage in STAGES:
        if stage not in todo and stage.name in done:
            progress(stage.name, 1, 1)
    if not todo:
        return
    if config.endpoint is None:
        check_model_name(config.model)  # before any process is started for it
    run.manifest.update(
        config=config.model_dump(mode="json"),
        versions={"python": platform.python_version(), **_versions()},
        command=command,
        keys=keys,
    )
    run.manifest.setdefault("created", datetime.now(UTC).isoformat(timespec="seconds"))
    run.manifest.setdefault("model", {}).update(
        name=config.model,
        adapter=config.adapter or config.organism or "",
        endpoint=config.endpoint or "",
        sampler=config.sampler or "",
    )
    run.save_manifest()
    with _workers(run, config) as workers:
        for stage in todo:
            total = stages.sizes(config, run.manifest["model"].get("layers", 1))[stage.name]
            finished = 0

            def advance(n: int, stage: Stage = stage, total: int = total) -> None:
                nonlocal finished
                finished += n
                progress(stage.name, min(finished, total), total)

            progress(stage.name, 0, total)
            for later in STAGES[STAGES.index(stage) :]:
                done.pop(later.name, None)
            run.save_manifest()
            run.written.clear()
            started = time.monotonic()
            stage.work(run, config, workers, advance)
            seconds = round(time.monotonic() - started, 1)
            files = list(dict.fromkeys(run.written))
            done[stage.name] = {"status": "done", "seconds": seconds, "key": keys[stage.name], "files": files}
            run.save_manifest()
            for part in (run.path / "parts").glob(f"{stage.name}-*"):
                part.unlink()
            with contextlib.suppress(OSError):
                (run.path / "parts").rmdir()
            progress(stage.name, total, total)


def _damage(
    run: RunFolder, done: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str], asked: list[str]
) -> tuple[set[str], set[str]]:
    """The files that are gone or no more what was written, and the stages that they are of.

    The activations' bytes are all read only where probes are about to be fitted to them.
    """
    damaged = set(run.damaged())
    found = {name for name, stage in done.items() if damaged & set(stage.get("files", []))}
    store = run.path / ACTIVATIONS
    if "activations" not in done or run.manifest["config"].get("endpoint") is not None:
        return damaged, found
    kept = not {"rollouts", "confessions"} & found and done["activations"].get("key") == keys["activations"]
    fitted = "probes" not in found and done.get("probes", {}).get("key") == keys["probes"]
    used = kept and not fitted and "probes" in asked
    parts = damaged_parts(store, read=used)
    if parts or not (store / "zarr.json").is_file():
        found.add("activations")
        damaged |= {f"{ACTIVATIONS}/{part}" for part in parts} or {ACTIVATIONS}
    return damaged, found


def _damaged_stages(
    run: RunFolder, done: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str], asked: list[str]
) -> list[str]:
    """Stages whose files are gone or no more what was written, and all stages after the first of them."""
    damaged, found = _damage(run, done, keys, asked)
    owned = {name for stage in done.values() for name in stage.get("files", [])}
    for name in damaged - owned:  # of a stage that is to be done anyway, or what `explore` adds
        if not name.startswith(ACTIVATIONS):
            run.remove(name)
    names = [stage.name for stage in STAGES]
    first = min((names.index(name) for name in found), default=len(names))
    if found:
        lost = ", ".join(sorted(damaged))
        warnings.warn(f"{run.path}: damaged or gone: {lost}. Done again from {names[first]}.", stacklevel=4)
    return names[first:]


def _refuse_other_settings(run: RunFolder, config: RunConfig, keys: dict[str, str]) -> None:
    """Long work of another run is not thrown away unasked."""
    begun: dict[str, str] = run.manifest.get("keys", {})
    if all(begun.get(stage.name, keys[stage.name]) == keys[stage.name] for stage in STAGES if stage.long):
        return
    had, now = run.manifest.get("config", {}), config.model_dump(mode="json")
    names = [name for stage in STAGES if stage.long for name in stage.settings if had.get(name) != now[name]]
    differ = ", ".join(f"{name} = {had.get(name)!r}, asked for {now[name]!r}" for name in names)
    raise ValueError(
        f"{run.path} holds a run with other settings ({differ or 'other weights or format'}): choose another --out,"
        " or remove that folder"
    )


def _embedded(config: RunConfig) -> Path | None:
    return embedded_folder() if config.model == EMBEDDED and config.endpoint is None else None


def _weights(config: RunConfig) -> list[Any]:
    """What tells one model's weights from another's without reading them: the cached folder's hash, or file sizes."""
    embedded = _embedded(config)
    found: list[Any] = [embedded.name if embedded else config.model]
    organism = str(organism_folder(config.organism)) if config.organism else None
    for place in (config.adapter, organism, None if embedded else config.model):
        path = Path(place).expanduser() if place else None
        if path is not None and path.exists():
            files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
            found += [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return found


def _workers(run: RunFolder, config: RunConfig) -> AnyWorkers:
    start = functools.partial(load_worker_model, config, _embedded(config))
    if config.ray is None or config.endpoint is not None:  # replies are only waited for
        return Workers(start, _worker_count(config))
    return RayWorkers(start, config.workers, config.ray, run.path.resolve())


def _worker_count(config: RunConfig) -> int:
    if config.endpoint is not None:
        return 1  # it waits for replies, several at a time
    if config.workers is not None:
        return config.workers
    on_cpu = device_of(config.device).type == "cpu"
    return min(cpu_count(), 8) if on_cpu else 1  # the cores that it may use, under Slurm or in a container too


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _SHOWN}
