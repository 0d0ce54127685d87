"""The explorer: one page to browse and read every rollout of a run."""

from confesslens.figures.explorer.page import render_explorer

__all__ = ["render_explorer"]
