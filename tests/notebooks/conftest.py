"""What every notebook is tested for. Each has a file of its own, so that two processes share them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Run a notebook from top to bottom on the embedded model, on a small setting."""

    def run(name: str) -> None:
        monkeypatch.setenv("CONFESSLENS_NOTEBOOK_N", "1")
        monkeypatch.setenv("OMP_NUM_THREADS", "1")  # another process of tests has the other core
        notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        NotebookClient(notebook, timeout=280, kernel_name="python3").execute()
        assert all(cell["execution_count"] for cell in notebook.cells if cell["cell_type"] == "code")

    return run
