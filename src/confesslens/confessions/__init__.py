"""Confessions: a constant request after the answer, its report, and how that is read."""

from confesslens.confessions.confess import COLUMNS, confess
from confesslens.confessions.forms import FORMS
from confesslens.confessions.honesty import judge_honesty
from confesslens.confessions.parse import Parsed, parse_answer, parse_three_part, stated_confidence
from confesslens.confessions.report import ConfessionReport, parse_report, read_report
from confesslens.confessions.requests import CLAIMS, REQUESTS, THREE_PART_REQUEST, Request
from confesslens.confessions.yes_no import yes_no_logits

__all__ = [
    "CLAIMS",
    "COLUMNS",
    "ConfessionReport",
    "FORMS",
    "Parsed",
    "REQUESTS",
    "Request",
    "THREE_PART_REQUEST",
    "confess",
    "judge_honesty",
    "parse_answer",
    "parse_report",
    "parse_three_part",
    "read_report",
    "stated_confidence",
    "yes_no_logits",
]
