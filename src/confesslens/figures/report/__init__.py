"""The report of a run: one self-contained HTML page."""

from confesslens.figures.report.page import render_report

__all__ = ["render_report"]
