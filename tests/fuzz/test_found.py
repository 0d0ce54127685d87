"""What mutated inputs once broke: each is refused in one line, or read in time."""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd
import pytest

from confesslens.activations import load_activations
from confesslens.activations.activations import Block, Contents
from confesslens.activations.items import chat_items
from confesslens.activations.store import StoreWriter, damaged_parts
from confesslens.activations.token_scores import read_texts
from confesslens.confessions.report import parse_report
from confesslens.config import make_config
from confesslens.cot.labels import load_labels
from confesslens.cot.trained import TfidfMonitor
from confesslens.evals import EVALUATIONS
from confesslens.experiments import read_recipe
from confesslens.folder import RunFolder
from confesslens.interop import read_transcripts
from confesslens.models import ModelError
from confesslens.probes import LogisticProbe, load_probe, save_probe

DEEP = "[" * 100_000
USER = {"role": "user", "content": "Who wrote Emma?"}


def refused(call, *given, match):
    """ValueError itself or one of ours, in one line of bearable length."""
    with pytest.raises(ValueError, match=match) as caught:
        call(*given)
    assert caught.type in (ValueError, ModelError)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 3000


def test_half_a_surrogate_pair_is_no_report():
    assert parse_report('{"co\ud800mpliance_analysi').claim == "unparsed"


def test_many_brackets_are_no_long_work_for_the_grader():
    evaluation = EVALUATIONS["word_count"]
    scenario = evaluation.make_scenarios(1, 0, "tiny")[0]
    started = time.process_time()
    for text in ("(" * 100_000, "[" * 100_000, "(a" * 50_000):
        evaluation.grade(scenario, "tempted", f"One kind dog {text} (4)")
    assert time.process_time() - started < 2
    read = evaluation.grade(scenario, "tempted", "A dog (one of 2, yes) sits (4)")
    assert read.evidence["why"] == "a number in brackets cannot be read as a count"


@pytest.mark.parametrize(
    ("name", "held", "match"),
    [
        ("a.jsonl", '{"messages": [{"role": "user", "content": "\\ud800"}]}', "half a surrogate pair"),
        ("a.json", '[{"messages": [{"role": "user", "content": "\\udfff"}]}]', "half a surrogate pair"),
        ("a.csv", 'messages\n"[{""role"": ""user"", ""content"": ""\\ud800""}]"\n', "field messages"),
        ("a.csv", f"messages\n{DEEP}\n", "row 1, field messages: input should be a valid list"),
        ("a.jsonl", json.dumps({"x" * 9000: 1}), "a row with x+… is of no known format"),
        (
            "a.json",
            json.dumps([{"messages": [USER | {"role": "x" * 9000}], "deceptive": True}]),
            "answer last, found 'xxx",
        ),
        ("a.json", json.dumps({"metadata": [1], "rollouts": [3]}), "row 1"),
        ("a.parquet", "PAR1" + "x" * 99 + "PAR1", "it is no parquet, or damaged"),
    ],
)
def test_files_of_transcripts(tmp_path, name, held, match):
    path = tmp_path / name
    path.write_text(held, encoding="utf-8")
    refused(read_transcripts, path, match=match)


def test_two_halves_of_a_pair_are_a_character(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "\\ud83d\\ude00"}]}')
    assert json.loads(read_transcripts(path)["messages"][0])[0]["content"] == "😀"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"facts": "{half"}, "row 1 of the table, field facts: expected JSON"),
        ({"facts": "[]"}, "field facts: expected the JSON of a dict"),
        ({"messages": "3"}, "field messages: expected the JSON of a list"),
        ({"messages": '[{"role": "user"}]'}, "expected a list of role and content"),
        ({"answer": 3}, "field answer: expected text, found 3"),
        ({"behaviour": "good"}, "field behaviour"),
    ],
)
def test_tables_of_ours(tmp_path, change, match):
    row = {"eval": "e", "scenario": "s", "condition": "c", "source": "", "cot": "", "answer": "a", "facts": "{}"}
    path = tmp_path / "a.parquet"
    pd.DataFrame([row | {"messages": "[]", "behaviour": "neither"} | change]).to_parquet(path)
    refused(read_transcripts, path, match=match)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("evals: [" + "x" * 9000 + "]", "unknown evaluation"),
        ("n: " + "9" * 5000, "is not YAML"),
        ("n: " + DEEP[:1200], "is not YAML"),
        ("preset: [quick]", "no preset"),
        ("organism: " + "x" * 300, "there is no organism 'xxx"),
        ("organism: ../adapters/honest", "there is no organism"),
        ("n: &a [*a]", "is not YAML|setting n"),
    ],
)
def test_files_of_settings(tmp_path, text, match):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    refused(make_config, {}, path, match=match)


@pytest.mark.parametrize("line", ["settings: .inf", "settings: [[]]", "figure: [x]", "preset: {}", "run: 3"])
def test_recipes(tmp_path, line):
    path = tmp_path / "a.yaml"
    path.write_text(f"figure: confessed\n{line}\n" if "figure" not in line else line)
    refused(read_recipe, path, match="expected (text|lines of)")


def test_saved_probes_and_monitors(tmp_path):
    probe = save_probe(tmp_path / "p", LogisticProbe().fit(np.eye(4), [0, 1, 0, 1]), {"name": "x"})
    (probe / "card.json").write_text(DEEP)
    refused(load_probe, probe, match="not a readable card")
    (probe / "card.json").write_text('{"format": "confesslens-probe-1", "estimator": []}')
    refused(load_probe, probe, match="no estimator")
    monitor = TfidfMonitor(["a", "b"], np.ones(2), np.ones(2), 0.0, 0.5).save(tmp_path / "m")
    (monitor / "monitor.json").write_text('{"words": ["a", "b"], "threshold": 0.5}')
    refused(TfidfMonitor.load, monitor, match="not a monitor of format")
    (monitor / "monitor.json").write_text(DEEP)
    refused(TfidfMonitor.load, monitor, match="not a readable monitor")
    for threshold in ("9" * 400, "NaN"):
        told = f'{{"format": "confesslens-cot-monitor-1", "words": ["a", "b"], "threshold": {threshold}}}'
        (monitor / "monitor.json").write_text(told)
        refused(TfidfMonitor.load, monitor, match="threshold or weights are no finite numbers")


@pytest.mark.parametrize(
    ("manifest", "match"),
    [
        ({"files": {"../../outside": "0"}}, "expected a path inside the folder"),
        ({"files": {"/etc/hosts": "0"}}, "expected a path inside the folder"),
        ({"files": {"a\0b": "0"}}, "expected a path inside the folder"),
        ({"files": {"a" * 300: "0"}}, "expected a path inside the folder"),
        ({"files": True}, "files: expected an object, found True"),
        ({"config": None}, "config: expected an object, found None"),
        ({"stages": {"rollouts": 3}}, "expected an object with seconds for 'rollouts'"),
        ({"stages": {"rollouts": {"seconds": "x"}}}, "expected an object with seconds"),
        ({"stages": {"rollouts": {"files": 3}}}, "expected a list of names"),
    ],
)
def test_manifests(tmp_path, manifest, match):
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    refused(RunFolder, tmp_path, match=match)


def test_manifests_that_are_odd_are_shown(tmp_path):
    (tmp_path / "manifest.json").write_text('{"config": {"evals": [null, 3]}, "stages": {"rollouts": {}}}')
    assert "None, 3" in RunFolder(tmp_path)._repr_html_()
    (tmp_path / "manifest.json").write_text(DEEP)
    refused(RunFolder, tmp_path, match="is damaged")


def test_chats_and_labels(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(DEEP)
    refused(read_texts, path, match="row 1: not JSON")
    path.write_bytes(b"\xff\xfe")
    refused(load_labels, path, match="cannot read")
    refused(load_labels, tmp_path / "none", match="cannot read")


def ones(n):
    values = {"resid_post": np.ones((n, 1, 1, 4), np.float32)}
    return Block(values, np.ones((n, 1), bool), {}, np.zeros(0, int), np.zeros(n, int))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("zarr.json", b'""'),
        ("zarr.json", b'{"half'),
        ("zarr.json", (b"resid_post", b"resid_pots")),
        ("zarr.json", (b"resid_post", b"x" * 400)),
        ("zarr.json", (b'"d_model": 4', b'"d_model": 8')),
        ("part-*/zarr.json", b"{}"),
        ("part-*/present/zarr.json", b"true"),
        ("part-*/resid_post/zarr.json", (b"float32", b"int32")),
        ("part-*/resid_post/zarr.json", (b'"fill_value": 0.0', b'"fill_value": 1.0')),
        ("part-*/zarr.json", (b'"x"', b'"z"')),
    ],
)
def test_stores_whose_descriptions_are_changed(tmp_path, name, change):
    """What zarr says of an array has no checksum of its own: a changed word would be read as other numbers."""
    path = tmp_path / "a.zarr"
    contents = Contents([3], ["a.mean"], ["resid_post"], [], None, "float32", 4, "m", "float32")
    with StoreWriter(path, contents) as writer:
        block = Block(
            {"resid_post": np.ones((2, 1, 1, 4), np.float32)},
            np.ones((2, 1), bool),
            {},
            np.zeros(0, int),
            np.zeros(2, int),
        )
        writer.append(block, ["x", "y"], ["1", "2"])
    assert load_activations(path).values.shape == (2, 1, 1, 4)
    (file,) = path.glob(name)
    file.write_bytes(change if isinstance(change, bytes) else file.read_bytes().replace(*change))
    refused(load_activations, path, match="is damaged|is not a store")
    assert bool(damaged_parts(path)) == ("part" in name)


@pytest.mark.parametrize(
    ("messages", "match"),
    [
        (None, "expected a list of messages"),
        (float("inf"), "expected a list of messages"),
        ([], "expected a list of messages"),
        ([None], r"messages\[0\] needs role and content"),
        ([{"role": "user"}], r"messages\[0\] needs role and content"),
        ([USER, {"role": "user", "content": 3}], r"messages\[1\] needs role and content"),
        ([{"role": "user", "content": "\ud800"}], "half a surrogate pair"),
    ],
)
def test_conversations(tiny, messages, match):
    model = tiny("llama")
    for call in (model.encode_prompt, model.encode_chunks, lambda given: model.encode_turn(given, "Why?")):
        refused(call, messages, match=match)
    refused(chat_items, model, [messages], match=match)


@pytest.mark.parametrize(
    "template", ["{", "{{ messages[9].content }}", "{{ 1 / 0 }}", "{{ messages | fro }}", "{% for"]
)
def test_templates(tiny, template):
    model = tiny("llama")
    plain = model.tokenizer.chat_template
    model.tokenizer.chat_template = template
    try:
        with pytest.raises(ModelError, match="chat template of tiny-llama"):
            model.encode_turn([USER], "Why?")
    finally:
        model.tokenizer.chat_template = plain
