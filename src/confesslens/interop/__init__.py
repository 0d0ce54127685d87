"""Readers and writers for the formats that others use: their transcripts to our rollouts, and ours to theirs."""

from confesslens.interop.answers import answer_prompts, as_rollouts
from confesslens.interop.formats import FORMATS, Format, read_transcripts, write_transcripts
from confesslens.interop.impossible_bench import grade_impossible
from confesslens.interop.inspect_logs import read_inspect_confessions
from confesslens.interop.record import COLUMNS, Record, records_table, table_records

__all__ = [
    "COLUMNS",
    "FORMATS",
    "Format",
    "Record",
    "answer_prompts",
    "as_rollouts",
    "grade_impossible",
    "read_inspect_confessions",
    "read_transcripts",
    "records_table",
    "table_records",
    "write_transcripts",
]
