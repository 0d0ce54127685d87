"""`load_model`: a hub id, a local folder, a GGUF file or the embedded default, with an optional PEFT adapter."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from confesslens.closest import shown
from confesslens.models.devices import SPREAD, device_of, spread
from confesslens.models.embedded import EMBEDDED, embedded_folder, is_embedded
from confesslens.models.errors import ModelError
from confesslens.models.gguf import quiet, read_gguf
from confesslens.models.model import Model

ORGANISMS_FOLDER = Path(__file__).parent.parent / "organisms" / "adapters"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load_model(
    name: str | Path = EMBEDDED,
    adapter: str | Path | None = None,
    dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
    *,
    organism: str | None = None,
    chat_template: str | None = None,
    sampler: str | None = None,
    trust_remote_code: bool = False,
) -> Model:
    """Load a causal language model with its tokenizer.

    Args:
        name: `"smollm2-135m"`, a hub id (`owner/name`), a folder in transformers format, or a `.gguf` file.
        adapter: folder (or hub id) of a PEFT adapter; it is merged into the weights in float32.
        dtype: default float32 on a CPU (exact, and fast on every CPU), bfloat16 on an accelerator.
        device: default the accelerator if there is one, else the CPU; "auto" spreads the layers over all
            accelerators, for a model that one does not hold.
        organism: a model organism that the package ships, an adapter on the embedded model; see `docs/organisms.md`.
        chat_template: a Jinja chat template, for a model that ships none.
        sampler: address of an OpenAI-compatible server of the same weights that gives token ids (vLLM), such as
            `http://localhost:8000/v1`: free text is sampled there, and checked and read here; see `docs/models.md`.
        trust_remote_code: run code that comes with a hub model; never by default.

    Raises:
        ModelError: one line that names the cause and the remedy.
    """
    said = organism if adapter is None else str(adapter)
    if organism is not None:
        adapter = _organism_adapter(organism, str(name), adapter)
    place = device_of(device)
    kind = _as_dtype(dtype, place)
    hf, tokenizer, where = _read(str(name), kind if adapter is None else torch.float32, trust_remote_code)
    if adapter is not None:
        hf = _cast(_merge(hf, str(adapter), str(name)), kind)
    if chat_template is not None:
        tokenizer.chat_template = chat_template
    if not tokenizer.chat_template:
        raise ModelError(
            f"{name} has no chat template, so a conversation cannot be put to it: use an instruction-tuned model"
            " or pass chat_template="
        )
    hf = (spread(hf) if str(device) == SPREAD and place.type != "cpu" else _cast(hf, place)).eval()
    return Model(name=str(name), hf=hf, tokenizer=tokenizer, folder=where, adapter=said, sampler=sampler)


def load_for_card(card: Mapping[str, Any], name: str | None = None) -> Model:
    """The model that a probe's card names, in the number format that the probe was fitted in; or `name` in its place.

    Raises ModelError when the card names none, or as `load_model`.
    """
    name = name or str(card.get("model") or "")
    if not name:
        raise ModelError("the probe's card names no model: give one")
    adapter = str(card.get("adapter") or "") or None
    shipped = adapter is not None and (ORGANISMS_FOLDER / adapter / "adapter_config.json").is_file()
    dtype = card.get("dtype") if card.get("dtype") in DTYPES else None
    return load_model(name, adapter=None if shipped else adapter, dtype=dtype, organism=adapter if shipped else None)


def organism_folder(name: str) -> Path:
    """Folder of a shipped organism's adapter and card. Raises ModelError for one that is not shipped, or not whole."""
    shipped = sorted(path.parent.name for path in ORGANISMS_FOLDER.glob("*/adapter_config.json"))
    folder = ORGANISMS_FOLDER / name
    if name not in shipped:  # a name, never a path
        raise ModelError(f"there is no organism {shown(name)}: shipped are {', '.join(shipped) or 'none'}")
    card = json.loads((folder / "card.json").read_text())
    if len(card["stages"]) < card["stages_planned"]:
        raise ModelError(
            f"the training of organism {name!r} is at stage {len(card['stages'])} of {card['stages_planned']}: go on"
            f" with `confesslens train organism {name} --out {folder}`"
        )
    return folder


def shipped_organisms() -> list[str]:
    """Names of the organisms that are shipped and whole."""
    cards = {path.parent.name: json.loads(path.read_text()) for path in ORGANISMS_FOLDER.glob("*/card.json")}
    return sorted(name for name, card in cards.items() if len(card["stages"]) == card["stages_planned"])


def _organism_adapter(organism: str, name: str, adapter: str | Path | None) -> Path:
    folder = organism_folder(organism)
    if adapter is not None:
        raise ModelError(f"organism {organism!r} is an adapter itself: give organism= or adapter=, not both")
    if name != EMBEDDED and not is_embedded(name):
        raise ModelError(f"the organism {organism!r} is an adapter on {EMBEDDED}, not on {name}")
    return folder


def check_model_name(name: str) -> None:
    """Look whether `load_model` would find a model of this name, without reading it; a hub id is taken on trust.

    Raises ModelError that names what is missing, and the nearest valid name.
    """
    path = Path(name).expanduser()
    if name == EMBEDDED:
        return
    if name.endswith(".gguf"):
        if not path.is_file():
            raise ModelError(f"there is no GGUF file {name}: check the path")
    elif path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError(f"the folder {name} holds no config.json: expected a model saved by save_pretrained")
    elif path.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        near = difflib.get_close_matches(name, [EMBEDDED], n=1, cutoff=0.4)
        valid = f"expected {EMBEDDED!r}, owner/name on the hub, a folder or a .gguf file"
        hint = f"did you mean {near[0]!r}?" if near else valid
        raise ModelError(f"there is no model {name!r}: {hint}")


def _read(
    name: str, dtype: torch.dtype, trust_remote_code: bool
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, Path | None]:
    check_model_name(name)
    path = embedded_folder() if name == EMBEDDED else Path(name).expanduser()
    if name.endswith(".gguf"):
        try:
            return *read_gguf(path.resolve(), dtype), None
        except Exception as error:
            why = _first_line(error)
            raise ModelError(f"{name} cannot be read as a GGUF model ({why}): is it complete?") from error
    if path.is_dir():
        return *_from_pretrained(str(path), name, dtype, trust_remote_code), path
    return *_from_pretrained(name, name, dtype, trust_remote_code), None


def _from_pretrained(
    source: str, name: str, dtype: torch.dtype, trust_remote_code: bool
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=trust_remote_code)
            hf = AutoModelForCausalLM.from_pretrained(
                source, dtype=dtype, trust_remote_code=trust_remote_code, use_safetensors=True
            )
    except Exception as error:
        text = str(error)
        if "trust_remote_code" in text:
            why = "it needs code from its repository: read that code, then pass trust_remote_code=True"
        elif Path(source).is_dir():
            why = f"{_first_line(error)}: is the folder complete (config.json, tokenizer files, *.safetensors)?"
        elif any(word in text for word in ("gated", "401", "403", "not a valid model identifier", "404")):
            why = "the hub has no such model for you: check the id, and log in (HF_TOKEN) if it is gated"
        else:
            why = "the hub cannot be reached: connect, or download the model elsewhere and pass its folder"
        raise ModelError(f"cannot load {name}: {why}") from error
    return hf, tokenizer


def _merge(hf: PreTrainedModel, adapter: str, name: str) -> PreTrainedModel:
    from peft import PeftModel
    from safetensors import safe_open

    folder = Path(adapter).expanduser()
    if folder.is_dir():
        weights = folder / "adapter_model.safetensors"
        if not (folder / "adapter_config.json").is_file() or not weights.is_file():
            raise ModelError(
                f"{adapter} is no PEFT adapter: expected adapter_config.json and adapter_model.safetensors in it"
            )
        try:
            json.loads((folder / "adapter_config.json").read_text())
            with safe_open(str(weights), framework="pt") as file:
                shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
        except Exception as error:
            raise ModelError(f"the adapter {adapter} cannot be read ({_first_line(error)}): is it complete?") from error
        _check_fits(hf, shapes, adapter, name)
    elif adapter.startswith((".", "/", "~")) or adapter.count("/") != 1:
        raise ModelError(f"there is no adapter folder {adapter}: check the path")
    try:
        with quiet():
            wrapped = PeftModel.from_pretrained(hf, adapter)
        merged: Any = wrapped.merge_and_unload(safe_merge=True)  # type: ignore[operator]
    except Exception as error:
        raise ModelError(
            f"the adapter {adapter} does not load on {name} ({_first_line(error)}): was it trained for another model,"
            " or is the hub out of reach?"
        ) from error
    return merged


def _check_fits(hf: PreTrainedModel, shapes: dict[str, tuple[int, ...]], adapter: str, name: str) -> None:
    """Every low-rank factor must find its linear map, with the right width; PEFT itself only warns."""
    modules = dict(hf.named_modules())
    for key, shape in shapes.items():
        path, _, kind = key.removeprefix("base_model.model.").partition(".lora_")
        if not kind:
            continue
        weight = getattr(modules.get(path), "weight", None)
        width = None if weight is None else set(weight.shape)
        if width is None or not width & set(shape):
            found = "no such layer" if width is None else f"a layer of shape {tuple(weight.shape)}"  # type: ignore[union-attr]
            raise ModelError(
                f"the adapter {adapter} was trained for another model than {name}: it changes {path} with a factor of"
                f" shape {shape}, here is {found}; load it on its own base model"
            )


def _cast(hf: Any, to: torch.dtype | torch.device) -> PreTrainedModel:
    return hf.to(to)


def _as_dtype(dtype: str | torch.dtype | None, device: torch.device) -> torch.dtype:
    if dtype is None:
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype not in DTYPES:
        raise ModelError(f"there is no dtype {dtype!r}: expected one of {', '.join(DTYPES)}")
    return DTYPES[dtype]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
