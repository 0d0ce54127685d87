"""Confessions: a constant request after the answer, its report, and how that is read."""

from confesslens.confessions.confess import COLUMNS, confess
from confesslens.confessions.forms import FORMS
from confesslens.confessions.honesty import judge_honesty
from confesslens.confessions.parse import Parsed, parse_answer, parse_three_part, stated_confidence
from confesslens.confessions.report import ConfessionReport, parse_report, read_report
from confesslens.confessions.requests import CLAIMS, REQUESTS, THREE_PART_REQUEST, Request

__all__ = [
    "CLAIMS",
    "COLUMNS",
    "FORMS",
    "REQUESTS",
    "THREE_PART_REQUEST",
    "ConfessionReport",
    "Parsed",
    "Request",
    "confess",
    "judge_honesty",
    "parse_answer",
    "parse_report",
    "parse_three_part",
    "read_report",
    "stated_confidence",
]
