"""Released probes: weights in safetensors, and a card that says what they are worth."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from confesslens.probes.probe import LogisticProbe

FORMAT = "confesslens-probe-1"
_SECTIONS = {
    "metrics": "Metrics",
    "controls": "Controls",
    "data_hash": "Training data (hash)",
    "intended_use": "Intended use",
    "limits": "Limits",
}


def save_probe(folder: str | Path, probe: LogisticProbe, card: dict[str, Any]) -> Path:
    """Write probe.safetensors (direction [d], bias [1]), card.json and card.md; returns the folder.

    Args:
        folder: made if it is missing; files of these names are replaced.
        probe: a fitted probe.
        card: what is known of it: model, site, layer, penalty, metrics and controls (name -> number or
            {"estimate", "low", "high"} or an `Interval`), data_hash, intended_use, limits, and anything else that
            JSON can hold. Numbers that are not finite are stored as null.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    full = {
        "format": FORMAT,
        **_plain(card),
        "d_model": len(probe.direction),
        "classes": [_plain(c) for c in probe.classes_],
        "C": float(probe.C),
    }
    tensors = {"direction": np.ascontiguousarray(probe.direction), "bias": np.array([probe.bias])}
    save_file(tensors, folder / "probe.safetensors")
    (folder / "card.json").write_text(json.dumps(full, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(card_markdown(full), encoding="utf-8")
    return folder


def load_probe(folder: str | Path, expect: dict[str, Any] | None = None) -> tuple[LogisticProbe, dict[str, Any]]:
    """Read a saved probe and its card.

    Args:
        folder: as written by `save_probe`.
        expect: entries that the card must have, such as {"model": "smollm2-135m", "d_model": 576}.

    Raises:
        ValueError: a file is missing or damaged, weights and card differ, or the card is not the expected one.
    """
    folder = Path(folder)
    card = _read_card(folder / "card.json")
    path = folder / "probe.safetensors"
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: not a readable safetensors file ({_one_line(error)})") from error
    direction, bias = tensors.get("direction"), tensors.get("bias")
    if direction is None or bias is None or direction.ndim != 1 or bias.size != 1:
        raise ValueError(f"{path}: expected tensors direction [d] and bias [1], found {sorted(tensors)}")
    if not (np.isfinite(direction).all() and np.isfinite(bias).all()):
        raise ValueError(f"{path}: direction or bias is not finite")
    if len(direction) != card["d_model"]:
        raise ValueError(f"{path}: direction has {len(direction)} entries but card.json says {card['d_model']}")
    for key, want in (expect or {}).items():
        if card.get(key) != _plain(want):
            raise ValueError(f"{folder / 'card.json'}: {key} is {card.get(key)!r}, expected {want!r}")
    probe = LogisticProbe(C=card["C"])
    probe.classes_ = np.array(card["classes"])
    probe.direction_, probe.bias_ = direction.astype(np.float64), float(bias.reshape(-1)[0])
    probe.n_features_in_ = len(direction)
    return probe, card


def card_markdown(card: dict[str, Any]) -> str:
    """The card for reading: facts as a list, then metrics, controls, data, intended use and limits."""
    classes = card.get("classes", [])
    title = f"Probe of {card.get('model', 'a model')}, layer {card.get('layer', '?')}, {card.get('site', '?')}"
    lines = [f"# {title}", ""]
    if len(classes) == 2:
        lines += [f"`score = activation @ direction + bias`; above 0 means `{classes[1]}`, else `{classes[0]}`.", ""]
    lines += [f"- {key}: {_shown(value)}" for key, value in card.items() if key not in _SECTIONS]
    for key, heading in _SECTIONS.items():
        value = card.get(key)
        lines += ["", f"## {heading}", ""]
        if value in (None, "", {}, []):
            lines.append("Not stated.")
        elif isinstance(value, dict):
            lines += [f"- {name}: {_shown(entry)}" for name, entry in value.items()]
        elif isinstance(value, list):
            lines += [f"- {_shown(entry)}" for entry in value]
        else:
            lines.append(_shown(value))
    return "\n".join(lines) + "\n"


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a readable card ({_one_line(error)})") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ValueError(f"{path}: not a card of format {FORMAT}")
    classes, d, c = card.get("classes"), card.get("d_model"), card.get("C")
    if not (isinstance(classes, list) and len(classes) == 2 and isinstance(d, int) and isinstance(c, int | float)):
        raise ValueError(f"{path}: expected classes (two), d_model (whole number) and C (number)")
    return card


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


def _shown(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict) and "estimate" in value:
        low, high = value.get("low"), value.get("high")
        around = "" if low is None or high is None else f" (95 % interval {_shown(low)} to {_shown(high)})"
        return f"{_shown(value['estimate'])}{around}"
    if isinstance(value, dict):
        return "; ".join(f"{k} {_shown(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_shown(v) for v in value)
    return str(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
