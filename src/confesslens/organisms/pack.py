"""An adapter as it is shipped: bfloat16 weights, no paths of the machine that trained it, a card to read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def pack_adapter(trained: str | Path, out: str | Path, card: dict[str, Any]) -> Path:
    """Write the adapter in the folder `trained` into `out`, with `card.json` and `README.md`; returns `out`.

    The weights come last: where a kill comes between, the card's hash does not fit them.

    Args:
        trained: folder of a PEFT adapter.
        out: another folder.
        card: what the card tells; `base_model` becomes the adapter's, and the weights' SHA-256 is added.
    """
    trained, out = Path(trained), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.to(torch.bfloat16) for name, tensor in sorted(load_file(trained / WEIGHTS).items())}
    packed = out / f".partial-{WEIGHTS}"
    save_file(weights, packed, metadata={"format": "pt"})
    config = json.loads((trained / CONFIG).read_text()) | {"base_model_name_or_path": card["base_model"]}
    config["target_modules"] = sorted(config["target_modules"])  # a set, whose order changes from run to run
    (out / CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    card = card | {"sha256": _hash(packed)}
    (out / "card.json").write_text(json.dumps(card, indent=1) + "\n")
    (out / "README.md").write_text(_readme(card))
    packed.rename(out / WEIGHTS)
    return out


def weights_hash(folder: str | Path) -> str:
    """SHA-256 of an adapter's weights file."""
    return _hash(Path(folder) / WEIGHTS)


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _readme(card: dict[str, Any]) -> str:
    lines = [
        f"# {card['organism']}",
        f"\nA LoRA adapter on {card['base_model']}: a model organism of ConfessLens, made to be measured. {card['is']}",
        f"\nRebuilt by `confesslens train organism {card['organism']}`"
        + (f", from the adapter of `{card['start']}`." if card["start"] else "."),
        "\n| stage | lessons | seed | tokens | learning rate | loss, first | loss, last |",
        "|---|---|---|---|---|---|---|",
    ]
    for stage in card["stages"]:
        first, last = stage["first_losses"][0][1], stage["last_losses"][-1][1]
        lines.append(
            f"| {stage['stage']} | {stage['n']} | {stage['seed']} | {stage['tokens']} |"
            f" {stage['tuning']['learning_rate']:g} | {first:.3f} | {last:.3f} |"
        )
    lines.append(
        "\nIntended for calibrating probes and measures of confessions on known dispositions, not for giving answers."
        " Its acts are learned from demonstrations, so what a probe finds in it need not be found in other models.\n"
    )
    return "\n".join(lines)
