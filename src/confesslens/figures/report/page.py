"""Put the report together: one HTML page that needs nothing but itself."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from confesslens.figures.report.captions import describe_figure
from confesslens.figures.report.examples import pick_examples
from confesslens.figures.report.tables import show_tables
from confesslens.figures.report.text import flatten, visible
from confesslens.figures.report.words import how_sure, limits, model_name
from confesslens.figures.style import is_number

MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
# Known pictures come in this order, others after them.
FIGURES = ["confession_rates", "probe_map", "cells", "agreement"]


def render_report(
    tables: Mapping[str, pd.DataFrame],
    rollouts: pd.DataFrame,
    confessions: pd.DataFrame,
    manifest: Mapping[str, Any],
    figures: Mapping[str, str | Path],
) -> str:
    """Return the report of a run as one self-contained HTML page: no script, no network, pictures inside.

    `tables` are the results tables by name (rates, witnesses, cells, agreement, auroc, probe_map, sentences), `figures`
    the SVG or PNG files by figure name. Whatever is missing from `tables` and `manifest` is named as missing on the
    page. Text that the model wrote is escaped, and its control and direction characters are spelled out. Raises
    ValueError for a picture that is neither SVG nor PNG, and FileNotFoundError for one that is not there.
    """
    environment = Environment(
        loader=PackageLoader("confesslens.figures.report"),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    model = model_name(manifest)
    sentences = tables.get("sentences", pd.DataFrame())
    order = sorted(figures, key=lambda name: (FIGURES.index(name) if name in FIGURES else len(FIGURES), name))
    return environment.get_template("report.html").render(
        model=model,
        sentences=[str(text) for text in sentences["text"]] if len(sentences) else [],
        sure=how_sure(tables),
        figures=[(name, _inline(Path(figures[name])), *describe_figure(name, tables, model)) for name in order],
        tables=show_tables(tables),
        examples=pick_examples(rollouts, confessions, tables.get("witnesses", pd.DataFrame())),
        limits=limits(manifest),
        command=str(manifest.get("command") or ""),
        created=str(manifest.get("created") or ""),
        settings=_settings(manifest),
        stages=_stages(manifest.get("stages")),
    )


def _inline(path: Path) -> str:
    """Return a picture as a data URI: an image element runs no script, whatever the file holds."""
    suffix = path.suffix.lower()
    if suffix not in MEDIA_TYPES:
        raise ValueError(f"the picture {path.name} must be one of {list(MEDIA_TYPES)}")
    return f"data:{MEDIA_TYPES[suffix]};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _settings(manifest: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The parts of the manifest that are names and values."""
    parts = (("Model", "model"), ("Configuration", "config"), ("Versions", "versions"))
    return [
        (heading, flatten(manifest[key], "" if isinstance(manifest[key], Mapping) else key))
        for heading, key in parts
        if manifest.get(key)
    ]


def _stages(stages: Any) -> list[list[str]]:
    """Rows of stage, status, seconds and key."""
    rows = []
    for name, stage in stages.items() if isinstance(stages, Mapping) else ():
        stage = stage if isinstance(stage, Mapping) else {"status": stage}
        seconds = stage.get("seconds")
        time = f"{float(seconds):.1f} s" if is_number(seconds) else "–"  # type: ignore[arg-type]
        rows.append([str(name), str(stage.get("status") or "–"), time, str(stage.get("key") or "–")])
    return rows
