"""Figures from recipes: each experiment on a tiny random model, its folder, and what a recipe refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from confesslens.cli import app
from confesslens.experiments import EXPERIMENTS, Work, default_recipe, make_figure, read_recipe

SMALL = {
    "evals": ["people", "broken_browser"],
    "n": 1,
    "samples": 2,
    "neutral_samples": 1,
    "free_samples": 1,
    "workers": 1,
}
LESS = {"rollouts": 1, "samples": 3, "facts": 4, "permutations": 9, "draws": 20, "steps": 1, "prompts": 1}
NEED_MORE = ("training", "weak_judge", "doses", "coverage")
"""Than what a tiny random model gives in a few seconds; each has a test of its own, coverage that of the study."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("figures")


def small_recipe(name, tiny_folder, **more):
    recipe = default_recipe(name, "quick", str(tiny_folder))
    settings = {**recipe.settings, **{k: v for k, v in LESS.items() if k in recipe.settings}, **more}
    return dataclasses.replace(recipe, run=SMALL if recipe.run else {}, settings=settings)


def check(folder, name):
    assert {f"{name}.png", f"{name}.svg", "recipe.yaml", "README.md"} <= {path.name for path in folder.iterdir()}
    caption = (folder / "README.md").read_text()
    assert EXPERIMENTS[name].shows in caption and f"confesslens figure {name}" in caption
    tables = sorted(folder.glob("*.csv"))
    assert tables and all(f"`{path.name}`" in caption for path in tables)
    return [pd.read_csv(path) for path in tables]


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name not in NEED_MORE])
def test_a_figure_is_made_of_any_model(name, home, tiny_folder):
    recipe = small_recipe(name, tiny_folder)
    folder = make_figure(recipe, home / "out", home / "runs")
    check(folder, name)
    assert read_recipe(folder / "recipe.yaml") == recipe


@pytest.mark.slow
@pytest.mark.parametrize("name", ["training", "weak_judge"])
def test_confession_training_is_drawn(name, home, tiny_folder):
    """Graded by hand: a tiny random model acts neither well nor badly."""
    recipe = small_recipe(name, tiny_folder)
    before = Work(recipe, home / "trained", lambda *_: None).run(organism=None)
    rollouts = before.read_table("rollouts.parquet")
    graded = [("complied", "not_complied")[i % 2] for i in range(len(rollouts))]
    before.write_table("rollouts.parquet", rollouts.assign(behaviour=graded))
    before.save_manifest()  # else the file counts as damaged
    folder = make_figure(recipe, home / "out", home / "trained")
    check(folder, name)
    curves = pd.read_csv(folder / "curves.csv")
    assert curves["n"].sum() > 0
    assert (folder / "training_curves.png").is_file() == (name == "training")
    if name == "weak_judge":  # beside a control in which no confession is trained
        alone = curves[curves["training"] == "answers alone"]
        assert set(alone["curve"]) == {"control_accuracy", "p_bad", "answer_reward"} and alone["n"].sum() > 0
        assert set(pd.read_csv(folder / "changed.csv")["training"]) == {"confessions too", "answers alone"}


def test_the_causal_figure_is_drawn(home, tiny_folder):
    """Graded by hand, as above, so that there is a probe to steer along."""
    enough = SMALL | {"evals": ["people", "sandbagging"], "n": 6, "sites": ["answer.last", "request.last"]}
    recipe = small_recipe("doses", tiny_folder, organism=None, strengths=[-0.1, 0.1], n=2, random=1)
    recipe = dataclasses.replace(recipe, run=enough)
    before = Work(recipe, home / "steered", lambda *_: None).run(until="activations", organism=None)
    rollouts = before.read_table("rollouts.parquet")
    graded = [("complied", "not_complied")[i % 2] for i in range(len(rollouts))]
    before.write_table("rollouts.parquet", rollouts.assign(behaviour=graded))
    before.save_manifest()
    folder = make_figure(recipe, home / "caused", home / "steered")
    check(folder, "doses")
    doses = pd.read_csv(folder / "doses.csv")
    assert set(doses["strength"].dropna()) >= {-0.1, 0.1} and (doses["n"] > 0).any()
    assert "2 scenarios an evaluation" in (folder / "README.md").read_text()


def test_the_causal_figure_says_that_there_is_no_probe(home, tiny_folder):
    with pytest.raises(
        ValueError, match="steers along the run's probe: .*too few|steers along the run's probe: Too little"
    ):
        make_figure(small_recipe("doses", tiny_folder), home / "out", home / "runs")
    assert not (home / "out" / "doses").exists()


def test_experiments_share_their_runs(home, tiny_folder):
    for name in ("confessed", "volunteered"):
        make_figure(small_recipe(name, tiny_folder), home / "shared", home / "shared-runs")
    assert len(list((home / "shared-runs").iterdir())) == 1


def test_the_command_follows_the_recipe_that_is_there(home, tiny_folder):
    folder = make_figure(small_recipe("confessed", tiny_folder), home / "again", home / "runs")
    before = (folder / "confessed.png").read_bytes()
    (folder / "confessed.png").unlink()
    arguments = ["figure", "confessed", "--out", str(home / "again"), "--work", str(home / "runs")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    assert (folder / "confessed.png").read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"figure": "confesed"}, "confessed"),
        ({"modle": "x"}, "model"),
        ({"preset": "quik"}, "quick"),
        ({"settings": {"sampels": 1}}, "compute|samples"),
    ],
)
def test_a_wrong_recipe_is_named(changed, says, tmp_path):
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"figure": "compute"} | changed))
    with pytest.raises(ValueError, match=says):
        read_recipe(tmp_path / "recipe.yaml")


def test_files_that_are_no_recipe(tmp_path):
    (tmp_path / "a.yaml").write_text("[1, 2")
    (tmp_path / "b.yaml").write_text("- 1\n")
    for name, says in (("a.yaml", "cannot read"), ("b.yaml", "no recipe"), ("c.yaml", "cannot read")):
        with pytest.raises(ValueError, match=says):
            read_recipe(tmp_path / name)


def test_all_figures_are_listed_and_a_wrong_name_is_told():
    listed = CliRunner().invoke(app, ["figure"]).stdout
    assert all(name in listed for name in EXPERIMENTS)
    wrong = CliRunner().invoke(app, ["figure", "confesed"])
    assert wrong.exit_code == 2 and "'confessed'" in wrong.stderr
    model = CliRunner().invoke(app, ["figure", "coverage", "--model", "x"])
    assert model.exit_code == 2 and "no model to change" in model.stderr


def test_the_page_on_figures_lists_every_experiment():
    page = (Path(__file__).parents[2] / "figures" / "README.md").read_text(encoding="utf-8")
    for experiment in EXPERIMENTS.values():
        shows = experiment.shows.replace("|", "\\|")  # a bar would end the cell
        assert f"| `{experiment.name}` | {shows} |" in page
