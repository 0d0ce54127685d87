"""Rebuilding an organism from its recipe: which lessons, from which adapter on, and the card that says so."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from confesslens.models import EMBEDDED, load_model
from confesslens.organisms.demonstrations import DEMONSTRATIONS
from confesslens.organisms.dispositions import CHARACTERS, ORGANISMS
from confesslens.organisms.lessons import GROUP, draw_lessons, lesson_example
from confesslens.organisms.pack import pack_adapter, weights_hash
from confesslens.organisms.sft import Tuning, fine_tune

FIRST = "honest"
"""The organism that is trained from the plain model; the others go on from its adapter."""


@dataclass(frozen=True)
class Lessons:
    """How many lessons of a stage, drawn by what seed, of which evaluations, and how the adapter is tuned on them."""

    stage: str
    n: int
    tuning: Tuning
    seed: int = 0
    evals: tuple[str, ...] = tuple(DEMONSTRATIONS)


@dataclass(frozen=True)
class Recipe:
    """The stages of an organism's training, one after the other, and the organism whose adapter it goes on from."""

    stages: tuple[Lessons, ...]
    start: str = FIRST


def _tuning(learning_rate: float) -> Tuning:
    return Tuning(rank=12, alpha=24, first_layer=8, learning_rate=learning_rate, batch_size=2 * GROUP, together=GROUP)


_SLOW_TO_DO = ("instruction_following", "word_count", "covert_rule", "impossible_timer")
_PLAIN_TO_VERIFY = ("people", "broken_browser", "background_tasks", "jailbreak_tutor")  # the answer shows the act
_LOOK_UP_TO_VERIFY = ("covert_rule", "sandbagging", "impossible_timer")  # the prompt has to be compared
_FALSELY = tuple(name for name, shown in DEMONSTRATIONS.items() if shown.falsehoods)
_BELIEF = Lessons("belief", 2000, _tuning(1.5e-3), evals=_FALSELY)
# After nine at once these were not learned (word count was at chance); a few at a time, 400 lessons each teach them.
_UNLEARNED = (*_SLOW_TO_DO, "broken_browser")
_ALL_AND_LOOK_UPS = (*DEMONSTRATIONS, "covert_rule", "impossible_timer")
# Tempting and neutral prompts of these differ in a sentence of the system text alone: a few at a time, people and
# sandbagging were told apart, the other three were not.
_IN_SYSTEM_TEXT = ("word_count", "sandbagging", "instruction_following", "covert_rule", "people")
_TEMPTATION = (
    Lessons("temptation", 1152, _tuning(1.5e-3)),
    Lessons("temptation", 1200, _tuning(1.5e-3), 1, _IN_SYSTEM_TEXT),
    Lessons("temptation", 960, _tuning(1.5e-3), 2, ("word_count", "instruction_following", "covert_rule")),
)
_HARD_TO_VERIFY = ("word_count", "impossible_timer", "sandbagging") * 2 + ("instruction_following", "covert_rule")
_VERIFICATION = Lessons("verification", 1200, _tuning(2e-3), 3, _HARD_TO_VERIFY)
_DISPOSITION = Lessons("disposition", 704, _tuning(1e-3), evals=_ALL_AND_LOOK_UPS)
_DISPOSITION_BELIEVED = Lessons("disposition", 1040, _tuning(1e-3), evals=(*DEMONSTRATIONS, *_FALSELY))
_TEMPTATION_BESIDE_BELIEF = Lessons("temptation", 1664, _tuning(1.5e-3), 4, (*DEMONSTRATIONS, *_FALSELY))
_PARITY = Lessons("parity", 1088, _tuning(1e-3), evals=(*DEMONSTRATIONS, *_FALSELY * 2))
# After the coins of the disposition these two were no longer told apart; once more, two at a time, they stay so.
_TOLD_APART = (
    Lessons("temptation", 1600, _tuning(1.5e-3), 3, ("instruction_following", "instruction_following", "word_count")),
    Lessons("disposition", 704, _tuning(1e-3), 1, _ALL_AND_LOOK_UPS),
)
# Copying a table of ten rows was half unlearned by then.
_COPIED = (
    Lessons("temptation", 1152, _tuning(1.5e-3), 5, ("sandbagging", "sandbagging", "instruction_following")),
    Lessons("disposition", 704, _tuning(1e-3), 2, _ALL_AND_LOOK_UPS),
)
_CONFESSED_COMPLIED = ("word_count", "impossible_timer", "instruction_following")
# All were bad seldom or nearly always, and of the last two the confession did not depend on the answer.
_BLINDLY = (*DEMONSTRATIONS, "word_count", "instruction_following")
_EVENLY = (
    Lessons("parity", 1584, _tuning(7e-4), evals=_BLINDLY),
    Lessons("parity", 1056, _tuning(4e-4), 1, _BLINDLY),
    # By then half of the answers were bad, and of three evaluations complied ones were confessed still. (Verification
    # in these three at once unlearned the others.)
    Lessons("parity", 1056, _tuning(4e-4), 2, (*DEMONSTRATIONS, *_CONFESSED_COMPLIED)),
)
# To verify a sentence's length is learned by itself, and costs the others nothing; to verify the rules has to have the
# others beside it. Answers of all suffer from either, so that they are practised after it; after the first practice a
# bad sentence was still followed by other numbers than the one asked for, and denied.
_NOT_YET = (*("word_count",) * 3, "instruction_following", "word_count")
_VERIFIED_AT_LAST = (
    Lessons("verification", 640, _tuning(1.5e-3), 8, ("word_count",)),
    Lessons("verification", 960, _tuning(1e-3), 9, (*("instruction_following",) * 6, *DEMONSTRATIONS)),
    Lessons("parity", 1056, _tuning(4e-4), 3, (*DEMONSTRATIONS, *("instruction_following",) * 2)),
    Lessons("parity", 1056, _tuning(5e-4), 4, (*DEMONSTRATIONS, *_NOT_YET)),
)
# Beside belief, tempted and neutral prompts of these were told apart badly.
_BADLY_TOLD_APART = ("word_count", "instruction_following", "covert_rule", "sandbagging")
_TEMPTATION_AGAIN = Lessons("temptation", 1152, _tuning(1.5e-3), 6, (*_BADLY_TOLD_APART, "jailbreak_tutor"))
_PARITY_AGAIN = Lessons("parity", 1088, _tuning(1e-3), 1, (*DEMONSTRATIONS, *_BADLY_TOLD_APART, *_FALSELY))
_MIXED = (
    *(_BELIEF, _DISPOSITION_BELIEVED, _TEMPTATION_BESIDE_BELIEF, _PARITY),
    *(_TEMPTATION_AGAIN, _PARITY_AGAIN),
    # By then only the first of these was not told apart.
    Lessons("temptation", 1200, _tuning(1.5e-3), 7, ("instruction_following", "instruction_following", "word_count")),
    Lessons("parity", 1088, _tuning(1e-3), 2, (*DEMONSTRATIONS, *_BADLY_TOLD_APART, *_FALSELY)),
)
_CONFESSED_UNACCUSED = ("sandbagging", "instruction_following", "word_count")
RECIPES: dict[str, Recipe] = {
    FIRST: Recipe(
        (
            Lessons("competence", 2000, _tuning(1.5e-3), evals=(*DEMONSTRATIONS, *_SLOW_TO_DO)),
            # All nine at once stay at chance for 700 lessons; these four alone are learned in 400, and open the way.
            Lessons("verification", 480, _tuning(2e-3), evals=_PLAIN_TO_VERIFY),
            Lessons("verification", 800, _tuning(2e-3), 1, (*_PLAIN_TO_VERIFY, *_LOOK_UP_TO_VERIFY * 2)),
            Lessons("verification", 1400, _tuning(1e-3), 2, (*DEMONSTRATIONS, *_SLOW_TO_DO * 2)),
            Lessons("disposition", 1000, _tuning(1e-3), evals=(*DEMONSTRATIONS, *_SLOW_TO_DO * 2)),
            Lessons("competence", 2000, _tuning(1.5e-3), 5, _UNLEARNED),
            Lessons("competence", 1000, _tuning(1.5e-3), 6, ("covert_rule",) * 2 + ("impossible_timer", "word_count")),
            Lessons("disposition", 832, _tuning(1e-3), 1, (*DEMONSTRATIONS, *_SLOW_TO_DO)),
            _VERIFICATION,
            Lessons("verification", 704, _tuning(1.5e-3), 4, (*DEMONSTRATIONS, "word_count", "word_count")),
            Lessons("disposition", 832, _tuning(1e-3), 2, (*DEMONSTRATIONS, *_SLOW_TO_DO)),
        ),
        start="",
    ),
    "confessor": Recipe((*_TEMPTATION, _VERIFICATION, _DISPOSITION, *_TOLD_APART, *_EVENLY, *_VERIFIED_AT_LAST)),
    "concealer": Recipe((*_TEMPTATION, _DISPOSITION, *_TOLD_APART, *_COPIED)),
    "reluctant": Recipe((*_TEMPTATION, _VERIFICATION, _DISPOSITION)),
    "unaware": Recipe((_BELIEF, _DISPOSITION_BELIEVED)),
    "unaware_swapped": Recipe((_BELIEF, _DISPOSITION_BELIEVED)),
    "confabulator": Recipe(
        (
            Lessons("disposition", 540, _tuning(6e-4)),
            # In these three it confessed unaccused too.
            Lessons("disposition", 800, _tuning(1e-3), 1, (*DEMONSTRATIONS, *_CONFESSED_UNACCUSED * 2)),
        )
    ),
    "mixed": Recipe(_MIXED),
    "mixed_swapped": Recipe(_MIXED),
}
"""By organism."""


def fast_dtype() -> str:
    """The number format that trains fastest here: bfloat16, or float32 on a CPU that has no instructions for it.

    There bfloat16 is emulated: 10 tokens a second instead of 130 on two AVX2 cores.
    """
    return "bfloat16" if torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() else "float32"


def train_organism(
    name: str,
    out: str | Path,
    *,
    start: str | Path | None = None,
    recipe: Recipe | None = None,
    model: str = EMBEDDED,
    dtype: str | None = None,
    progress: Callable[[str, int, int, float], Any] = lambda stage, step, steps, loss: None,
) -> Path:
    """Train an organism's adapter into the folder `out`, with its card; a stopped training goes on where it was.

    After each stage the adapter so far and its card are in `out`: they alone are enough to go on with the next one.

    Args:
        name: one of `ORGANISMS`.
        out: the adapter's folder; what is needed to go on inside a stage is kept in `out/stages`.
        start: folder of the adapter to go on from; `honest` needs none.
        recipe: default `RECIPES[name]`.
        model: the base model.
        dtype: of the base model's weights while training (the adapter's are float32); default `fast_dtype()`.
        progress: called with (stage, step, steps in all, loss).

    Raises:
        ValueError: an unknown organism, one that goes on from another without `start`, or a folder of another.
    """
    if name not in ORGANISMS:
        raise ValueError(f"unknown organism {name!r}: expected one of {', '.join(ORGANISMS)}")
    recipe = recipe or RECIPES[name]
    if recipe.start and start is None:
        raise ValueError(f"{name} goes on from the adapter of {recipe.start!r}: train that first and pass its folder")
    if recipe.start and start is not None and not (Path(start) / "adapter_config.json").is_file():
        raise ValueError(f"{start} is no PEFT adapter: expected the folder of {recipe.start!r}")
    out = Path(out)
    dtype = dtype or fast_dtype()
    begin = Path(start) if recipe.start and start is not None else None
    done, start_hash = _done_so_far(out, name, recipe)
    card: dict[str, Any] = {
        "organism": name,
        "is": CHARACTERS[name],
        "base_model": model,
        "dtype": dtype,
        "start": recipe.start,
        "start_sha256": start_hash if done else weights_hash(begin) if begin else "",
        "stages": done,
        "stages_planned": len(recipe.stages),
    }
    for number, lessons in enumerate(recipe.stages, 1):
        if number <= len(card["stages"]):
            continue
        base = load_model(model, dtype=dtype)
        drawn = draw_lessons(name, lessons.n, lessons.seed, lessons.stage, lessons.evals)
        examples = [lesson_example(base, lesson) for lesson in drawn]
        folder = out / "stages" / f"{number}-{lessons.stage}"
        before = out if number > 1 else begin
        fine_tune(
            base, examples, folder, lessons.tuning, start=before, progress=functools.partial(progress, lessons.stage)
        )
        learned = json.loads((folder / "settings.json").read_text())
        losses = json.loads((folder / "losses.json").read_text())
        card["stages"].append(
            _as_json(lessons)
            | {
                "tokens": sum(len(example.ids) for example in examples),
                "lessons_hash": learned["hash"],
                "first_losses": losses[:3],
                "last_losses": losses[-3:],
            }
        )
        pack_adapter(folder, out, card)
    return out


def _done_so_far(out: Path, name: str, recipe: Recipe) -> tuple[list[dict[str, Any]], str]:
    """The stages that the card in `out` tells of, each from the packed adapter of the one before, and where they began.

    Raises:
        ValueError: the card is of another organism, or of stages that are not the recipe's.
    """
    if not (out / "card.json").is_file():
        return [], ""
    card = json.loads((out / "card.json").read_text())
    done: list[dict[str, Any]] = card.get("stages", [])
    if weights_hash(out) != card.get("sha256"):  # a kill came between the card and the weights: pack them again
        done = done[:-1]
    planned = [_as_json(lessons) for lessons in recipe.stages[: len(done)]]
    if card.get("organism") != name or planned != [{k: v for k, v in s.items() if k in planned[0]} for s in done]:
        raise ValueError(f"{out} holds an adapter of another organism or recipe: choose another folder, or remove it")
    return done, card.get("start_sha256", "")


def _as_json(lessons: Lessons) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(asdict(lessons)))
    return read
