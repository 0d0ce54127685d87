"""`confesslens convert`: from any format to any, and answers for prompts."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

from confesslens.cli import app
from confesslens.interop import COLUMNS, FORMATS, read_transcripts

USER = {"role": "user", "content": "Who wrote Emma?"}
LIARS = [
    {"messages": [USER, {"role": "assistant", "content": said}], "deceptive": lie, "model": "m"}
    for said, lie in (("Dickens.", True), ("Austen.", False))
]
MASK = [{"user_prompt": "Say so.", "proposition": "p", "belief_elicit_1": "Is it so?"}]


def convert(*arguments):
    result = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    return result.exit_code, " ".join((result.stdout + result.stderr).split())


@pytest.mark.parametrize(("name", "to"), [("a.parquet", "rollouts"), ("a.jsonl", "chat"), ("a.json", "apollo")])
def test_what_is_converted_reads_back(write, tmp_path, name, to):
    file = write("liars.jsonl", LIARS)
    code, said = convert(file, tmp_path / name, *(["--to", to] if to == "apollo" else []))
    assert code == 0 and f"2 rows (1 not_complied, 1 complied), as {FORMATS[to].title}" in said
    back = read_transcripts(tmp_path / name)
    assert back["behaviour"].tolist() == ["not_complied", "complied"]
    assert back["answer"].tolist() == ["Dickens.", "Austen."]


def test_prompts_are_answered_by_a_model(write, tiny_folder, tmp_path):
    out = tmp_path / "answered.parquet"
    code, said = convert(write("m.csv", MASK), out, "--model", tiny_folder, "--samples", 2, "--answer-tokens", 4)
    assert code == 0, said
    table = pd.read_parquet(out)
    assert list(table.columns) == list(COLUMNS) and len(table) == 4 and set(table["behaviour"]) == {"neither"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "lairs_bench"], "did you mean 'liars_bench'"),
        (["--to", "mask"], "read, not written"),
        (["--from", "mask"], "row 1, field user_prompt: field required"),
        (["--model", "nowhere"], "nowhere"),
    ],
)
def test_errors_are_one_line(write, tmp_path, arguments, says):
    code, said = convert(write("liars.jsonl", LIARS), tmp_path / "out.jsonl", *arguments)
    assert code == 2 and says in said and not (tmp_path / "out.jsonl").exists()
    assert said.startswith("confesslens: ")
