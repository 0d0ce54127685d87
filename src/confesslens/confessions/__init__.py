"""Confessions: a constant request after the answer, its report, and how that is read."""

from confesslens.confessions.confess import COLUMNS, confess
from confesslens.confessions.parse import Parsed, parse_three_part
from confesslens.confessions.requests import CLAIMS, THREE_PART_REQUEST
from confesslens.confessions.yes_no import yes_no_logits

__all__ = ["CLAIMS", "COLUMNS", "THREE_PART_REQUEST", "Parsed", "confess", "parse_three_part", "yes_no_logits"]
