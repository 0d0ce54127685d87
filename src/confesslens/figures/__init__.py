"""Figures and the report: one function a figure, each from a results table to a matplotlib Figure."""

from confesslens.figures.cell_shares import cells
from confesslens.figures.confidence import confidence
from confesslens.figures.coverage import coverage
from confesslens.figures.doses import dose_response
from confesslens.figures.errors import confession_errors
from confesslens.figures.explorer import render_explorer
from confesslens.figures.heat_map import probe_map
from confesslens.figures.overlap import overlap
from confesslens.figures.paired_rates import paired_rates
from confesslens.figures.probe_controls import probe_controls
from confesslens.figures.rates import confession_rates
from confesslens.figures.report import render_report
from confesslens.figures.save import save_figure
from confesslens.figures.training import training
from confesslens.figures.transcript import Transcript, transcript
from confesslens.figures.transfer_map import transfer_map
from confesslens.figures.witness_matrix import agreement

__all__ = [
    "Transcript",
    "agreement",
    "cells",
    "confession_errors",
    "confession_rates",
    "confidence",
    "coverage",
    "dose_response",
    "overlap",
    "paired_rates",
    "probe_controls",
    "probe_map",
    "render_explorer",
    "render_report",
    "save_figure",
    "training",
    "transcript",
    "transfer_map",
]
