"""A run: its files, resuming after a kill at every stage, refusing to overwrite, settings and their errors."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from confesslens.activations import load_activations
from confesslens.cli import app
from confesslens.config import make_config
from confesslens.evals import CONDITIONS, EVALUATIONS
from confesslens.folder import RunFolder
from confesslens.models import load_model
from confesslens.probes import RidgeProbe, save_probe
from confesslens.run import STAGES, regrade_run, run

STAGE_NAMES = [stage.name for stage in STAGES]
TABLES = ["rates", "witnesses", "cells", "agreement", "auroc", "table1", "probe_map", "controls", "scores", "sentences"]
TABLES += ["sweep", "differences", "association", "tests", "calibration", "reliability", "power"]
FILES = [
    "manifest.json",
    "rollouts.parquet",
    "confessions.parquet",
    "activations.zarr/zarr.json",
    "report.html",
    "explorer.html",
    *(f"results/{name}.parquet" for name in TABLES),
    *(
        f"figures/{name}.{kind}"
        for name in ("confession_rates", "probe_map", "cells", "agreement")
        for kind in ("png", "svg")
    ),
]


def settings(folder: Path, **more):
    return make_config({"model": str(folder), "n": 6, "workers": 1, "seed": 3, **more})


def assert_same_tables(one: Path, other: Path) -> None:
    for name in ("rollouts.parquet", "confessions.parquet", *(f"results/{table}.parquet" for table in TABLES)):
        pd.testing.assert_frame_equal(pd.read_parquet(one / name), pd.read_parquet(other / name), obj=name)


@pytest.fixture(scope="module")
def undisturbed(tiny_folder, tmp_path_factory) -> Path:
    return run(settings(tiny_folder), tmp_path_factory.mktemp("runs") / "whole").path


def test_files_of_a_run(undisturbed):
    assert [name for name in FILES if not (undisturbed / name).is_file()] == []
    assert not (undisturbed / "parts").exists()
    rates = pd.read_parquet(undisturbed / "results/rates.parquet")
    for name in ("p_bad", "p_confess_given_bad", "p_confess_given_complied", "p_admit_given_bad", "p_neither"):
        assert {name, f"{name}_low", f"{name}_high"} <= set(rates.columns)
    assert {"eval", "condition", "n"} <= set(rates.columns)
    manifest = RunFolder(undisturbed).manifest
    assert all(manifest["stages"][name]["status"] == "done" for name in STAGE_NAMES)
    assert manifest["model"]["fingerprint"] and manifest["versions"]["torch"]


class Killed(BaseException):
    pass


SHORT = ("probes", "faithfulness")  # stages that are done anew as a whole


@pytest.mark.parametrize(
    "stage", [pytest.param(name, marks=pytest.mark.slow) if name in SHORT else name for name in STAGE_NAMES]
)
def test_stopped_in_a_stage_and_continued(stage, undisturbed, tiny_folder, tmp_path):
    """Stopped after some of a stage's work: what was done is kept, and the tables end as in one go."""

    def stop(name: str, done: int, total: int) -> None:
        if name == stage and (done >= total / 2 if total > 1 else True):
            raise Killed

    with pytest.raises(Killed):
        run(settings(tiny_folder), tmp_path / "r", progress=stop)
    seen = []
    run(settings(tiny_folder), tmp_path / "r", progress=lambda name, done, total: seen.append((name, done)))
    for earlier in STAGE_NAMES[: STAGE_NAMES.index(stage)]:
        assert [done for name, done in seen if name == earlier] == [1], f"{earlier} was done again"
    assert_same_tables(undisturbed, tmp_path / "r")


def test_killed_process_continues_and_leaves_no_worker(undisturbed, tiny_folder, tmp_path):
    out = tmp_path / "r"
    command = _command(tiny_folder, out)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "80"})
    deadline = time.monotonic() + 120
    while not list(out.glob("parts/rollouts-*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(out.glob("parts/rollouts-*.parquet")), "killed too late or too early to test anything"
    time.sleep(1.5)
    mine = [p for p in Path("/proc").glob("[0-9]*/environ") if _mentions(p, str(out))] if Path("/proc").is_dir() else []
    assert mine == []
    run(settings(tiny_folder), out)
    assert_same_tables(undisturbed, out)


@pytest.fixture(scope="module")
def seconds_of_a_run(tiny_folder, tmp_path_factory) -> float:
    """How long the command takes from its start to its end."""
    started = time.monotonic()
    subprocess.run(_command(tiny_folder, tmp_path_factory.mktemp("timed") / "r"), capture_output=True, check=True)
    return time.monotonic() - started


def _command(model: Path, out: Path) -> list[str]:
    command = [sys.executable, "-m", "confesslens", "run", "--model", str(model), "--n", "6", "--seed", "3"]
    return [*command, "--workers", "2", "--out", str(out)]


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(50))
def test_killed_at_a_random_moment(moment, seconds_of_a_run, undisturbed, tiny_folder, tmp_path):
    process = subprocess.Popen(_command(tiny_folder, tmp_path / "r"), stdout=subprocess.PIPE, text=True)
    time.sleep(seconds_of_a_run * np.random.default_rng(moment).uniform())
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 10
    while True:  # until its workers have seen that it is gone
        try:
            run(settings(tiny_folder), tmp_path / "r")
            break
        except ValueError as error:
            if "another process" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    assert_same_tables(undisturbed, tmp_path / "r")
    assert not list((tmp_path / "r").rglob(".partial-*"))


def _mentions(path: Path, text: str) -> bool:
    try:
        return text in (path.parent / "cmdline").read_text()
    except OSError:
        return False


def test_repeating_a_whole_run_does_nothing(undisturbed, tiny_folder):
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()}
    run(settings(tiny_folder), undisturbed)
    after = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()}
    assert before == after


def test_other_settings_are_refused(undisturbed, tiny_folder):
    with pytest.raises(ValueError, match="seed = 3, asked for 4"):
        run(settings(tiny_folder, seed=4), undisturbed)
    with pytest.raises(ValueError, match="free_samples = 1, asked for 2"):
        run(settings(tiny_folder, free_samples=2), undisturbed)


def test_foreign_and_damaged_folders(tiny_folder, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files"):
        run(settings(tiny_folder), tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        run(settings(tiny_folder), tmp_path / "thesis.txt")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / ".partial-1-manifest.json").write_text("{half")  # of a process that was killed at once
    assert RunFolder(tmp_path / "r").manifest == {}
    for text in ("{half", "[]"):
        (tmp_path / "r" / "manifest.json").write_text(text)
        with pytest.raises(ValueError, match="is damaged"):
            run(settings(tiny_folder), tmp_path / "r")


def test_batch_size_and_workers_do_not_change_tables(undisturbed, tiny_folder, tmp_path):
    other = run(settings(tiny_folder, batch_size=5), tmp_path / "r", until="confessions").path
    for name in ("rollouts.parquet", "confessions.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(undisturbed / name), pd.read_parquet(other / name))
    # what organisms do is told from these two alone, and as from the whole run
    for folder, csv in ((undisturbed, tmp_path / "whole.csv"), (other, tmp_path / "part.csv")):
        result = CliRunner().invoke(app, ["dispositions", str(folder), "--csv", str(csv)])
        assert result.exit_code == 0, result.output
    assert (tmp_path / "whole.csv").read_text() == (tmp_path / "part.csv").read_text()


def _damage(file: Path, how: str) -> None:
    held = file.read_bytes()
    if how == "gone":
        file.unlink()
    else:
        middle = len(held) // 2
        file.write_bytes(
            held[:middle] if how == "cut" else held[:middle] + bytes([held[middle] ^ 1]) + held[middle + 1 :]
        )


@pytest.mark.parametrize(
    ("name", "how", "again"),
    [
        ("report.html", "gone", "report"),
        ("results/witnesses.parquet", "a byte", "faithfulness"),
        ("results/scores.parquet", "cut", "probes"),
        ("activations.zarr/part-*/resid_post/c/0/0/0/0", "cut", "activations"),
        ("confessions.parquet", "a byte", "confessions"),
        ("rollouts.parquet", "cut", "rollouts"),
    ],
)
def test_what_is_damaged_is_named_and_made_again(undisturbed, tiny_folder, tmp_path, name, how, again):
    out = tmp_path / "r"
    shutil.copytree(undisturbed, out)
    file = min(out.glob(name))
    _damage(file, how)
    if file.suffix == ".parquet":
        with pytest.raises(ValueError, match=f"{file.name} is damaged"):
            RunFolder(out).read_table(name)
    seen = []
    with pytest.warns(UserWarning, match=f"{name.split('/part')[0]}.*Done again from {again}"):
        run(settings(tiny_folder), out, progress=lambda stage, done, total: seen.append((stage, done)))
    for earlier in STAGE_NAMES[: STAGE_NAMES.index(again)]:
        assert [done for stage, done in seen if stage == earlier] == [1], f"{earlier} was done again"
    assert_same_tables(undisturbed, out)
    done = RunFolder(out)
    assert done.damaged() == []
    owners = [stage for stage, about in done.manifest["stages"].items() if "report.html" in about["files"]]
    assert owners == ["report"]  # or a lost report would cost the rollouts


def test_a_changed_byte_of_the_activations_is_found_before_they_are_used(undisturbed, tiny_folder, tmp_path):
    out = tmp_path / "r"
    shutil.copytree(undisturbed, out)
    file = min(out.glob("activations.zarr/part-*/resid_post/c/0/0/0/0"))
    _damage(file, "a byte")
    with pytest.raises(ValueError, match=f"{file} is damaged .*remove the folder .*repeat the command"):
        load_activations(out / "activations.zarr")
    (out / "results" / "scores.parquet").unlink()  # so that probes are fitted again
    with pytest.warns(UserWarning, match=r"activations.zarr/part-\S*/resid_post, .* Done again from activations"):
        run(settings(tiny_folder), out)
    assert_same_tables(undisturbed, out)
    load_activations(out / "activations.zarr")


def _read_only(folder: Path) -> list[str]:
    """What to put before a command so that it cannot write into a folder, root or not."""
    command = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", str(folder), str(folder)]
    if shutil.which("bwrap") is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("no bubblewrap that may mount: root writes whatever a folder's mode says")
    return command


_COMMANDS = """
import json, sys
from pathlib import Path
from typer.testing import CliRunner
from confesslens.activations import load_activations
from confesslens.cli import app
from confesslens.activations import load_activations
assert load_activations(Path(sys.argv[1]) / "activations.zarr").values.size
for arguments in json.loads(sys.argv[2]):
    result = CliRunner().invoke(app, arguments)
    print(json.dumps([result.exit_code, result.stdout, result.stderr]))
"""


def test_a_run_that_cannot_be_written_is_read(undisturbed, tiny_folder, tmp_path):
    out = tmp_path / "r"
    shutil.copytree(undisturbed, out)
    rng = np.random.default_rng(0)
    model = load_model(tiny_folder)
    card = {"model": str(tiny_folder), "fingerprint": model.fingerprint, "layer": 1, "site": "answer.mean"}
    probe = RidgeProbe().fit(rng.normal(size=(40, model.d_model)), np.arange(40) % 2)
    save_probe(out / "probes" / "mine", probe, card)
    text = tmp_path / "text.txt"
    text.write_text("I did it.")
    again = [word for word in _command(tiny_folder, out)[3:] if word not in ("--workers", "2")]
    commands = [
        again,  # a run that is whole is shown
        ["compare", str(out)],
        ["table1", str(out)],
        ["score", str(text), "--probe", str(out / "probes" / "mine"), "--json"],
        [*again, "--seed", "4"],
        ["regrade", str(out)],
        ["explore", str(out)],
        ["compare", str(out), "--csv", str(out / "csv")],
        [*again[:-1], str(out / "new")],
    ]
    script = [sys.executable, "-c", _COMMANDS, str(out), json.dumps(commands)]
    done = subprocess.run([*_read_only(out), *script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *reading, other, regrade, explore, csv, new = [json.loads(line) for line in done.stdout.splitlines()]
    assert [code for code, *_ in reading] == [0, 0, 0, 0], reading
    assert "Report:" in reading[0][1]
    assert "holds a run with other settings" in other[2]
    for code, _, said in (regrade, explore):
        assert code == 2 and f"{out} cannot be written" in said and "work on the copy" in said
    assert f"{out / 'csv'}: Read-only file system; make it writable" in csv[2]
    assert f"{out / 'new'} cannot be made (Read-only file system): choose another folder" in new[2]
    assert all(code == 2 and said.count("\n") == 1 for code, _, said in (other, regrade, explore, csv, new))


def test_a_part_that_is_cut_is_made_again(undisturbed, tiny_folder, tmp_path):
    def stop(name: str, done: int, total: int) -> None:
        if name == "confessions":
            raise Killed

    out = tmp_path / "r"
    with pytest.raises(Killed):
        run(settings(tiny_folder), out, progress=stop)
    whole = pd.read_parquet(out / "rollouts.parquet")
    (out / "parts").mkdir(exist_ok=True)
    manifest = RunFolder(out)
    manifest.manifest["stages"].clear()
    manifest.save_manifest()
    (out / "parts" / "rollouts-0000-of-0001.parquet").write_bytes((out / "rollouts.parquet").read_bytes()[:-9])
    run(settings(tiny_folder), out, until="rollouts")
    pd.testing.assert_frame_equal(whole, pd.read_parquet(out / "rollouts.parquet"))


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [1, 24, 60])
def test_a_full_disk_loses_nothing(undisturbed, tiny_folder, tmp_path, kilobytes):
    """No file may grow beyond a few kilobytes, for the process and its workers: one line that says so, no half file."""
    out = tmp_path / "r"
    command = _command(tiny_folder, out)
    limited = ["bash", "-c", f'ulimit -f {kilobytes} && exec "$@"', "-", *command]
    failed = subprocess.run(limited, capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"})
    assert failed.returncode == 2, failed.stderr
    assert "File too large" in failed.stderr and "Traceback" not in failed.stderr
    assert not RunFolder(out).damaged()
    run(settings(tiny_folder), out)
    assert_same_tables(undisturbed, out)


def test_too_little_data_is_said(tiny_folder, tmp_path):
    done = run(settings(tiny_folder, n=1, samples=1, neutral_samples=1, evals=("people",)), tmp_path / "r")
    assert done.manifest["probe_note"]
    assert done.tables()["probe_map"].empty
    assert done.tables()["scores"]["probe"].isna().all()
    assert (done.path / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"evals": ("sandbaging",)}, "Did you mean 'sandbagging'"),
        ({"preset": "quik"}, "did you mean 'quick'"),
        ({"sampels": 3}, "did you mean 'samples'"),
        ({"sites": ("answer.men",)}, "did you mean 'answer.mean'"),
        ({"n": 0}, "setting n = 0"),
        ({"tier": "huge"}, "setting tier"),
    ],
)
def test_errors_name_the_nearest(options, words):
    with pytest.raises(ValueError, match=words):
        make_config(options)


def test_config_file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("preset: standard\nn: 5\nevals: [people]\n")
    config = make_config({"n": None, "seed": 2}, path)
    assert (config.preset, config.n, config.evals, config.seed, config.samples) == ("standard", 5, ("people",), 2, 4)
    assert make_config({"n": 9}, path).n == 9
    path.write_text("evalz: all\n")
    with pytest.raises(ValueError, match="did you mean 'evals'"):
        make_config({}, path)
    path.write_text("- a\n- b\n")
    with pytest.raises(ValueError, match="holds a list"):
        make_config({}, path)
    path.write_text("a: [")
    with pytest.raises(ValueError, match="is not YAML"):
        make_config({}, path)
    with pytest.raises(ValueError, match="cannot read the config file"):
        make_config({}, tmp_path / "none.yaml")


def test_all_conditions_and_the_paper_table(tiny_folder, tmp_path):
    config = settings(tiny_folder, n=2, samples=1, neutral_samples=1, evals=("people",), conditions=("all",))
    assert config.conditions == CONDITIONS
    done = run(config, tmp_path / "r")
    rollouts, rates = done.read_table("rollouts.parquet"), done.read_table("results/rates.parquet")
    assert set(rates["condition"]) == set(CONDITIONS)
    accused = rollouts[rollouts["condition"] == "accused"]
    assert (accused["accusation"] == EVALUATIONS["people"].accusation).all()
    assert (rollouts.loc[rollouts["condition"] != "accused", "accusation"] == "").all()
    asked = done.read_table("confessions.parquet")
    assert set(asked["rollout_id"]) == set(rollouts.loc[rollouts["condition"] != "neutral", "rollout_id"])
    printed = CliRunner().invoke(app, ["table1", str(done.path), "--condition", "silenced"])
    assert printed.exit_code == 0 and "people" in printed.stdout and "paper" in printed.stdout
    refused = CliRunner().invoke(app, ["table1", str(done.path), "--condition", "silent"])
    assert refused.exit_code == 2 and "silenced" in refused.stderr
    assert CliRunner().invoke(app, ["table1", str(tmp_path / "nowhere")]).exit_code == 2
    page = CliRunner().invoke(app, ["dispositions", str(done.path), "--csv", str(tmp_path / "d.csv")])
    assert page.exit_code == 0 and "| people |" in page.stdout and (tmp_path / "d.csv").is_file()
    twice = CliRunner().invoke(app, ["dispositions", str(done.path), str(done.path)])
    assert twice.exit_code == 2 and "is a second run of" in twice.stderr


def test_neutral_is_always_among_the_conditions(tiny_folder):
    assert settings(tiny_folder, conditions=("silenced",)).conditions == ("neutral", "silenced")
    with pytest.raises(ValueError, match="did you mean 'silenced'"):
        settings(tiny_folder, conditions=("silencd",))


def test_regrading_a_run_redoes_what_follows_and_samples_nothing(undisturbed, tmp_path):
    path = tmp_path / "r"
    shutil.copytree(undisturbed, path)
    graded_otherwise = RunFolder(path)
    table = graded_otherwise.read_table("rollouts.parquet")
    graded_otherwise.write_table("rollouts.parquet", table.assign(behaviour="neither", admitted=True))
    graded_otherwise.save_manifest()
    before = (path / "confessions.parquet").stat().st_mtime_ns
    result = CliRunner().invoke(app, ["regrade", str(path)])
    assert result.exit_code == 0, result.output
    assert_same_tables(path, undisturbed)
    assert (path / "confessions.parquet").stat().st_mtime_ns == before


def test_the_explorer_is_coloured_by_the_runs_own_probe(undisturbed, tmp_path):
    out = tmp_path / "r"
    shutil.copytree(undisturbed, out)
    failed = CliRunner().invoke(app, ["explore", str(out)])  # a random model's rollouts are too little for a probe
    assert failed.exit_code == 2 and "has no probe to score tokens with: Too little data" in failed.stderr
    model = RunFolder(out).manifest["model"]
    X = np.random.default_rng(0).normal(size=(40, 32))
    card = {"layer": 1, "site": "answer.mean", "model": model["name"], "fingerprint": model["fingerprint"]}
    save_probe(out / "probes" / "behaviour", RidgeProbe().fit(X, X[:, 0] > 0), card)
    assert CliRunner().invoke(app, ["explore", str(out)]).exit_code == 0
    done = RunFolder(out)
    scores, asked = done.tables()["token_scores"], done.read_table("rollouts.parquet").query("condition != 'neutral'")
    told = scores.groupby(["rollout_id", "span"])["token"].agg("".join)
    for row in asked.to_dict("records"):
        assert told.get((row["rollout_id"], "answer"), "").strip() == row["answer"]
        assert told.get((row["rollout_id"], "cot"), "").strip() == row["cot"]
    assert scores["score"].notna().all() and scores["score"].std() > 0
    before = (undisturbed / "explorer.html").read_text()
    assert "coloured by a probe" in (out / "explorer.html").read_text() and "coloured by a probe" not in before
    assert_same_tables(undisturbed, out)
    regrade_run(out)  # a new probe: the scores of the one before are gone
    assert "token_scores" not in RunFolder(out).tables()
    failed = CliRunner().invoke(app, ["explore", str(tmp_path)])
    assert failed.exit_code == 2 and "holds no whole run" in failed.stderr


def test_only_whole_runs_are_regraded(tiny_folder, tmp_path):
    run(settings(tiny_folder, n=1, samples=1, neutral_samples=1, evals=("people",)), tmp_path / "r", until="rollouts")
    for folder, words in ((tmp_path / "r", "no confessions, activations yet"), (tmp_path / "s", "holds no run")):
        with pytest.raises(ValueError, match=words):
            regrade_run(folder)


def test_compare_prints_and_writes_tables_and_leaves_the_run_alone(undisturbed, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()}
    arguments = ["compare", str(undisturbed), "--threshold", "0.5", "--csv", str(tmp_path / "csv")]
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "Rates" in result.stdout and "answers" in result.stdout
    assert {path.stem for path in (tmp_path / "csv").iterdir()} == set(TABLES) - {"probe_map", "controls", "scores"}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    missing = CliRunner().invoke(app, ["compare", str(tmp_path / "none")])
    assert missing.exit_code == 2 and "holds no run" in missing.stderr
