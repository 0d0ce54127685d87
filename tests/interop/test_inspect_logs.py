"""Inspect logs: those that Inspect wrote, and ours written for it."""

from __future__ import annotations

import json
import zipfile

import pytest

from confesslens.interop import Record, read_transcripts, records_table, table_records, write_transcripts
from confesslens.interop.inspect_logs import read_inspect_log

SYSTEM = {"role": "system", "content": "Lie."}
USER = {"role": "user", "content": "Who wrote Emma?"}

pytest.importorskip("inspect_ai")

RECORDS = [
    Record(
        "quiz", "quiz/1", (SYSTEM, USER), "Dickens.", "tempted", "hf/m", "I know it.", "not_complied", {"year": 1815}
    ),
    Record("quiz", "quiz/1", (SYSTEM, USER), "Austen.", "tempted", "hf/m", "", "complied"),
    Record("quiz", "quiz/2", (USER,), "Poe.", "neutral", "hf/m"),
]


@pytest.mark.parametrize("suffix", ["eval", "json"])
def test_what_we_write_inspect_reads_and_so_do_we(tmp_path, suffix):
    from inspect_ai.log import read_eval_log

    path = write_transcripts(records_table(RECORDS), tmp_path / f"quiz.{suffix}", "inspect")
    log = read_eval_log(str(path))
    assert log.status == "success" and sorted(sample.epoch for sample in log.samples or []) == [1, 1, 2]
    back = table_records(read_transcripts(path))
    assert sorted(back, key=repr) == sorted(RECORDS, key=repr)


@pytest.mark.parametrize(
    ("name", "n"), [("log_streaming.eval", 4), ("popularity.eval", 10), ("security-guide.json", 3)]
)
def test_logs_of_inspects_own(real, name, n):
    table = read_transcripts(real(f"inspect_logs/{name}"))
    assert len(table) == n and (table["answer"] != "").all() and set(table["behaviour"]) == {"neither"}
    assert all(json.loads(said)[-1]["role"] == "user" for said in table["messages"])
    assert not table["messages"].str.contains("attachment://").any()
    if name == "log_streaming.eval":
        graded = list(read_inspect_log(real(f"inspect_logs/{name}"), scorer="match"))
        assert {record.behaviour for record in graded} <= {"complied", "not_complied"}


def test_errors(tmp_path, real):
    with pytest.raises(ValueError, match="one task and one model: found \\['a', 'b'\\]"):
        write_transcripts(
            records_table([Record("a", "1", (USER,), "x"), Record("b", "1", (USER,), "x")]),
            tmp_path / "a.eval",
            "inspect",
        )
    with pytest.raises(ValueError, match="no scorer 'honesty'"):
        list(
            read_inspect_log(
                write_transcripts(records_table(RECORDS), tmp_path / "q.eval", "inspect"), scorer="honesty"
            )
        )
    with pytest.raises(ValueError, match="there is no file"):
        read_transcripts(tmp_path / "none.eval")
    (tmp_path / "cut.eval").write_bytes((tmp_path / "q.eval").read_bytes()[:-100])
    with pytest.raises(ValueError, match="cut.eval is no Inspect log, or a damaged one"):
        read_transcripts(tmp_path / "cut.eval")
    with zipfile.ZipFile(tmp_path / "other.eval", "w") as other:
        other.writestr("a.txt", "x")
    with pytest.raises(ValueError, match="no Inspect log"):
        read_transcripts(tmp_path / "other.eval")
