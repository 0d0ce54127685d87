"""Training an organism: what is asked for is checked, and the card tells how the adapter came to be."""

from __future__ import annotations

import json

import pytest

from confesslens.organisms.sft import Tuning
from confesslens.organisms.train import RECIPES, Lessons, Recipe, train_organism

_TUNING = Tuning(rank=2, batch_size=4, warmup_steps=1)
SMALL = Recipe((Lessons("competence", 9, _TUNING), Lessons("disposition", 9, _TUNING)), start="")


def test_an_organism_is_trained_with_a_card(tiny_folder, tmp_path):
    first = train_organism("honest", tmp_path / "honest", recipe=SMALL, model=str(tiny_folder), dtype="float32")
    card = json.loads((first / "card.json").read_text())
    assert card["organism"] == "honest"
    assert [stage["stage"] for stage in card["stages"]] == ["competence", "disposition"]
    assert all(stage["tokens"] > 900 for stage in card["stages"])
    again = train_organism("honest", tmp_path / "again", recipe=SMALL, model=str(tiny_folder), dtype="float32")
    assert json.loads((again / "card.json").read_text()) == card
    assert (again / "adapter_model.safetensors").read_bytes() == (first / "adapter_model.safetensors").read_bytes()


def test_what_cannot_be_trained_is_said(tmp_path):
    with pytest.raises(ValueError, match="expected one of honest"):
        train_organism("liar", tmp_path)
    with pytest.raises(ValueError, match="train that first"):
        train_organism("mixed", tmp_path)


def test_every_organism_has_a_recipe():
    assert [name for name, recipe in RECIPES.items() if not recipe.start] == ["honest"]
