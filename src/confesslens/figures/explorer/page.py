"""Put the explorer together: one HTML file with its data, styles and script inside."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from confesslens.figures.explorer.data import explorer_data
from confesslens.figures.report.text import visible
from confesslens.figures.report.words import model_name

_SCRIPT = (Path(__file__).parent / "templates" / "explorer.js").read_text(encoding="utf-8")


def render_explorer(
    rollouts: pd.DataFrame,
    confessions: pd.DataFrame,
    witnesses: pd.DataFrame,
    manifest: Mapping[str, Any],
    twins: pd.DataFrame | None = None,
    tokens: pd.DataFrame | None = None,
) -> str:
    """Return the explorer of a run as one self-contained HTML page that browses every rollout.

    The page runs the package's own script and no other: its content policy names that script by its hash. Whatever the
    model wrote is data (JSON) that the script puts on the page as text, never as markup.

    Args:
        rollouts: the rollouts table, neutral ones too.
        confessions: the confessions table.
        witnesses: from `faithfulness.witnesses`.
        manifest: the run's.
        twins: from `evals.find_twins`, to be compared side by side.
        tokens: probe scores of tokens, as in `explorer_data`; without them texts have no colours.
    """
    environment = Environment(
        loader=PackageLoader("confesslens.figures.explorer"),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = explorer_data(rollouts, confessions, witnesses, twins, tokens)
    return environment.get_template("explorer.html").render(
        model=model_name(manifest),
        created=str(manifest.get("created") or ""),
        count=len(rollouts),
        coloured=tokens is not None and len(tokens) > 0,
        filters=data["filters"],
        data=_inside_script(data),
        script=_SCRIPT,
        script_hash=base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode(),
    )


def _inside_script(data: Any) -> str:
    """JSON in which nothing ends a script element or begins a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
