"""From a recipe to a figure's folder: recipe.yaml, data, picture, caption."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from confesslens.closest import no_such, one_line, shown
from confesslens.experiments import of_cause, of_intervals, of_probes, of_runs, of_training
from confesslens.experiments.experiment import PRESETS, Experiment, Recipe, Work
from confesslens.figures import save_figure
from confesslens.models import EMBEDDED
from confesslens.run import Progress

RECIPE, CAPTION = "recipe.yaml", "README.md"
EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for part in (of_runs, of_training, of_probes, of_cause, of_intervals)
    for experiment in part.EXPERIMENTS
}
"""By name."""


def find_experiment(name: str) -> Experiment:
    """The experiment of that name; ValueError with the nearest names when there is none."""
    if name not in EXPERIMENTS:
        raise ValueError(no_such("figure", name, EXPERIMENTS))
    return EXPERIMENTS[name]


def default_recipe(name: str, preset: str = "standard", model: str | None = None) -> Recipe:
    """An experiment's recipe as released (`standard`), or one that is made in minutes (`quick`).

    Raises:
        ValueError: no such experiment or preset, or a model for one that has none in it.
    """
    experiment = find_experiment(name)
    if preset not in PRESETS:
        raise ValueError(no_such("preset", preset, PRESETS))
    if model is not None and experiment.model_free:
        raise ValueError(f"the figure {name!r} has no model to change: leave --model")
    own = _settings_for(model or EMBEDDED, experiment.settings.get(preset, {}))
    return Recipe(name, preset, model or EMBEDDED, dict(experiment.run[preset]), own)


def _settings_for(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Organisms are adapters on the embedded model: another one is drawn by itself."""
    without: dict[str, Any] = {} if model == EMBEDDED else {"organism": None, "organisms": []}
    return {key: without.get(key, value) for key, value in settings.items()}


def read_recipe(path: str | Path) -> Recipe:
    """A recipe from a YAML file.

    Raises:
        ValueError: no such file, no YAML, an unknown key or experiment, or a setting that the experiment lacks.
    """
    try:
        read = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read the recipe {path}: {one_line(error)}") from None
    if not isinstance(read, dict) or "figure" not in read:
        raise ValueError(f"{path} is no recipe: expected lines such as 'figure: confessed'")
    for key in read:
        if key not in Recipe.__dataclass_fields__:
            raise ValueError(f"{path}: {no_such('key', str(key), Recipe.__dataclass_fields__)}")
    for key, kind in (("figure", str), ("preset", str), ("model", str), ("run", dict), ("settings", dict)):
        if read.get(key) is not None and not isinstance(read[key], kind):
            what = "text" if kind is str else "lines of 'setting: value'"
            raise ValueError(f"{path}: {key} is {shown(read[key])}, expected {what}")
    usual = default_recipe(str(read["figure"]), read.get("preset") or "standard")
    given: dict[str, Any] = read.get("settings") or {}
    for key in given:
        if key not in usual.settings:
            raise ValueError(f"{path}: {no_such('setting', str(key), usual.settings)}")
    model = read.get("model") or EMBEDDED
    settings = _settings_for(model, {**usual.settings, **given})
    return Recipe(usual.figure, usual.preset, model, read.get("run") or usual.run, settings)


def make_figure(
    recipe: Recipe,
    out: str | Path,
    work: str | Path = "runs",
    *,
    progress: Progress = lambda stage, done, total: None,
    command: str = "",
) -> Path:
    """Make a figure; what is sampled for it is kept in `work`, so that a stopped one goes on where it was.

    Args:
        recipe: from `default_recipe` or `read_recipe`.
        out: folder of all figures; this one's is `out/NAME`.
        work: folder of the runs that figures share.
        progress: called with (stage, items done, items in all).
        command: what makes the figure again, for its caption.

    Returns:
        the figure's folder: recipe.yaml, a CSV file a table, NAME.png, NAME.svg and README.md, the caption.

    Raises:
        ValueError: settings that a run or the experiment refuses.
    """
    experiment = find_experiment(recipe.figure)
    drawn = experiment.draw(Work(recipe, Path(work), progress))
    folder = Path(out) / recipe.figure
    for name, figure in {recipe.figure: drawn.figure, **drawn.beside}.items():
        save_figure(figure, folder, name)
    for name, table in drawn.tables.items():
        _write(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
    _write(folder / RECIPE, yaml.safe_dump(asdict(recipe), sort_keys=False, allow_unicode=True))
    caption = [
        f"# {recipe.figure}",
        f"![{experiment.shows}]({recipe.figure}.png)",
        *(f"![{name.replace('_', ' ')}]({name}.png)" for name in drawn.beside),
        f"{experiment.shows} {drawn.says} Intervals are 95 %; the numbers are in "
        f"{', '.join(f'`{name}.csv`' for name in drawn.tables)}.",
        f"Made again by `{command or f'confesslens figure {recipe.figure}'}` from `{RECIPE}`.",
    ]
    _write(folder / CAPTION, "\n\n".join(caption) + "\n")
    return folder


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
