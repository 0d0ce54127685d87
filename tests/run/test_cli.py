"""The command line: errors are one line and exit with 2; the environment files agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from confesslens.cli import app
from confesslens.evals import EVALUATIONS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--evals", "peple"], "Did you mean 'people'"),
        (["run", "--preset", "standart"], "did you mean 'standard'"),
        (["run", "--model", "smollm-135m", "--out", "OUT"], "did you mean 'smollm2-135m'"),
        (["run", "--organism", "liar"], "there is no organism 'liar'"),
        (["run", "--until", "confession", "--out", "OUT"], "did you mean 'confessions'"),
        (["train", "organism", "liar"], "unknown organism 'liar'"),
        (["train", "organism", "mixed", "--start", "OUT"], "is no PEFT adapter"),
        (["dispositions", "OUT"], "holds no run: expected a folder with manifest.json"),
        (["knowing", "OUT", "OUT"], "holds no run: expected a folder with manifest.json"),
        (["knowing", "OUT", "OUT", "--layer", "3"], "--site and --layer go together"),
        (["run", "--config", "nowhere.yaml"], "cannot read the config file nowhere.yaml"),
    ],
)
def test_errors(arguments, words, tmp_path):
    result = CliRunner().invoke(app, [str(tmp_path / "r") if a == "OUT" else a for a in arguments])
    assert result.exit_code == 2
    assert words in result.stderr and result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_evals_lists_all():
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["evals"])
    assert result.exit_code == 0
    for evaluation in EVALUATIONS.values():
        assert evaluation.name in result.stdout
    assert "tiers of all: tiny, small, full" in result.stdout and "accused" in result.stdout
    assert "invented year" in result.stdout  # the twins of people


def test_conda_environment_agrees_with_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = [item for item in environment["dependencies"] if isinstance(item, str)]
    (pip,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]
    assert f"python{project['requires-python']}" in conda
    assert sorted(pip) == sorted([*project["dependencies"], "-e ."])


def test_readme_gives_the_two_commands():
    text = (ROOT / "README.md").read_text()
    assert "pip install uv && uv run confesslens run" in text
    assert re.search(r"^uv run pytest$", text, re.MULTILINE)
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("uv run pytest")


def test_confession_training_asks_for_a_run_and_a_known_reward(tmp_path):
    for arguments, words in [
        (["--reward", "trust"], "did you mean 'truth'"),
        ([], "holds no run: expected a folder with manifest.json"),
    ]:
        command = ["train", "confession", str(tmp_path), "--out", str(tmp_path / "a"), *arguments]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 2 and words in result.stderr and "Traceback" not in result.stderr
