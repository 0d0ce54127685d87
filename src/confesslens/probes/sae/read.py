"""Sparse autoencoders from files: SAE Lens's folders (cfg.json, sae_weights.safetensors) and bare safetensors.

The form is that of SAE Lens 6 and, where it says otherwise, of the versions before (`hook_point`, `activation_fn_str`,
`activation_fn_kwargs`; no `metadata`). Files are data: nothing in them is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from confesslens.closest import no_such, one_line, shown
from confesslens.probes.sae.autoencoder import SparseAutoencoder, place_of_hook

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
ARCHITECTURES = ("standard", "topk", "jumprelu", "gated")
NORMALISATIONS = ("none", "layer_norm", "constant_norm_rescale")
# Names that other libraries give; the matrices are stored the other way round there.
_OTHERS = {"encoder.weight": "W_enc", "encoder.bias": "b_enc", "decoder.weight": "W_dec", "decoder.bias": "b_dec"}
_OLD = {"hook_point": "hook_name", "activation_fn_str": "activation_fn"}


def load_sae(path: str | Path, model: Any = None, cfg: Mapping[str, Any] | None = None) -> SparseAutoencoder:
    """Read a sparse autoencoder.

    Args:
        path: a folder with cfg.json and sae_weights.safetensors, as SAE Lens saves it, or a safetensors file with
            W_enc [d_model, feature], W_dec [feature, d_model], b_enc [feature], b_dec [d_model], and threshold
            [feature] (jumprelu) or b_gate, r_mag and b_mag [feature] (gated) in place of b_enc. `encoder.weight`,
            `encoder.bias`, `decoder.weight` and `decoder.bias` of a torch module are taken too.
        model: the model whose activations it will read, from `confesslens.load_model`: name, width and layers are
            checked, and from then on the autoencoder refuses the activations of any other.
        cfg: entries of cfg.json to add or to put in place of those there: all of them for a bare file
            (`{"hook_name": "blocks.12.hook_resid_post", "apply_b_dec_to_input": False}`), or the `model_name` where
            one trained on a base model is to read the model made of it.

    Raises:
        ValueError: a file is missing or damaged, tensors and configuration do not fit, the architecture, hook or
            normalisation is one that is not known, or the model is not the one that it was trained on.
    """
    path = Path(path)
    file = path / WEIGHTS if path.is_dir() else path
    settings = _settings(path, dict(cfg or {}))
    tensors = _tensors(file)
    settings.setdefault("architecture", _guess(tensors))
    architecture = _architecture(file, settings)
    found = _fitting(file, tensors, architecture, settings)
    hook, name = settings.get("hook_name"), settings.get("model_name") or ""
    if not isinstance(hook, str) or not isinstance(name, str):
        raise ValueError(
            f"{path}: it is not said what it reads; give cfg={{'hook_name': 'blocks.LAYER.hook_resid_post', ...}}"
        )
    layer, _ = place_of_hook(hook)
    sae = SparseAutoencoder(
        architecture=architecture,
        hook_name=hook,
        model_name=name,
        **found,
        k=_k(file, settings, found["W_enc"].shape[1]) if architecture == "topk" else None,
        apply_b_dec_to_input=_subtracts(file, settings, found["b_dec"]),
        normalize_activations=_normalisation(file, settings),
        rescale_by_decoder_norm=architecture == "topk" and settings.get("rescale_acts_by_decoder_norm") is True,
        fingerprint="" if model is None else model.fingerprint,
    )
    if model is not None:
        _check_model(path, sae, layer, model)
    return sae


def _settings(path: Path, given: dict[str, Any]) -> dict[str, Any]:
    """What cfg.json and the caller say, in the names of today; the metadata beside the rest."""
    if path.is_dir():
        if not (path / CONFIG).is_file() or not (path / WEIGHTS).is_file():
            raise ValueError(f"{path} holds no {CONFIG} and {WEIGHTS}: expected a folder that SAE Lens saved")
        try:
            said = json.loads((path / CONFIG).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ValueError(f"{path / CONFIG}: not readable JSON ({one_line(error)})") from None
        if not isinstance(said, dict):
            raise ValueError(f"{path / CONFIG}: expected an object with d_in, d_sae and architecture")
    elif path.is_file():
        said = {}
    else:
        raise ValueError(f"there is no {path}: give a folder with {CONFIG} and {WEIGHTS}, or a safetensors file")
    beside = said.get("metadata")
    said = {_OLD.get(key, key): value for key, value in said.items()}
    return {**(beside if isinstance(beside, dict) else {}), **said, **given}


def _tensors(file: Path) -> dict[str, np.ndarray]:
    """The tensors that are known here, float32, matrices the way round that SAE Lens has them."""
    known = (*_OTHERS, "W_enc", "W_dec", "b_enc", "b_dec", "b_gate", "b_mag", "r_mag", "threshold", "log_threshold")
    found = {}
    try:
        with safe_open(file, framework="np") as opened:
            there = set(opened.keys())
            for name in (*known, "scaling_factor"):
                if name in there:
                    found[name] = _read(file, opened, name)
    except (OSError, SafetensorError, ValueError) as error:
        raise ValueError(f"{file}: not a readable safetensors file ({one_line(error)})") from None
    for other, own in _OTHERS.items():
        if other in found:
            found[own] = np.ascontiguousarray(found.pop(other).T)
    if "log_threshold" in found:
        found["threshold"] = np.exp(found.pop("log_threshold"))
    scaling = found.pop("scaling_factor", None)
    if scaling is not None and not np.allclose(scaling, 1):
        raise ValueError(f"{file}: scaling_factor is not 1 everywhere (a finetuned autoencoder): this is not read")
    if "W_enc" not in found:
        raise ValueError(f"{file}: expected tensors W_enc, W_dec, b_enc and b_dec, found {sorted(there)[:8]}")
    return found


def _read(file: Path, opened: Any, name: str) -> np.ndarray:
    if opened.get_slice(name).get_dtype() != "BF16":
        return np.asarray(opened.get_tensor(name), np.float32)
    with safe_open(file, framework="pt") as again:  # numpy has no bfloat16
        return again.get_tensor(name).float().numpy()


def _guess(tensors: Mapping[str, np.ndarray]) -> str:
    if "threshold" in tensors:
        return "jumprelu"
    return "gated" if "b_gate" in tensors else "standard"


def _architecture(file: Path, settings: Mapping[str, Any]) -> str:
    name = settings["architecture"]
    if name not in ARCHITECTURES:
        raise ValueError(f"{file}: {no_such('architecture', str(name), ARCHITECTURES)}")
    activation = settings.get("activation_fn") or "relu"
    if name == "standard" and activation == "topk":  # as before SAE Lens 6
        return "topk"
    if activation not in ("relu", "topk"):
        raise ValueError(f"{file}: activation_fn {shown(activation)} is not known: expected 'relu' or 'topk'")
    for key, wanted in (("reshape_activations", ("none", None)), ("hook_head_index", (None,))):
        if settings.get(key) not in wanted:
            raise ValueError(f"{file}: {key} is {shown(settings[key])}: one that reads single heads is not read here")
    return str(name)


def _fitting(
    file: Path, tensors: Mapping[str, np.ndarray], architecture: str, settings: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """The tensors that the architecture has, as arguments; ValueError where one is missing or has another shape."""
    shape = tensors["W_enc"].shape
    if len(shape) != 2 or not all(shape):
        raise ValueError(f"{file}: W_enc has shape {shape}, expected [d_model, feature]")
    d, n = shape
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {"W_enc": ("W_enc", (d, n)), "W_dec": ("W_dec", (n, d))}
    wanted |= {"b_dec": ("b_dec", (d,)), "b_enc": ("b_mag" if architecture == "gated" else "b_enc", (n,))}
    own = {"jumprelu": ("threshold",), "gated": ("b_gate", "r_mag")}.get(architecture, ())
    wanted |= {name: (name, (n,)) for name in own}
    found = {}
    for name, (stored, expected) in wanted.items():
        got = tensors.get(stored)
        if got is None or got.shape != expected:
            raise ValueError(
                f"{file}: {stored} {'is missing' if got is None else f'has shape {list(got.shape)}'}, expected"
                f" {list(expected)} for a {architecture} autoencoder with W_enc {list(shape)}"
            )
        if not np.isfinite(got).all():
            raise ValueError(f"{file}: {stored} is not finite")
        found[name] = got
    for key, size in (("d_in", d), ("d_sae", n)):
        if key in settings and settings[key] != size:
            raise ValueError(f"{file}: {CONFIG} says {key} {shown(settings[key])}, the weights have {size}")
    return found


def _k(file: Path, settings: Mapping[str, Any], n: int) -> int:
    more = settings.get("activation_fn_kwargs")
    k = settings.get("k", more.get("k") if isinstance(more, dict) else None)
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= n:
        raise ValueError(f"{file}: k is {shown(k)}, expected a whole number from 1 to {n} for a topk autoencoder")
    return k


def _subtracts(file: Path, settings: Mapping[str, Any], b_dec: np.ndarray) -> bool:
    said = settings.get("apply_b_dec_to_input")
    if said is None:
        # SAE Lens takes it for true in its own folders; a bare file says nothing, and the two readings differ.
        if file.name != WEIGHTS and b_dec.any():
            raise ValueError(
                f"{file}: whether b_dec is taken from the input is not said; give cfg={{'apply_b_dec_to_input': ...}}"
            )
        return True
    if not isinstance(said, bool):
        raise ValueError(f"{file}: apply_b_dec_to_input is {shown(said)}, expected true or false")
    return said


def _normalisation(file: Path, settings: Mapping[str, Any]) -> str:
    said = settings.get("normalize_activations")
    if said is True:
        said = "expected_average_only_in"
    name = said or "none"
    if name == "expected_average_only_in":
        raise ValueError(
            f"{file}: normalize_activations is {name!r}, and the factor is not in the file: fold it into the weights"
            " (SAE Lens: fold_activation_norm_scaling_factor) and give cfg={'normalize_activations': 'none'}"
        )
    if name not in NORMALISATIONS:
        raise ValueError(f"{file}: {no_such('normalize_activations', str(name), NORMALISATIONS)}")
    return str(name)


def _check_model(path: Path, sae: SparseAutoencoder, layer: int, model: Any) -> None:
    said = {_plain_name(sae.model_name)} - {""}
    names = {_plain_name(model.name), _plain_name(str(getattr(model.hf.config, "_name_or_path", "") or ""))}
    if said and not said & names:
        raise ValueError(
            f"{path}: trained on {sae.model_name}, not on {model.name}: load that model, or, where the two share what"
            f" it reads, say so with cfg={{'model_name': {model.name!r}}}"
        )
    if sae.d_model != model.d_model:
        raise ValueError(f"{path}: takes activations of width {sae.d_model}, {model.name} has {model.d_model}")
    if layer >= model.n_layers:
        raise ValueError(f"{path}: reads {sae.hook_name}, {model.name} has blocks 0 to {model.n_layers - 1}")


def _plain_name(name: str) -> str:
    """A model's name as its last part: TransformerLens leaves the owner out, and a folder has its path before it."""
    return name.rstrip("/").rpartition("/")[2].lower()
