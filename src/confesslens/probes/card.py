"""Released probes: weights in safetensors, and a card that says what they are worth."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from confesslens.closest import no_such
from confesslens.probes.card_text import Card, card_markdown
from confesslens.probes.estimators import (
    AttentionProbe,
    CCSProbe,
    LogisticProbe,
    MassMeanProbe,
    MaxWindowProbe,
    RidgeProbe,
)

Probe = LogisticProbe | RidgeProbe | MassMeanProbe | CCSProbe | AttentionProbe | MaxWindowProbe

FORMAT = "confesslens-probe-1"
CARD = (
    *("name", "model", "adapter", "fingerprint", "tokenizer", "layer", "stream", "site", "penalty", "label", "n"),
    *("metrics", "controls", "data_hash", "intended_use", "limits"),
)
"""What the card of a released probe says. `fingerprint` is of the weights, `tokenizer` of vocabulary and template."""
# A name in a card is looked up here and never imported: reading a probe runs no code of others.
_ESTIMATORS = {kind.__name__: kind for kind in Probe.__args__}


def save_probe(folder: str | Path, probe: Probe, card: dict[str, Any]) -> Path:
    """Write probe.safetensors (direction [d], bias [1]), card.json and card.md; returns the folder.

    The query [d] of an AttentionProbe is written beside them. An ensemble has a direction a layer: save its `probes_`
    one by one. card.md is in the hub's model-card form and is written as README.md too, the name that the hub shows,
    so that the folder can be uploaded as it is (`hf upload OWNER/NAME FOLDER`, or `huggingface_hub.upload_folder`).

    Args:
        folder: made if it is missing; files of these names are replaced.
        probe: a fitted probe with one direction.
        card: what is known of it. `CARD` names the entries that a released probe has; metrics and controls are
            name -> number, {"estimate", "low", "high"} or an `Interval`. Anything else that JSON can hold may be there
            too. Numbers that are not finite are stored as null.

    Raises:
        ValueError: the estimator is none of those that can be read again.
        NotFittedError: the probe is not fitted (scikit-learn's).
    """
    name = type(probe).__name__
    if name not in _ESTIMATORS:
        raise ValueError(f"a {name} cannot be saved; these can: {', '.join(_ESTIMATORS)}")
    tensors = {"direction": np.ascontiguousarray(probe.direction), "bias": np.array([probe.bias])}
    if isinstance(probe, AttentionProbe):
        tensors["query"] = np.ascontiguousarray(probe.query)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    full = {
        "format": FORMAT,
        **_plain(card),
        "estimator": name,
        "readout": probe.readout,
        "d_model": len(probe.direction),
        "classes": [_plain(c) for c in probe.classes_],
        **_plain(probe.get_params()),
    }
    save_file(tensors, folder / "probe.safetensors")
    (folder / "card.json").write_text(json.dumps(full, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    text = card_markdown(full)
    for file in ("card.md", "README.md"):
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def load_probe(folder: str | Path, expect: dict[str, Any] | None = None) -> tuple[Probe, Card]:
    """Read a saved probe and its card.

    Args:
        folder: as written by `save_probe`.
        expect: entries that the card must have, such as {"model": "smollm2-135m", "d_model": 576}.

    Returns:
        The probe, of the estimator that the card names (LogisticProbe in cards of before), and the card. The probe
        knows its card (`probe.card`): it refuses activations of another model, layer or site.

    Raises:
        ValueError: a file is missing or damaged, weights and card differ, or the card is not the expected one.
    """
    folder = Path(folder)
    card = Card(_read_card(folder / "card.json"))
    kind = _ESTIMATORS[card["estimator"]]
    tensors = _read_tensors(folder / "probe.safetensors", query=kind is AttentionProbe)
    d = len(tensors["direction"])
    if d != card["d_model"]:
        raise ValueError(
            f"{folder / 'probe.safetensors'}: direction has {d} entries but card.json says {card['d_model']}"
        )
    for key, want in (expect or {}).items():
        if card.get(key) != _plain(want):
            raise ValueError(f"{folder / 'card.json'}: {key} is {card.get(key)!r}, expected {want!r}")
    probe = kind(**{key: card[key] for key in kind().get_params() if key in card})
    probe.classes_ = np.array(card["classes"])
    probe.direction_, probe.bias_ = tensors["direction"].astype(np.float64), float(tensors["bias"].reshape(-1)[0])
    probe.n_features_in_ = 2 * d if kind is CCSProbe else d
    if isinstance(probe, AttentionProbe):
        probe.query_ = tensors["query"].astype(np.float64)
    probe.card_ = card
    return probe, card


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a readable card ({_one_line(error)})") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ValueError(f"{path}: not a card of format {FORMAT}")
    card.setdefault("estimator", "LogisticProbe")
    if not isinstance(card["estimator"], str) or card["estimator"] not in _ESTIMATORS:
        raise ValueError(f"{path}: {no_such('estimator', str(card['estimator']), _ESTIMATORS)}")
    classes, d = card.get("classes"), card.get("d_model")
    if not (isinstance(classes, list) and len(classes) == 2 and type(d) is int):
        raise ValueError(f"{path}: expected classes (two) and d_model (whole number)")
    return card


def _read_tensors(path: Path, query: bool) -> dict[str, np.ndarray]:
    names = ["direction", "query"] if query else ["direction"]
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: not a readable safetensors file ({_one_line(error)})") from error
    shapes = {tensors[name].shape if name in tensors else None for name in names}
    first = tensors.get("direction")
    if first is None or first.ndim != 1 or len(shapes) > 1 or "bias" not in tensors or tensors["bias"].size != 1:
        raise ValueError(f"{path}: expected tensors {' [d], '.join(names)} [d] and bias [1], found {sorted(tensors)}")
    if not all(np.isfinite(tensors[name]).all() for name in [*names, "bias"]):
        raise ValueError(f"{path}: {' or '.join([*names, 'bias'])} is not finite")
    return tensors


def _plain(value: Any) -> Any:
    """JSON values only: numpy scalars and arrays unwrapped, intervals as dicts, numbers that are not finite as None."""
    if hasattr(value, "low") and hasattr(value, "estimate"):
        value = {"estimate": value.estimate, "low": value.low, "high": value.high}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple | set):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
