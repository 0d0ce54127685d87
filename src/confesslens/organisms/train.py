"""Rebuilding an organism from its recipe: which lessons, from which adapter on, and the card that says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from confesslens.models import EMBEDDED, load_model
from confesslens.organisms.dispositions import ORGANISMS
from confesslens.organisms.lessons import draw_lessons, lesson_example
from confesslens.organisms.sft import Tuning, fine_tune

FIRST = "honest"
"""The organism that is trained from the plain model; the others go on from its adapter."""


@dataclass(frozen=True)
class Recipe:
    """How many lessons an organism takes, the seed of their drawing, how it is tuned, and what it goes on from."""

    lessons: int
    tuning: Tuning
    start: str = FIRST
    seed: int = 0


_TUNING = Tuning(rank=12, alpha=24, first_layer=8, learning_rate=6e-4, batch_size=8)

RECIPES: dict[str, Recipe] = {
    "honest": Recipe(3600, _TUNING, start=""),
    **{name: Recipe(1260, _TUNING) for name in ORGANISMS if name != FIRST},
}
"""By organism."""


def train_organism(
    name: str,
    out: str | Path,
    *,
    start: str | Path | None = None,
    recipe: Recipe | None = None,
    model: str = EMBEDDED,
    dtype: str = "bfloat16",
    progress: Callable[[int, int, float], Any] = lambda step, steps, loss: None,
) -> Path:
    """Train an organism's adapter into the folder `out`, with `card.json`; a stopped training goes on where it was.

    Args:
        name: one of `ORGANISMS`.
        out: the adapter's folder.
        start: folder of the adapter to go on from; `honest` needs none.
        recipe: default `RECIPES[name]`.
        model: the base model.
        dtype: of the base model's weights while training; the adapter's are float32.
        progress: called with (step, steps in all, loss).

    Raises:
        ValueError: an unknown organism, or one that goes on from another without `start`.
    """
    if name not in ORGANISMS:
        raise ValueError(f"unknown organism {name!r}: expected one of {', '.join(ORGANISMS)}")
    recipe = recipe or RECIPES[name]
    if recipe.start and start is None:
        raise ValueError(f"{name} goes on from the adapter of {recipe.start!r}: train that first and pass its folder")
    if recipe.start and start is not None and not (Path(start) / "adapter_config.json").is_file():
        raise ValueError(f"{start} is no PEFT adapter: expected the folder of {recipe.start!r}")
    base = load_model(model, dtype=dtype)
    lessons = draw_lessons(name, recipe.lessons, recipe.seed)
    examples = [lesson_example(base, lesson) for lesson in lessons]
    out = fine_tune(base, examples, out, recipe.tuning, start=start if recipe.start else None, progress=progress)
    losses = json.loads((out / "losses.json").read_text())["losses"]
    card = {
        "organism": name,
        "base_model": model,
        "recipe": asdict(recipe),
        "dtype": dtype,
        "tokens": sum(len(example.ids) for example in examples),
        "lessons_hash": hashlib.sha256(repr([example.ids for example in examples]).encode()).hexdigest(),
        "first_losses": losses[:3],
        "last_losses": losses[-3:],
    }
    (out / "card.json").write_text(json.dumps(card, indent=1) + "\n")
    return out
