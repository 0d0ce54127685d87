"""Training an organism: what is asked for is checked, and the card tells how the adapter came to be."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from safetensors import safe_open
from typer.testing import CliRunner

from confesslens.cli import app
from confesslens.models import load, load_model
from confesslens.models.errors import ModelError
from confesslens.models.load import organism_folder, shipped_organisms
from confesslens.organisms import train
from confesslens.organisms.dispositions import SWAPPED
from confesslens.organisms.pack import weights_hash
from confesslens.organisms.sft import Tuning
from confesslens.organisms.train import RECIPES, Lessons, Recipe, train_organism

_TUNING = Tuning(rank=2, batch_size=4, warmup_steps=1)
SMALL = Recipe((Lessons("competence", 9, _TUNING), Lessons("disposition", 9, _TUNING)), start="")


def test_an_organism_is_trained_with_a_card(tiny_folder, tmp_path):
    first = train_organism("honest", tmp_path / "honest", recipe=SMALL, model=str(tiny_folder), dtype="float32")
    card = json.loads((first / "card.json").read_text())
    assert card["organism"] == "honest"
    assert [stage["stage"] for stage in card["stages"]] == ["competence", "disposition"]
    assert all(stage["tokens"] > 900 and stage["n"] == 9 for stage in card["stages"])
    assert card["sha256"] == hashlib.sha256((first / "adapter_model.safetensors").read_bytes()).hexdigest()
    assert "| disposition | 9 | 0 |" in (first / "README.md").read_text()
    config = json.loads((first / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(tiny_folder)
    with safe_open(str(first / "adapter_model.safetensors"), framework="pt") as file:
        names = set(file.keys())
        assert {str(file.get_tensor(name).dtype) for name in names} == {"torch.bfloat16"}
    assert str(load_model(tiny_folder, adapter=first).adapter) == str(first)
    again = train_organism("honest", tmp_path / "again", recipe=SMALL, model=str(tiny_folder), dtype="float32")
    assert json.loads((again / "card.json").read_text()) == card
    assert (again / "adapter_model.safetensors").read_bytes() == (first / "adapter_model.safetensors").read_bytes()


def test_from_the_command_line(tiny_folder, tmp_path, monkeypatch):
    small = functools.partial(train_organism, recipe=SMALL, model=str(tiny_folder), dtype="float32")
    monkeypatch.setattr(train, "train_organism", small)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["train", "organism", "honest"])
    assert done.exit_code == 0, done.stderr
    assert json.loads((tmp_path / "organisms" / "honest" / "card.json").read_text())["organism"] == "honest"


def test_a_stage_goes_on_from_the_packed_adapter_alone(tiny_folder, tmp_path, monkeypatch):
    first = Recipe(SMALL.stages[:1], start="")
    whole = train_organism("honest", tmp_path / "whole", recipe=SMALL, model=str(tiny_folder), dtype="float32")
    part = train_organism("honest", tmp_path / "part", recipe=first, model=str(tiny_folder), dtype="float32")
    before = (part / "adapter_model.safetensors").read_bytes()
    shutil.rmtree(part / "stages")
    train_organism("honest", part, recipe=SMALL, model=str(tiny_folder), dtype="float32")
    assert (part / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()
    assert json.loads((part / "card.json").read_text()) == json.loads((whole / "card.json").read_text())
    (part / "adapter_model.safetensors").write_bytes(before)  # as if killed between the last stage's card and weights
    train_organism("honest", part, recipe=SMALL, model=str(tiny_folder), dtype="float32")
    assert (part / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()
    with pytest.raises(ValueError, match="another organism or recipe"):
        train_organism("honest", part, model=str(tiny_folder), dtype="float32")


def test_the_card_tells_of_the_adapter_that_the_first_stage_began_with(tiny_folder, tmp_path):
    start, other = (
        train_organism("honest", tmp_path / name, recipe=recipe, model=str(tiny_folder), dtype="float32")
        for name, recipe in (("start", SMALL), ("other", Recipe(SMALL.stages[:1], start="")))
    )
    short, longer = Recipe(SMALL.stages[1:]), Recipe(SMALL.stages[::-1])
    given = {"model": str(tiny_folder), "dtype": "float32"}
    out = train_organism("concealer", tmp_path / "out", start=start, recipe=short, **given)
    train_organism("concealer", out, start=other, recipe=longer, **given)
    card = json.loads((out / "card.json").read_text())
    assert len(card["stages"]) == 2 and card["start_sha256"] == weights_hash(start)


def test_an_organism_that_is_not_whole_is_not_loaded(tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(load, "ORGANISMS_FOLDER", tmp_path)
    part = train_organism("honest", tmp_path / "honest", recipe=SMALL, model=str(tiny_folder), dtype="float32")
    assert load.organism_folder("honest") == part
    card = json.loads((part / "card.json").read_text())
    (part / "card.json").write_text(json.dumps(card | {"stages": card["stages"][:1]}))
    with pytest.raises(ModelError, match="stage 1 of 2: go on with `confesslens train organism honest --out"):
        load.organism_folder("honest")


def test_what_cannot_be_trained_is_said(tmp_path):
    with pytest.raises(ValueError, match="expected one of honest"):
        train_organism("liar", tmp_path)
    with pytest.raises(ValueError, match="train that first"):
        train_organism("mixed", tmp_path)


def test_every_organism_has_a_recipe():
    assert [name for name, recipe in RECIPES.items() if not recipe.start] == ["honest"]


def test_what_is_shipped_is_whole_and_tells_its_hash():
    names = shipped_organisms()
    assert "honest" in names
    beside = Path(__file__).parents[2] / "figures" / "organisms"  # not shipped, but kept
    folders = {name: organism_folder(name) for name in names} | {name: beside / name for name in SWAPPED}
    for name, folder in folders.items():
        card = json.loads((folder / "card.json").read_text())
        assert card["organism"] == name and card["sha256"] == weights_hash(folder)
        planned = [asdict(lessons) for lessons in RECIPES[name].stages]
        assert [{key: stage[key] for key in ("stage", "n", "seed")} for stage in card["stages"]] == [
            {key: stage[key] for key in ("stage", "n", "seed")} for stage in planned
        ]
    assert sum(path.stat().st_size for name in names for path in organism_folder(name).iterdir()) < 40e6
