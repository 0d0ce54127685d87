"""Released probes: the folder `probes/` of a repository, made from runs by one command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confesslens.folder import RunFolder
from confesslens.probes import load_probe, save_probe

_HEAD = """\
# Released probes

One folder each, with `probe.safetensors` (direction and bias in raw activation space), `card.json`, and the card for
reading as `card.md` and `README.md`, so that a folder can be uploaded to the hub as it is (`hf upload OWNER/NAME
FOLDER`). Read one with `confesslens.probes.load_probe(folder)`; it refuses activations of another model, layer or site.
`confesslens score --probe FOLDER FILE` scores the tokens of a text.

A probe is worth its increment over the text of the answer, not its AUROC: where that interval reaches 0, use the probe
to try the tools, not as a finding. Labels are of behaviour, not of knowledge.

Made by `confesslens release RUN...` from the runs that the cards name (`run`), which also writes this page.

| probe | fitted to | reads | n | nested AUROC | text alone | probe above text |
|---|---|---|---|---|---|---|
"""


def release_probes(runs: Sequence[str | Path], out: str | Path = "probes") -> list[Path]:
    """Copy the probes of runs into a folder of released ones, each checked as it is read, and write its README.md.

    A folder is named after model, adapter or organism, and probe: `smollm2-135m-concealer-behaviour`. One of that name
    is replaced; the others stay, and are listed too.

    Args:
        runs: folders of runs.
        out: the folder of released probes.

    Returns:
        The folders written.

    Raises:
        ValueError: a run without a probe (why is said, where the run knows), a damaged one, or two runs of one name.
    """
    out, done = Path(out), []
    for folder in runs:
        run = RunFolder(folder)
        found = sorted(path.parent for path in (run.path / "probes").glob("*/card.json"))
        if not found:
            why = run.manifest.get("probe_note") or "run it first"
            raise ValueError(f"{run.path} has no probe to release: {why}")
        for source in found:
            probe, card = load_probe(source)
            card["run"] = run.manifest.get("command") or ""
            card["version"] = run.manifest.get("versions", {}).get("confesslens", "")
            target = out / _name(card)
            if target in done:
                raise ValueError(f"{run.path} would replace {target}, of a run before it: give one run a model")
            done.append(save_probe(target, probe, card))
    (out / "README.md").write_text(_readme(out), encoding="utf-8")
    return done


def _name(card: dict[str, Any]) -> str:
    parts = [
        Path(str(card.get("model", "model"))).name,
        Path(str(card.get("adapter") or "")).name,
        card.get("name", ""),
    ]
    return re.sub(r"[^\w.-]+", "-", "-".join(str(part) for part in parts if part))


def _readme(out: Path) -> str:
    rows = []
    for path in sorted(out.glob("*/card.json")):
        card = load_probe(path.parent)[1]
        metrics, controls = card.get("metrics") or {}, card.get("controls") or {}
        text = controls.get("text", controls.get("text_baseline_auroc"))
        fitted_to = " + ".join(str(card[key]) for key in ("model", "adapter") if card.get(key))
        cells = [
            f"[{path.parent.name}]({path.parent.name}/card.md)",
            fitted_to,
            f"layer {card.get('layer')}, {card.get('site')}",
            str(card.get("n", "–")),
            _number(metrics.get("nested_auroc_within_evaluation")),
            _number(text),
            _number(controls.get("probe above text"), signed=True),
        ]
        rows.append("| " + " | ".join(" ".join(cell.replace("|", "/").split()) for cell in cells) + " |")
    return _HEAD + "\n".join(rows) + "\n"


def _number(value: Any, signed: bool = False) -> str:
    sign = "+" if signed else ""
    if isinstance(value, dict) and value.get("estimate") is not None:
        low, high = value.get("low"), value.get("high")
        around = "" if low is None or high is None else f" ({low:{sign}.2f} to {high:{sign}.2f})"
        return f"{value['estimate']:{sign}.2f}{around}"
    return f"{value:{sign}.2f}" if isinstance(value, int | float) else "–"
