"""Small files in the real formats, as their authors write them; nothing of the real data sets is kept here."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

REAL = Path(os.environ.get("CONFESSLENS_DATA", Path(__file__).parents[3] / "shared" / "data"))
"""Where files of the real data sets lie, if they do: tests on them skip otherwise."""


@pytest.fixture
def real() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        if not (REAL / name).is_file():
            pytest.skip(f"no {name} in the folder of real data")
        return REAL / name

    return find


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, list[dict[str, Any]]], Path]:
    """Write rows in the kind of file that the name's suffix says."""

    def file(name: str, rows: Any) -> Path:
        path = tmp_path / name
        if path.suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        elif path.suffix == ".json":
            path.write_text(json.dumps(rows), encoding="utf-8")
        elif path.suffix == ".parquet":
            pd.DataFrame(rows).to_parquet(path, index=False)
        else:
            text = [{k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
            pd.DataFrame(text).to_csv(path, index=False)
        return path

    return file
