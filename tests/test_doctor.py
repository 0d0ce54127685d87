"""`confesslens doctor`: what is there is told, what is missing comes with its remedy."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from confesslens import doctor
from confesslens.cli import app


def by_name(model=None):
    return {one.what: one for one in doctor.examine(model)}


def test_this_machine():
    found = by_name()
    assert found["embedded model"].state == doctor.OK and "GB free" in found["memory"].found
    assert all(one.remedy for one in found.values() if one.state != doctor.OK)
    assert not any(one.remedy for one in found.values() if one.state == doctor.OK)


def test_a_model_that_only_several_accelerators_hold(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda i: (10e9, 16e9))
    small, large, too_large = (doctor._fits(int(count), 0) for count in (1e9, 6e9, 70e9))
    assert (small.state, large.state, too_large.state) == (doctor.OK, doctor.WARNING, doctor.MISSING)
    assert "device='auto' spreads it over the 2 accelerators" in large.remedy


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity of processes here")
def test_cores_are_those_that_it_may_use():
    said = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); from confesslens import doctor; "
        "print({one.what: one.found for one in doctor.examine()}['processor'])"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("1 core;")


def test_a_token_is_not_shown(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert "a token is set" in by_name()["hub"].found and "hf_secret" not in repr(doctor.examine())


def test_a_model_is_measured_from_its_configuration(tiny_folder, tiny):
    found = by_name(str(tiny_folder))
    count = sum(p.numel() for p in tiny("llama").hf.parameters())
    assert f"LlamaForCausalLM, {count / 1e6:,.0f} million parameters, 3 blocks" == found[str(tiny_folder)].found
    assert found["TransformerLens"].state == found["chat template"].state == doctor.OK
    assert "workers at once" in found["memory for it"].found or "accelerator" in found["memory for it"].found


def test_a_model_that_does_not_fit(tiny_folder, tmp_path):
    for path in tiny_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    big = {"hidden_size": 16384, "intermediate_size": 65536, "num_hidden_layers": 128}
    (tmp_path / "config.json").write_text(json.dumps(config | big))
    found = by_name(str(tmp_path))["memory for it"]
    assert found.state == doctor.MISSING and "larger" in found.remedy


@pytest.mark.parametrize("name", ["nowhere/at-all", "nowhere.gguf", "/no/such/folder"])
def test_a_model_that_is_not_there(name):
    assert by_name(name)[name].state == doctor.MISSING


def test_without_the_sandbox_and_inspect(monkeypatch):
    monkeypatch.setattr("confesslens.evals.sandbox.why_no_sandbox", lambda: "bubblewrap (bwrap) is not installed")
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    found = by_name()
    assert "apt-get install bubblewrap" in found["sandbox for code that models write"].remedy
    assert found["Inspect AI logs and tasks"].remedy == "pip install 'confesslens[inspect]'"


def test_the_command(tiny_folder, monkeypatch, tmp_path):
    good = CliRunner().invoke(app, ["doctor", "--model", str(tiny_folder)])
    assert good.exit_code == 0 and "✓" in good.stdout and "LlamaForCausalLM" in good.stdout
    bad = CliRunner().invoke(app, ["doctor", "--model", "nowhere.gguf"])
    assert bad.exit_code == 1 and "✗" in bad.stdout and "→ check the path" in bad.stdout
