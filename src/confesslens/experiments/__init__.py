"""The paper's experiments and ours: each makes one figure, its data and its caption from a recipe.

`make_figure` does one. What an experiment needs of a model it gets from runs (`confesslens.run`), which experiments
with the same settings share.
"""

from confesslens.experiments.experiment import PRESETS, Drawn, Experiment, Recipe, Work
from confesslens.experiments.make import EXPERIMENTS, default_recipe, make_figure, read_recipe

__all__ = [
    "EXPERIMENTS",
    "PRESETS",
    "Drawn",
    "Experiment",
    "Recipe",
    "Work",
    "default_recipe",
    "make_figure",
    "read_recipe",
]
