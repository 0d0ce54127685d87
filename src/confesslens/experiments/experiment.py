"""What an experiment is: a question, the settings that answer it, and how its figure is drawn from runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from confesslens.config import RunConfig, make_config
from confesslens.folder import RunFolder
from confesslens.run import Progress, run

PRESETS = ("quick", "standard")


@dataclass(frozen=True)
class Recipe:
    """All that a figure depends on; what `recipe.yaml` in its folder holds.

    Attributes:
        figure: name of the experiment.
        preset: which of its presets this began as.
        model: as `confesslens run --model`; another one makes the same figure of that model.
        run: settings of its runs, as in a config file of `confesslens run`.
        settings: what the experiment itself can be asked for.
    """

    figure: str
    preset: str
    model: str
    run: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawn:
    """An experiment's outcome.

    Attributes:
        figure: the picture.
        tables: every number that it shows, by file name.
        says: what was seen, with n; the caption's second half.
        beside: further pictures of it, by file name.
    """

    figure: Figure
    tables: Mapping[str, pd.DataFrame]
    says: str
    beside: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """A figure and how it comes about.

    Attributes:
        name: of the figure and its folder.
        shows: what the figure shows, one sentence; the caption's first half.
        draw: makes it.
        run: settings of its runs by preset.
        settings: its own settings by preset.
        model_free: no model is in it.
    """

    name: str
    shows: str
    draw: Callable[[Work], Drawn]
    run: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    model_free: bool = False


@dataclass
class Work:
    """What an experiment works with: its recipe, a folder for runs that experiments share, and the progress display."""

    recipe: Recipe
    home: Path
    progress: Progress

    def setting(self, name: str) -> Any:
        """One of the experiment's own settings."""
        return self.recipe.settings[name]

    def config(self, **more: Any) -> RunConfig:
        """A run's settings: the recipe's, changed by `more`."""
        own = {"preset": self.recipe.preset, "model": self.recipe.model, **self.recipe.run, **more}
        return make_config(own)

    def run(self, until: str | None = None, **more: Any) -> RunFolder:
        """The run with these settings, up to a stage if that is enough, done now or, by another figure, before.

        Its folder is named after all its settings, so experiments that ask for the same run share it.
        """
        config = self.config(**more)
        command = f"confesslens figure {self.recipe.figure}"
        return run(config, self.folder(config), until=until, progress=self.progress, command=command)

    def folder(self, config: RunConfig) -> Path:
        """Where the run with these settings is."""
        return self.home / config.default_folder().name
