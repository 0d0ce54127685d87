"""A run's folder: its manifest, and files that appear whole or not at all."""

from __future__ import annotations

import hashlib
import html
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from confesslens.closest import one_line, shown

MANIFEST = "manifest.json"


class RunFolder:
    """The files of one run. `manifest` is what manifest.json holds."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"{self.path} is a file: give a folder for the run")
        self.manifest: dict[str, Any] = {}
        self.written: list[str] = []  # by this object
        if (self.path / MANIFEST).is_file():
            try:
                self.manifest = _checked(json.loads((self.path / MANIFEST).read_text(encoding="utf-8")))
            except (ValueError, RecursionError) as error:
                why = one_line(error)
                raise ValueError(f"{self.path / MANIFEST} is damaged ({why}): choose another folder") from None
        elif self.path.is_dir() and any(not _is_passing(entry) for entry in self.path.iterdir()):
            raise ValueError(f"{self.path} holds other files and no {MANIFEST}: choose an empty or new folder")

    def _repr_html_(self) -> str:
        about, stages = self.manifest.get("config", {}), self.manifest.get("stages", {})
        told = {"model": self.manifest.get("model", {}).get("name", about.get("model", "")), **about}
        given = {name: told.get(name) for name in ("model", "organism", "adapter", "evals", "n", "samples", "seed")}
        listed = {name: ", ".join(map(str, v)) if isinstance(v, list) else v for name, v in given.items()}
        lines = [f"{name}: {value}" for name, value in listed.items() if value is not None]
        lines += [
            f"{name}: {stage.get('status', '')}, {stage.get('seconds', 0):.0f} s" for name, stage in stages.items()
        ]
        sentences = self.path / "results" / "sentences.parquet"
        if sentences.is_file():
            lines += pd.read_parquet(sentences)["text"].head(4).tolist()
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        return f"<b>Run in <code>{html.escape(str(self.path))}</code></b><ul>{items}</ul>"

    def save_manifest(self) -> None:
        """Write manifest.json."""
        text = json.dumps(self.manifest, indent=1, ensure_ascii=False)
        self.write(MANIFEST, lambda path: path.write_text(text + "\n", encoding="utf-8"))

    def write(self, name: str, writer: Callable[[Path], Any]) -> Path:
        """Let `writer` write a file under a passing name, then give it its own."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".partial-{os.getpid()}-{target.name}")
        try:
            writer(partial)
        except OSError:  # a full disk: the half of a file is of no use
            partial.unlink(missing_ok=True)
            raise
        if name != MANIFEST:
            self.manifest.setdefault("files", {})[name] = _sha256(partial)
            self.written.append(name)
        partial.replace(target)
        return target

    def damaged(self) -> list[str]:
        """The files that the manifest knows and that are gone, or no more what was written."""
        return [
            name
            for name, sha256 in self.manifest.get("files", {}).items()
            if not (self.path / name).is_file() or _sha256(self.path / name) != sha256
        ]

    def write_table(self, name: str, table: pd.DataFrame) -> Path:
        """Write a parquet table; `save_manifest` keeps that it is what was written."""
        return self.write(name, lambda path: table.to_parquet(path, index=False))

    def read_table(self, name: str) -> pd.DataFrame:
        """Read a parquet table.

        Raises:
            FileNotFoundError: it is not there yet.
            ValueError: it cannot be read, or is no more what was written.
        """
        path = self.path / name
        if not path.is_file():
            raise FileNotFoundError(f"there is no {path}: run the stages before this one first")
        known = (self.manifest.get("files", {}).get(name), RunFolder(self.path).manifest.get("files", {}).get(name))
        why = (
            "it is not what the run wrote; what you change yourself, write with RunFolder.write_table"
            if known[0] and _sha256(path) not in known
            else ""
        )
        if not why:
            try:
                return pd.read_parquet(path)
            except Exception as error:  # pandas and pyarrow trust what a file says of itself
                why = one_line(error)
        raise ValueError(f"{path} is damaged ({why}): repeat the run's command, and its stage is done again")

    def remove(self, name: str) -> None:
        """Remove a file or folder, if there."""
        target = self.path / name
        files = self.manifest.get("files", {})
        for known in [known for known in files if known == name or known.startswith(f"{name}/")]:
            del files[known]
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables of `results/`, by name."""
        found = sorted((self.path / "results").glob("*.parquet"))
        return {path.stem: self.read_table(f"results/{path.name}") for path in found}


def open_run(path: str | Path) -> RunFolder:
    """A folder that holds a run.

    Raises:
        ValueError: it holds none.
    """
    found = RunFolder(path)
    if not found.manifest:
        raise ValueError(f"{path} holds no run: expected a folder with {MANIFEST}")
    return found


def _checked(manifest: Any) -> dict[str, Any]:
    """The manifest, of the kinds that the stages take it for; ValueError saying what is not. A run's folder can come
    from somebody else, and files are removed by the names that it tells: none leads out of it."""
    if not isinstance(manifest, dict):
        raise ValueError("expected an object")
    for key in ("config", "model", "stages", "files", "keys", "versions"):
        if not isinstance(manifest.get(key, {}), dict):
            raise ValueError(f"{key}: expected an object, found {shown(manifest[key])}")
    for name, sha256 in manifest.get("files", {}).items():
        outside = "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts
        if not isinstance(sha256, str) or outside or len(os.fsencode(name)) > 255:
            raise ValueError(f"files: expected a path inside the folder and its hash, found {shown(name)}")
    for name, stage in manifest.get("stages", {}).items():
        seconds = stage.get("seconds", 0) if isinstance(stage, dict) else None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or abs(seconds) > 1e12:
            raise ValueError(f"stages: expected an object with seconds for {shown(name)}, found {shown(stage)}")
        if not isinstance(stage.get("files", []), list) or not all(isinstance(n, str) for n in stage.get("files", [])):
            raise ValueError(f"stages: expected a list of names as files of {shown(name)}")
    return manifest


def _is_passing(path: Path) -> bool:
    """What a process that was killed before it wrote a manifest can leave."""
    return path.name == ".lock" or path.name.startswith(".partial-")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_key(value: Mapping[str, Any]) -> str:
    """Short hash of JSON-able settings."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def keep_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write what a long piece of work depends on, or check that it is begun work with the same.

    Raises:
        ValueError: the file tells other settings.
    """
    asked = json.loads(json.dumps(settings))
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")
        return
    had = json.loads(path.read_text(encoding="utf-8"))
    if differ := [
        f"{k} = {had.get(k)!r}, asked for {asked.get(k)!r}" for k in asked | had if had.get(k) != asked.get(k)
    ]:
        raise ValueError(f"{path.parent} holds work with other settings ({'; '.join(differ)}): choose another folder")
