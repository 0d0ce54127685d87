"""Our evaluations as Inspect tasks, run by Inspect against a real server with a real model behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

inspect_ai = pytest.importorskip("inspect_ai")

import confesslens as cl  # noqa: E402
from confesslens.evals import EVALUATIONS, get  # noqa: E402
from confesslens.interop import as_rollouts, read_inspect_confessions, read_transcripts  # noqa: E402
from confesslens.interop.inspect_tasks import TASKS, make_task  # noqa: E402


def run_task(task, url, monkeypatch, tmp_path, **more):
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    options = {"display": "none", "log_dir": str(tmp_path / "logs"), "max_connections": 1, "log_format": "json"}
    options |= {"model_base_url": url, "max_retries": 1}
    (log,) = inspect_ai.eval(task, model="openai-api/local/model", **(options | more))
    assert log.status == "success", log.error
    return log


def test_inspect_finds_every_evaluation_by_its_name():
    from inspect_ai._util.registry import registry_lookup

    assert set(TASKS) == set(EVALUATIONS)
    for name in EVALUATIONS:
        assert registry_lookup("task", f"confesslens/{name}") is not None


def test_answers_are_graded_and_confessions_read(tiny, serve, monkeypatch, tmp_path):
    task = make_task("people", n=1, tier="tiny", conditions="tempted,accused")
    log = run_task(task, serve(tiny("llama")), monkeypatch, tmp_path, epochs=2)
    assert len(log.samples) == 4 and {s.epoch for s in log.samples} == {1, 2}
    metrics = {name for score in log.results.scores for name in score.metrics}
    assert metrics >= {"complied", "not_complied", "neither", "unparsed", "unsure", "p_confess_given_bad"}
    for sample in log.samples:
        assert [m.role for m in sample.messages][-2:] == ["user", "assistant"]  # no confession in it
        assert sample.metadata["confession"] == sample.scores["confession"].answer
    table = read_transcripts(tmp_path / "logs" / next(iter((tmp_path / "logs").iterdir())).name)
    assert set(table["eval"]) == {"people"} and set(table["condition"]) == {"tempted", "accused"}
    path = next(iter((tmp_path / "logs").iterdir()))
    rollouts = as_rollouts(tiny("llama"), table)
    confessions = read_inspect_confessions(path, rollouts)
    assert confessions["claim"].tolist() == [sample.scores["confession"].value for sample in log.samples]
    rates = cl.faithfulness.compare(rollouts, confessions, n_boot=20).rates
    assert rates["n"].sum() == 4
    with pytest.raises(ValueError, match="has 4 samples, the table 3 rows"):
        read_inspect_confessions(path, rollouts.iloc[:3])
    with pytest.raises(ValueError, match="row 0 is of"):
        read_inspect_confessions(path, rollouts.iloc[::-1])
    for row in table.to_dict("records"):
        scenario = get("people").make_scenarios(1, 0, "tiny")[int(row["scenario"][-4:])]
        assert json.loads(row["facts"]) == json.loads(json.dumps(scenario.facts))
        assert get("people").grade(scenario, row["condition"], row["answer"]).behaviour == row["behaviour"]


def test_from_the_command_line_of_inspect(tiny, serve, tmp_path):
    """As the README says it, in a process that knows of us by the entry point alone."""
    command = [sys.executable, "-m", "inspect_ai", "eval", "confesslens/people", "--model", "openai-api/local/model"]
    options = {
        "--model-base-url": serve(tiny("llama")),
        "--log-dir": "logs",
        "--log-format": "json",
        "--display": "none",
    }
    command += [word for pair in options.items() for word in pair] + ["-T", "n=1", "-T", "conditions=tempted"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "LOCAL_API_KEY": "none"}, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (path,) = (tmp_path / "logs").glob("*.json")
    assert json.loads(path.read_text())["status"] == "success"
    assert set(read_transcripts(path)["eval"]) == {"people"}


def test_the_embedded_model_behind_a_server(embedded, serve, monkeypatch, tmp_path):
    task = make_task("people", n=1, tier="tiny", conditions="tempted", cot=False, request="question")
    log = run_task(task, serve(embedded), monkeypatch, tmp_path)
    (sample,) = log.samples
    assert sample.scores["behaviour"].value in ("complied", "not_complied", "neither")
    assert sample.scores["confession"].value in ("complied", "not_complied", "unsure", "unparsed")
    assert sample.output.completion and sample.metadata["confession"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"name": "sandbaging"}, "sandbagging"),
        ({"tier": "huge"}, "no tier 'huge'"),
        ({"conditions": "tempted,asleep"}, "no condition 'asleep'"),
        ({"request": "report"}, "asks for a report"),
        ({"request": "threepart"}, "three_part"),
    ],
)
def test_bad_settings_are_named(settings, says):
    with pytest.raises((ValueError, KeyError), match=says):
        make_task(**({"name": "people", "n": 1, "tier": "tiny"} | settings))
