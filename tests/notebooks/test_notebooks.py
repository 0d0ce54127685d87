"""Every notebook runs from top to bottom on the embedded model, on a small setting, and is committed with outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, monkeypatch):
    monkeypatch.setenv("CONFESSLENS_NOTEBOOK_N", "2")
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=280, kernel_name="python3").execute()
    assert all(cell["execution_count"] for cell in notebook.cells if cell["cell_type"] == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_with_outputs(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell["outputs"])
    assert not any(output["output_type"] == "error" for cell in cells for output in cell["outputs"])
