"""A probe's card for reading, in the form of the hub's model cards."""

from __future__ import annotations

from typing import Any

import yaml

_SECTIONS = {
    "metrics": "Metrics",
    "controls": "Controls",
    "data_hash": "Training data (hash)",
    "intended_use": "Intended use",
    "limits": "Limits",
}
_READOUT = "score = activation @ direction + bias"
_USE = """\
```python
from confesslens import models, probes

probe, card = probes.load_probe("{name}")
model = models.load_for_card(card)
probe.score_tokens(model, [{{"role": "user", "content": "..."}}, {{"role": "assistant", "content": "..."}}])
```"""


class Card(dict[str, Any]):
    """A card as it was read; a notebook shows it as `card_markdown` writes it."""

    def _repr_markdown_(self) -> str:
        return card_markdown(self).split("---", 2)[2]


def card_markdown(card: dict[str, Any]) -> str:
    """The card for reading: the hub's YAML, facts as a list, then metrics, controls, data, intended use and limits."""
    classes = card.get("classes", [])
    title = _shown(f"Probe of {card.get('model', 'a model')}, layer {card.get('layer', '?')}, {card.get('site', '?')}")
    lines = ["---", yaml.safe_dump(front_matter(card, title), sort_keys=False, allow_unicode=True).rstrip(), "---", ""]
    lines += [f"# {title}", ""]
    if len(classes) == 2:
        readout = card.get("readout", _READOUT)
        lines += [f"`{readout}`; above 0 means `{classes[1]}`, else `{classes[0]}`.", ""]
    lines += [f"- {key}: {_shown(value)}" for key, value in card.items() if key not in (*_SECTIONS, "readout")]
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
    lines += ["", "## How to use", "", _USE.format(name=card.get("name", "FOLDER"))]
    return "\n".join(lines) + "\n"


def front_matter(card: dict[str, Any], title: str) -> dict[str, Any]:
    """What the hub reads of a model card (huggingface_hub `ModelCardData`): library, tags, base model, results."""
    found: dict[str, Any] = {"library_name": "confesslens", "license": card.get("license", "mit")}
    found["tags"] = ["confesslens", "probe", "interpretability", "safetensors"]
    base = str(card.get("base_model") or card.get("model") or "")
    if base.count("/") == 1 and not base.startswith((".", "/", "~")):  # a hub id, which the hub links to
        found["base_model"] = base
    metrics = []
    for name, value in (card.get("metrics") or {}).items():
        estimate = value.get("estimate") if isinstance(value, dict) else value
        if isinstance(estimate, int | float):
            metrics.append({"type": "roc_auc" if "auroc" in name else name, "name": name, "value": round(estimate, 4)})
    if metrics:
        dataset = {"name": f"rollouts, hash {card.get('data_hash', 'not stated')}", "type": "confesslens-run"}
        task = {"type": "text-classification", "name": "linear probe"}
        found["model-index"] = [{"name": title, "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}]
    return found


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
    return " ".join(str(value).split())
