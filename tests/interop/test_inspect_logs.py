"""Inspect logs: those that Inspect wrote, and ours written for it."""

from __future__ import annotations

import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _places(tree, at=()):
    """Paths to every value of a JSON tree."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [at, *(place for key, value in inner for place in _places(value, (*at, key)))]


def _read_or_refuse(path):
    try:
        table = read_transcripts(path)
    except ValueError as error:
        assert path.name in str(error)
    else:
        assert set(table["behaviour"]) <= {"complied", "not_complied", "neither"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The same records as a log of either kind."""
    folder = tmp_path_factory.mktemp("written")
    return {
        suffix: write_transcripts(records_table(RECORDS), folder / f"quiz.{suffix}", "inspect").read_bytes()
        for suffix in ("json", "eval")
    }


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_a_log_is_read_or_refused_by_name(tmp_path, written, data):
    path, tree = tmp_path / "quiz.json", json.loads(written["json"])
    place = data.draw(st.sampled_from(_places(tree)[1:]))
    holder = tree
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = data.draw(_JSON)
    path.write_text(json.dumps(tree))
    _read_or_refuse(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_by_name(tmp_path, written, data):
    path, whole = tmp_path / "quiz.eval", bytearray(written["eval"])
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=5)):
        whole[at] = value
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    _read_or_refuse(path)


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
