"""What this machine can run: cores, memory, accelerators, caches, the sandbox, extras, and whether a model fits."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import cpu_count

OK, WARNING, MISSING = "ok", "warning", "missing"
_ROOM = 1.5
"""How much more than its weights a process needs: activations, the cache of keys and values, the libraries."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `state` is one of ok, warning (it works, but), missing (something cannot be done)."""

    what: str
    state: str
    found: str
    remedy: str = ""


def examine(model: str | None = None) -> list[Finding]:
    """Look at this machine and, if one is named, at a model, of which nothing but configuration and tokenizer is read.

    Args:
        model: as `load_model` takes it.
    """
    return [*_machine(), *_places(), *_programs(), *_extras(), *(_model(model) if model else ())]


def _machine() -> Iterator[Finding]:
    import psutil
    import torch

    version = ".".join(map(str, sys.version_info[:3]))
    known = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "Python", OK if known else WARNING, version, "" if known else "tested on 3.11 to 3.13: use one of them"
    )
    cores, memory = cpu_count(), psutil.virtual_memory()
    yield Finding(
        "processor", OK, f"{cores} core{'s' * (cores > 1)}; a run uses one worker process a core, of one thread each"
    )
    free = memory.available / 1e9
    enough = free >= 6
    yield Finding(
        "memory",
        OK if enough else WARNING,
        f"{free:.0f} of {memory.total / 1e9:.0f} GB free",
        "" if enough else "the standard preset takes up to 6 GB: free some, or run with --workers 1",
    )
    count = torch.cuda.device_count()
    names = [
        f"{torch.cuda.get_device_name(i)} ({torch.cuda.get_device_properties(i).total_memory / 1e9:.0f} GB)"
        for i in range(count)
    ]
    yield Finding("accelerator", OK, ", ".join(names) or "none: models run on the processor in float32")


def _places() -> Iterator[Finding]:
    from confesslens.models import ModelError
    from confesslens.models.embedded import cache_folder, gguf_file

    try:
        yield Finding("embedded model", OK, f"weights in {gguf_file().parent}")
    except ModelError as error:
        yield Finding("embedded model", MISSING, "its weights are not installed", str(error))
    folder = cache_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    if not os.access(there, os.W_OK):
        yield Finding("cache", MISSING, f"{folder} cannot be written", "set CONFESSLENS_CACHE to a folder that can")
    else:
        low = free < 2
        yield Finding(
            "cache", WARNING if low else OK, f"{folder}, {free:.0f} GB free", "free some space" if low else ""
        )
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    token = "a token is set" if os.environ.get("HF_TOKEN") else "no token is set (gated models need HF_TOKEN)"
    yield Finding("hub", OK, "offline by HF_HUB_OFFLINE: local folders only" if offline else f"on demand; {token}")


def _programs() -> Iterator[Finding]:
    from confesslens.evals.sandbox import why_no_sandbox

    why = why_no_sandbox()
    remedy = "apt-get install bubblewrap; until then such code is read, not run, and grades say so" if why else ""
    yield Finding("sandbox for code that models write", WARNING if why else OK, why or "bubblewrap works", remedy)


def _extras() -> Iterator[Finding]:
    for module, what, extra in (("inspect_ai", "Inspect AI logs and tasks", "inspect"),):
        there = importlib.util.find_spec(module) is not None
        yield Finding(
            what,
            OK if there else WARNING,
            "installed" if there else "not installed",
            "" if there else f"pip install 'confesslens[{extra}]'",
        )


def _model(name: str) -> Iterator[Finding]:
    import psutil
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from confesslens.models.embedded import EMBEDDED, embedded_folder

    source = str(embedded_folder()) if name == EMBEDDED else str(Path(name).expanduser())
    if source.endswith(".gguf"):
        size = Path(source).stat().st_size / 1e9 if Path(source).is_file() else 0.0
        state, found = (OK, f"a GGUF file of {size:.1f} GB") if size else (MISSING, "there is no such file")
        yield Finding(name, state, found, "" if size else "check the path")
        return
    try:
        config: Any = AutoConfig.from_pretrained(source)
        tokenizer: Any = AutoTokenizer.from_pretrained(source)
    except Exception as error:  # of transformers, the hub or the file system: the cause is told, whatever it is
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        yield Finding(name, MISSING, why, "check the id or folder, the network, and HF_TOKEN for a gated model")
        return
    with torch.device("meta"):
        shape = AutoModelForCausalLM.from_config(config)
    count = sum(parameter.numel() for parameter in shape.parameters())
    text = config.get_text_config()
    about = f"{type(shape).__name__}, {count / 1e6:,.0f} million parameters, {text.num_hidden_layers} blocks"
    yield Finding(name, OK, about)
    yield _fits(count, psutil.virtual_memory().available)
    yield _bridged(type(shape).__name__)
    if tokenizer.chat_template:
        yield Finding("chat template", OK, "the model's own")
    else:
        yield Finding(
            "chat template", MISSING, "none", "use an instruction-tuned model, or chat_template= of load_model"
        )


def _fits(count: int, free_memory: int) -> Finding:
    import torch

    gpus = [torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())]
    width, free = (2, max(gpus)) if gpus else (4, free_memory)
    need = count * width * _ROOM
    kind = "bfloat16 on an accelerator" if gpus else "float32 on the processor, for each worker"
    found = f"about {need / 1e9:.1f} GB in {kind}; {free / 1e9:.0f} GB free"
    if need <= free:
        at_once = "" if gpus else f", so {min(int(free // need), cpu_count())} workers at once"
        return Finding("memory for it", OK, found + at_once)
    if gpus and need <= sum(gpus):
        return Finding("memory for it", WARNING, found, f"device='auto' spreads it over the {len(gpus)} accelerators")
    remedy = "dtype='bfloat16', a smaller model or a larger machine" if not gpus else "a smaller model or a larger GPU"
    return Finding("memory for it", MISSING, found, remedy)


def _bridged(architecture: str) -> Finding:
    from transformer_lens.factories.architecture_adapter_factory import SUPPORTED_ARCHITECTURES

    if architecture in SUPPORTED_ARCHITECTURES:
        return Finding("TransformerLens", OK, f"bridges {architecture}")
    remedy = "sampling, capture and probes work; model.bridge and interventions through it do not"
    return Finding("TransformerLens", WARNING, f"does not bridge {architecture}", remedy)
