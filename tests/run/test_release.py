"""Probes of runs become the folder of released ones by one command."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from confesslens.cli import app
from confesslens.folder import RunFolder
from confesslens.probes import Interval, RidgeProbe, load_probe, save_probe
from confesslens.release import release_probes


def a_run(path, adapter="", note=None):
    run = RunFolder(path)
    path.mkdir()
    run.manifest |= {"command": "confesslens run --n 3", "versions": {"confesslens": "1"}, "model": {"name": "m"}}
    if note:
        run.manifest["probe_note"] = note
    else:
        X = np.random.default_rng(0).normal(size=(30, 4))
        card = {
            "name": "behaviour", "model": "smollm2-135m", "adapter": adapter, "fingerprint": "ab", "layer": 2,
            "site": "answer.mean", "n": 30, "metrics": {"nested_auroc_within_evaluation": Interval(0.71, 0.6, 0.8)},
            "controls": {"text": Interval(0.6, 0.5, 0.7), "probe above text": Interval(0.11, -0.02, 0.2)},
        }  # fmt: skip
        save_probe(path / "probes/behaviour", RidgeProbe().fit(X, X[:, 0] > 0), card)
    run.save_manifest()
    return path


def test_probes_of_several_runs_are_released_and_listed(tmp_path):
    runs = [a_run(tmp_path / "a"), a_run(tmp_path / "b", "concealer")]
    out = tmp_path / "probes"
    result = CliRunner().invoke(app, ["release", *map(str, runs), "--out", str(out)])
    assert result.exit_code == 0, result.output
    names = ["smollm2-135m-behaviour", "smollm2-135m-concealer-behaviour"]
    assert sorted(path.name for path in out.iterdir()) == ["README.md", *names]
    text = (out / "README.md").read_text()
    row = "smollm2-135m + concealer | layer 2, answer.mean | 30 | 0.71 (0.60 to 0.80) | 0.60 (0.50 to 0.70)"
    assert row in text and "| +0.11 (-0.02 to +0.20) |" in text
    _, card = load_probe(out / names[1])
    assert card["run"] == "confesslens run --n 3" and card["adapter"] == "concealer"
    assert json.loads((out / names[0] / "card.json").read_text())["layer"] == 2
    release_probes(runs[:1], out)
    assert text == (out / "README.md").read_text()


def test_runs_that_have_nothing_to_release_are_named(tmp_path):
    with pytest.raises(ValueError, match="no probe to release: Too little data"):
        release_probes([a_run(tmp_path / "a", note="Too little data for a probe")], tmp_path / "probes")
    runs = [a_run(tmp_path / "b"), a_run(tmp_path / "c")]
    with pytest.raises(ValueError, match="would replace"):
        release_probes(runs, tmp_path / "probes")
