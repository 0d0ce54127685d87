"""Write a figure to disk, the same bytes each time."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from confesslens.figures.style import house_style

# Dates and versions would make every file differ from the last one.
METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


@house_style()
def save_figure(fig: Figure, folder: str | Path, name: str) -> dict[str, Path]:
    """Write `folder/name.png` (200 dpi) and `folder/name.svg`, each replaced whole; return the paths by suffix.

    Raises ValueError if `name` is not a plain file name without suffix.
    """
    if not name or Path(name).name != name or name.endswith((".png", ".svg")):
        raise ValueError(f'the figure name {name!r} must be a plain file name without suffix, such as "cells"')
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for suffix, metadata in METADATA.items():
        buffer = BytesIO()
        fig.savefig(buffer, format=suffix, metadata=metadata)
        paths[suffix] = folder / f"{name}.{suffix}"
        unfinished = folder / f".{name}.{suffix}.part"
        unfinished.write_bytes(buffer.getvalue())
        os.replace(unfinished, paths[suffix])
    return paths
