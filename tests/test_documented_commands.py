"""Every command of ours that README and docs give is run, as it stands there, on a tiny model and small numbers."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from confesslens.cli import app
from confesslens.config import make_config
from confesslens.experiments import EXPERIMENTS, default_recipe
from confesslens.folder import RunFolder
from confesslens.interop import read_transcripts, write_transcripts
from confesslens.run import run

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNS = sorted({name for page in PAGES for name in re.findall(r"runs/[\w/]*\w", page.read_text(encoding="utf-8"))})
SMALL = {"evals": ["people", "sandbagging"], "n": 6, "samples": 2, "neutral_samples": 1, "free_samples": 1}
SMALL |= {"workers": 1, "sites": ["answer.last", "request.last"]}
# What a command is run with besides what it says; the last word of an option counts.
LESS = {
    "run": ["--n", "1", "--evals", "people", "--workers", "1", "--out", "made"],
    "steer": ["--n", "1", "--random", "1"],
    "train confession": ["--evals", "people", "--steps", "1", "--prompts", "1", "--generations", "2"],
    "convert": ["--answer-tokens", "4"],
}
ELSEWHERE = {
    "train organism": "tests/organisms/test_train.py",
    "figure all": "tests/experiments/test_experiments.py",
    "figure training": "tests/experiments/test_experiments.py",
    "figure weak_judge": "tests/experiments/test_experiments.py",
    "figure coverage": "tests/faithfulness/test_study.py",
    "trained": "tests/organisms/test_effect.py",
    "run --ray": "tests/run/test_ray.py",
}
"""Hours of work that no option makes small, or a cluster or a training that has to be there; where these are run."""


def documented() -> list[str]:
    """Single commands of the pages' shell blocks, and those in running text that are whole, without `uv run`."""
    found: list[str] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fence = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
        lines = [
            line
            for kind, block in fence.findall(text)
            if kind == "bash"
            for line in block.replace("\\\n", " ").splitlines()
        ]
        found += [part.strip() for line in lines for part in re.sub(r"(^|\s)#.*", "", line).split("&&")]
        found += re.findall(r"`((?:uv run )?confesslens [a-z][^`]*)`", fence.sub("", text))
    ours = [" ".join(one.removeprefix("uv run ").split(" > ")[0].split()) for one in found]
    return sorted({one for one in ours if one.startswith("confesslens ")})


def is_whole(command: str) -> bool:
    """A command that is only spoken of ("`confesslens steer`") lacks what it needs."""
    words = command.split()[1:]
    return len(words) > 1 or words[0] in ("run", "doctor", "evals", "figure")


def kind(command: str) -> str:
    words = command.split()[1:]
    if "--ray" in words:
        return "run --ray"
    known = [" ".join(words[:2]), words[0]]
    return next((name for name in known if name in (*LESS, *ELSEWHERE)), words[0])


@pytest.fixture(scope="module")
def place(tiny_folder, tmp_path_factory):
    """A folder with all that the pages' commands find: runs, settings, files, a recipe of each figure."""
    home = tmp_path_factory.mktemp("documented")
    mine = home / "runs" / "mine"
    settings = make_config(SMALL | {"model": str(tiny_folder)})
    run(settings, mine, until="activations")
    found = RunFolder(mine)
    table = found.read_table("rollouts.parquet")
    graded = np.where(np.arange(len(table)) % 2, "complied", "not_complied")  # a random model does neither
    found.write_table("rollouts.parquet", table.assign(behaviour=graded))
    found.save_manifest()
    run(settings, mine)
    for name in RUNS:
        if not any((parent / "manifest.json").exists() for parent in ((home / name), *(home / name).parents)):
            shutil.copytree(mine, home / name, copy_function=shutil.copy2)
            other = RunFolder(home / name)
            other.manifest["model"]["adapter"] = name  # as if it were another organism's
            other.save_manifest()
    shutil.copytree(ROOT / "probes", home / "probes")
    records = read_transcripts(mine)
    write_transcripts(records[records["eval"] == "people"], home / "log.eval", "inspect")  # a log is of one task
    (home / "FILE").write_text("The capital of France is Paris.", encoding="utf-8")
    (home / "settings.yaml").write_text("n: 1\nevals: [people]\n", encoding="utf-8")
    organisms = home / "figures" / "organisms"
    shutil.copytree(ROOT / "figures" / "organisms", organisms)
    for name, experiment in EXPERIMENTS.items():
        recipe = default_recipe(name, "quick", None if experiment.model_free else str(tiny_folder))
        less = {"facts": 4, "permutations": 9, "draws": 20, "rollouts": 1, "samples": 2}
        small = {key: less.get(key, value) for key, value in recipe.settings.items()}
        for out in (home / "figures", home / "runs" / "my-figures"):
            (out / name).mkdir(parents=True, exist_ok=True)
            told = {
                "figure": name,
                "preset": "quick",
                "model": recipe.model,
                "run": {**SMALL, "n": 2},
                "settings": small,
            }
            (out / name / "recipe.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    user, said = {"role": "user", "content": "Who wrote Emma?"}, {"role": "assistant", "content": "Austen."}
    pd.DataFrame([{"messages": [user, said], "deceptive": False, "model": "m"}]).to_parquet(home / "liars.parquet")
    pd.DataFrame([{"user_prompt": "Say so.", "proposition": "p", "belief_elicit_1": "Is it?"}]).to_csv(
        home / "mask.csv"
    )
    return home


def test_whole_commands_are_found():
    assert len([one for one in documented() if is_whole(one)]) > 60


@pytest.mark.slow
@pytest.mark.parametrize("command", [one for one in documented() if is_whole(one) and kind(one) not in ELSEWHERE])
def test_it_runs(command, place, tiny, tiny_folder, serve, tmp_path, monkeypatch):
    here = tmp_path / "here"
    shutil.copytree(place, here, copy_function=shutil.copy2)
    monkeypatch.chdir(here)
    words = shlex.split(command)[1:]
    for option in ("--organism", "--adapter"):  # of the embedded model, or of nobody: the tiny model stands for them
        while option in words:
            del words[words.index(option) : words.index(option) + 2]
    address = serve(tiny("llama"))
    model = "served" if "--endpoint" in words else str(tiny_folder)
    replaced = {"NAME": "people" if "--evals" in words else "confessed", "RUN": "runs/mine", "FOLDER": "made"}
    replaced |= {"RUN...": "runs/mine", "FITTED": "runs/mine", "ASKED...": "runs/first", "runs/TRAINED": "made"}
    replaced |= {"prompt.last": "request.last"}  # a site that its run has
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        if before == "--model":
            words[i] = model
        elif before == "--layer":
            words[i] = "1"  # that its run has
        elif before in ("--endpoint", "--sampler"):
            words[i] = address
        else:
            words[i] = replaced.get(word, word)
    if words[0] == "run" and "--model" not in words:
        words += ["--model", model]
    done = CliRunner().invoke(app, [*words, *LESS.get(kind(command), [])])
    assert done.exit_code == 0, done.stdout[-500:] + done.stderr[-2000:]


def test_what_is_run_elsewhere_is_named_there():
    for what, file in ELSEWHERE.items():
        assert what.split()[-1].strip("-") in (ROOT / file).read_text(encoding="utf-8")
