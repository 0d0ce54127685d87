"""A model behind an endpoint takes part in all that needs no activations; the report says what is missing and why."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

import confesslens as cl
from confesslens.cli import app
from confesslens.confessions import chatted
from confesslens.config import make_config
from confesslens.models import Endpoint, ModelError
from confesslens.run import explore_run, run

SMALL = {"evals": ("people", "sandbagging"), "n": 2, "samples": 1, "neutral_samples": 1, "seed": 5}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(chatted, "TOKENS", 24)


@pytest.mark.parametrize("cot", [True, False])
def test_rollouts_and_confessions_are_text_without_tokens(tiny, serve, cot):
    endpoint = Endpoint("tiny", serve(tiny("llama")))
    rollouts = cl.roll_out(endpoint, cl.evals("people"), n=2, samples=2, neutral_samples=1, cot=cot)
    sampled = cl.roll_out(tiny("llama"), cl.evals("people"), n=2, samples=2, neutral_samples=1, cot=cot)
    assert rollouts["rollout_id"].tolist() == sampled["rollout_id"].tolist()
    assert rollouts["messages"].tolist() == sampled["messages"].tolist()
    assert list(rollouts.columns) == list(sampled.columns) and set(rollouts["behaviour"]) <= {
        "neither",
        "complied",
        "not_complied",
    }
    assert not rollouts["token_ids"].map(len).any() and rollouts["answer"].str.len().any()
    confessions = cl.confess(endpoint, rollouts, samples=2, request=["three_part", "interrogation"])
    assert len(confessions) == 4 * len(rollouts) and set(confessions["mode"]) == {"free"}
    assert confessions["confession_id"].is_unique and confessions["logit"].isna().all()


def test_what_it_cannot_do_is_refused(tiny, serve):
    endpoint = Endpoint("tiny", serve(tiny("llama")))
    rollouts = cl.roll_out(endpoint, cl.evals("people"), n=1, samples=1, neutral_samples=1)
    with pytest.raises(ValueError, match="can only be asked freely"):
        cl.confess(endpoint, rollouts, samples=0)


def test_a_whole_run(tiny, serve, tmp_path):
    settings = make_config({"model": "tiny", "endpoint": serve(tiny("llama")), **SMALL})
    done = run(settings, tmp_path / "run")
    tables = done.tables()
    assert tables["witnesses"]["probe"].isna().all() and set(tables["witnesses"]["claim"]) <= {
        "complied",
        "not_complied",
        "unsure",
        "unparsed",
    }
    assert (tables["rates"]["p_bad"].notna()).all()
    page = (done.path / "report.html").read_text()
    assert "asked through an endpoint" in page and "no activations" in page
    assert (done.path / "explorer.html").is_file() and not (done.path / "activations.zarr").exists()
    assert "behind an endpoint" in done.manifest["probe_note"]
    before = {path: path.stat().st_mtime_ns for path in done.path.rglob("*") if path.is_file()}
    run(settings, tmp_path / "run")
    assert before == {path: path.stat().st_mtime_ns for path in done.path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match="cannot be coloured: the model is behind an endpoint"):
        explore_run(done.path)
    steered = CliRunner().invoke(app, ["steer", str(done.path)])
    assert steered.exit_code == 2 and "nothing inside it can be changed" in " ".join(steered.stderr.split())


def test_a_transcript_is_read_by_an_open_model_afterwards(tiny, serve):
    from confesslens.interop import as_rollouts, records_table, table_records

    rollouts = cl.roll_out(Endpoint("far", serve(tiny("llama"))), cl.evals("people"), n=1, samples=1, neutral_samples=1)
    said = rollouts[rollouts["answer"] != ""]
    reader = tiny("qwen3")
    own = as_rollouts(reader, records_table(table_records(said)))
    assert set(own["source"]) == {"far"} and cl.capture(reader, own, sites=["answer.mean"]).present.all()


def test_a_key_reaches_no_file(tiny, serve, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecret")
    done = run(make_config({"model": "tiny", "endpoint": serve(tiny("llama")), **SMALL}), tmp_path / "run")
    assert not any(b"sk-verysecret" in path.read_bytes() for path in done.path.rglob("*") if path.is_file())


def test_an_endpoint_that_is_not_there():
    endpoint = Endpoint("gone", "http://127.0.0.1:9/v1")
    with pytest.raises(ModelError, match="gone at http://127.0.0.1:9/v1 does not answer .*is it running"):
        cl.roll_out(endpoint, cl.evals("people"), n=1, samples=1, neutral_samples=1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"endpoint": "localhost:8000"}, "expected an address such as"),
        ({"endpoint": "http://user:key@host/v1"}, "a key goes into OPENAI_API_KEY"),
        ({"endpoint": "http://host/v1?key=abc"}, "a key goes into OPENAI_API_KEY"),
        ({"endpoint": "http://host/v1", "adapter": "a"}, "adapter is of a model that is loaded here"),
        ({"endpoint": "http://host/v1", "free_samples": 0}, "free_samples has to be 1 or more"),
    ],
)
def test_settings_that_do_not_go_together(settings, says):
    with pytest.raises(ValueError, match=says):
        make_config(settings)


def test_the_command_line(tiny, serve, tmp_path):
    options = ["--model", "tiny", "--endpoint", serve(tiny("llama")), "--evals", "people", "--n", "2"]
    result = CliRunner().invoke(app, ["run", *options, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert len(pd.read_parquet(tmp_path / "run" / "confessions.parquet"))
