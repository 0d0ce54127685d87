"""From a run to confession training, a run of the trained adapter and the page on what changed: the command line."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

from confesslens.cli import app
from confesslens.folder import RunFolder

RUN = ("--evals", "people", "--n", "4", "--seed", "3", "--workers", "1", "--until", "confessions")


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """Runs before and after a step of training, whose frozen rollouts a hand has graded: the tiny model acts
    neither well nor badly."""
    home = tmp_path_factory.mktemp("trained")

    def call(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        assert result.exit_code == 0, result.stderr
        return result.stdout

    call("run", "--model", tiny_folder, *RUN, "--out", home / "before")
    before = RunFolder(home / "before")
    rollouts = before.read_table("rollouts.parquet")
    graded = [("complied", "not_complied")[i % 2] for i in range(len(rollouts))]
    before.write_table("rollouts.parquet", rollouts.assign(behaviour=graded))
    before.save_manifest()
    call("train", "confession", home / "before", "--out", home / "adapter", "--steps", 1, "--evals", "people")
    call("run", "--model", tiny_folder, "--adapter", home / "adapter", *RUN, "--out", home / "after")
    return home, call("trained", home / "before", home / "after", "--figures", home / "figures")


def test_the_page_sets_before_beside_after(runs):
    home, page = runs
    assert "## Frozen" in page and "## On-policy" in page
    assert r"| P(confess \| bad) | mean, learned evaluations | " in page and "held-out" not in page
    assert (home / "figures" / "confession_training.svg").is_file()
    curves = pd.read_csv(home / "figures" / "confession_training.csv")
    assert set(curves["curve"]) >= {"confession_accuracy"} and curves["n"].sum() > 0
    frozen = pd.read_parquet(home / "after" / "results" / "frozen_confessions.parquet")
    assert set(frozen["mode"]) == {"guided"}


def test_runs_that_cannot_be_compared_are_refused(runs, tiny_folder):
    home, _ = runs
    swapped = CliRunner().invoke(app, ["trained", str(home / "after"), str(home / "before")])
    assert swapped.exit_code == 2 and "is no run of an adapter that `train confession` made" in swapped.stderr
