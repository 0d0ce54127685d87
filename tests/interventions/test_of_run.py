"""The commands on a run: steering, changed thoughts, other requests, labelling."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from confesslens.cli import app
from confesslens.config import make_config
from confesslens.folder import RunFolder
from confesslens.interventions.of_run import load_run_model, steer_run, transcripts_to_do
from confesslens.probes import LogisticProbe, save_probe
from confesslens.run import run


@pytest.fixture(scope="module")
def folder(tiny_folder, tmp_path_factory):
    settings = {"model": str(tiny_folder), "evals": ("people",), "n": 3, "samples": 2, "neutral_samples": 1}
    path = tmp_path_factory.mktemp("run") / "r"
    run(
        make_config(settings | {"workers": 1, "dtype": "float32", "sites": ("request.last",)}),
        path,
        until="activations",
    )
    found = RunFolder(path)
    table = found.read_table("rollouts.parquet")
    asked = (table["condition"] != "neutral").to_numpy()
    behaviour = np.where(np.arange(len(table)) % 2, "complied", "not_complied")
    found.write_table("rollouts.parquet", table.assign(behaviour=np.where(asked, behaviour, table["behaviour"])))
    found.save_manifest()
    model, _ = load_run_model(found)
    rng = np.random.default_rng(0)
    probe = LogisticProbe().fit(rng.normal(size=(20, model.d_model)), np.arange(20) % 2)
    card = {"model": model.name, "fingerprint": model.fingerprint, "layer": 1, "site": "request.last"}
    save_probe(path / "probes" / "behaviour", probe, card)
    return path


def test_steered_from_the_command_line(folder, tmp_path):
    out = tmp_path / "s"
    arguments = ["steer", str(folder), "--strengths", "-0.3,0.3", "--random", "1", "--n", "2", "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "logit: too little data for a trend (2 scenarios, 8 needed); behavioural." in result.output
    doses = pd.read_parquet(out / "doses.parquet")
    assert set(doses["direction"]) == {"", "probe", "answer length", "random 1"}
    assert (out / "dose_response.svg").is_file()
    settings = json.loads((out / "steering.json").read_text())
    assert settings["layer"] == 1 and settings["others"] == ["answer length"]


def test_every_transcript_is_counted(folder, tmp_path):
    done = []
    steer_run(folder, out=tmp_path, strengths=[0.2], n=2, n_random=1, on_done=lambda: done.append(1))
    assert len(done) == transcripts_to_do(folder, 2, 1, 1, 0, True)


class Stopped(Exception):
    pass


def test_stopped_and_repeated_it_goes_on_to_the_same_tables(folder, tmp_path):
    settings = {"strengths": [-0.2, 0.2], "n": 2, "n_random": 1}
    whole, _ = steer_run(folder, out=tmp_path / "whole", **settings)
    total, done = transcripts_to_do(folder, 2, 2, 1, 0, True), []

    def stop():
        done.append(1)
        if len(done) == 3 * total // 4:
            raise Stopped

    with pytest.raises(Stopped):
        steer_run(folder, out=tmp_path / "s", on_done=stop, **settings)
    assert list((tmp_path / "s" / "parts").rglob("*.parquet"))
    begun = len(done)
    again, _ = steer_run(folder, out=tmp_path / "s", on_done=lambda: done.append(1), **settings)
    assert len(done) - begun < total
    for name in ("outcomes", "doses", "trends", "capability", "evidence"):
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(again, name))
    assert not (tmp_path / "s" / "parts").exists()


def test_a_probe_of_another_model_is_refused(folder, tmp_path):
    probe = LogisticProbe().fit(np.random.default_rng(0).normal(size=(20, 32)), np.arange(20) % 2)
    for card, words in (
        ({"fingerprint": "other", "layer": 1, "site": "request.last"}, "fitted on another model"),
        ({"layer": 9, "site": "request.last"}, "expected 0 to 2"),
    ):
        save_probe(tmp_path / "p", probe, card)
        result = CliRunner().invoke(app, ["steer", str(folder), "--probe", str(tmp_path / "p")])
        assert result.exit_code == 2 and words in result.stderr


def test_thoughts_and_wordings(folder, tmp_path):
    result = CliRunner().invoke(app, ["rethink", str(folder), "--changes", "filler", "--out", str(tmp_path / "t")])
    assert result.exit_code == 0, result.output
    assert set(pd.read_parquet(tmp_path / "t")["change"]) == {"none", "filler"}
    arguments = ["wordings", str(folder), "--requests", "audit,question", "--out", str(tmp_path / "w")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert pd.read_parquet(tmp_path / "w")["request"].tolist() == ["audit", "question", "any"]


def test_labels_are_drawn_once(folder, tmp_path):
    out = tmp_path / "l.jsonl"
    assert CliRunner().invoke(app, ["label", str(folder), "--out", str(out), "--n", "4"]).exit_code == 0
    assert len(out.read_text().splitlines()) == 4
    again = CliRunner().invoke(app, ["label", str(folder), "--out", str(out)])
    assert again.exit_code == 2 and "is there already" in again.stderr


def test_errors_name_the_folder(tmp_path):
    for command in ("steer", "rethink", "wordings"):
        result = CliRunner().invoke(app, [command, str(tmp_path)])
        assert result.exit_code == 2 and str(tmp_path) in result.stderr.replace("\n", "")
