"""Mutated inputs by the thousand: each gives a result, or one of our own errors in one line, in time.

`CONFESSLENS_FUZZ=2000 pytest -m slow -n 0 -s tests/fuzz` tries 2,000 inputs a target (400 unless said) and prints what
was tried, refused and failed; `CONFESSLENS_FUZZ_SEED` draws others.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import save_file

from confesslens.activations import load_activations
from confesslens.activations.activations import Block, Contents
from confesslens.activations.items import chat_items
from confesslens.activations.store import StoreWriter, damaged_parts
from confesslens.activations.token_scores import read_texts
from confesslens.confessions.parse import parse_answer, parse_three_part
from confesslens.confessions.report import parse_report
from confesslens.config import make_config
from confesslens.cot import mentions
from confesslens.cot.labels import load_labels
from confesslens.cot.trained import TfidfMonitor
from confesslens.evals import EVALUATIONS
from confesslens.experiments import read_recipe
from confesslens.folder import RunFolder
from confesslens.interop import read_transcripts
from confesslens.interop.formats import FORMATS
from confesslens.models.thinking import split_thoughts
from confesslens.organisms.demonstrations import BAD, COMPLIED, DEMONSTRATIONS
from confesslens.probes import LogisticProbe, load_probe, load_sae, save_probe

pytestmark = pytest.mark.slow

TRIES = int(os.environ.get("CONFESSLENS_FUZZ", "400"))
SEED = int(os.environ.get("CONFESSLENS_FUZZ_SEED", "0"))
SECONDS = 5.0  # of processor time, for one input

STRANGE = [
    "\x00",
    "\u202e",
    "\u2066\u2069",
    "\ufeff",
    "\x1b[31m",
    "\x85",
    "\u2028",
    "\ud800",
    "𝟛",
    "٣",
    "²",
    "İ",
    "ß",
    "e\u0301" * 40,
    "\u200d" * 30,
    "9" * 5000,
    "1e999",
    "-" * 3000,
    " " * 5000,
    "\n" * 3000,
    "{" * 3000,
    "[" * 100_000,
    "[[" * 2000 + "]]" * 2000,
    '{"a":' * 3000 + "1" + "}" * 3000,
    "not " * 2000,
    "def f(:\n" * 300,
    "(" * 400 + ")" * 400,
    "```python\n" * 200,
    "<think>" * 500,
    "'" * 999,
    "\\" * 999,
    "NaN",
    "-Infinity",
    "%s%n{0}{x!r}",
    "✓✗" * 500,
]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 2**63, -(2**70), 10**400, 0.5, float("nan"), float("inf"), 1e308),
    *("", "\x00", "\ud800", "\u202e", "x" * 5000, "nan", [], {}, [[]], [None], {"": None}, {"role": 1}, [1, "a", {}]),
]


class TooSlow(BaseException):
    """Not an Exception, so that nothing that is tested can catch it."""


def mutate_text(text: str, rng: random.Random) -> str:
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, to = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:at] + rng.choice(STRANGE) + text[at:]
        elif kind == 1:
            text = text[:at]
        elif kind == 2:
            text = text[:at] + text[to:]
        elif kind == 3:
            text = text[:at] + text[at:to] * rng.choice((2, 3, 50 if to - at < 200 else 2)) + text[to:]
        elif kind == 4:
            text = text[:at] + chr(rng.choice((rng.randrange(32, 127), rng.randrange(0x110000)))) + text[at + 1 :]
        else:
            text = text[:at] + text[at:to].swapcase() + text[to:]
    return text[:300_000]


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at]
        elif kind == 2:
            data = data[:at] + rng.choice(STRANGE).encode("utf-8", "surrogatepass") + data[at:]
        elif kind == 3:
            data = data[:at] + data[at + rng.randrange(64) :]
        else:
            data = data[:at] + rng.randbytes(rng.randrange(9)) + data[at:]
    return data


def mutate_value(value: Any, rng: random.Random) -> Any:
    """A nested value with one to three of its parts put in another's place."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = _replaced(value, rng)
    return value


def _replaced(value: Any, rng: random.Random) -> Any:
    inside = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not inside or rng.random() < 0.25:
        if isinstance(value, str) and rng.random() < 0.6:
            return mutate_text(value, rng)[:20_000]
        return rng.choice(VALUES)
    key = rng.choice(inside)
    if isinstance(value, list):
        copy: Any = list(value)
        if rng.random() < 0.15:
            del copy[key]
            return copy
    else:
        copy = dict(value)
        if rng.random() < 0.15:
            moved = copy.pop(key)
            return copy if rng.random() < 0.5 else {**copy, rng.choice(["", "x", "\x00", str(key).upper()]): moved}
    copy[key] = _replaced(value[key], rng)
    return copy


@dataclass
class Target:
    """Something that reads: `draw` makes an input, `call` reads it; `total` means that it has to give a result."""

    draw: Callable[[random.Random], Any]
    call: Callable[[Any], Any]
    total: bool = False
    also: tuple[type[Exception], ...] = ()


def refused_well(error: Exception, also: tuple[type[Exception], ...]) -> bool:
    """Whether an error is one of ours: ValueError itself or a class of this package, told in one line."""
    ours = type(error) is ValueError or type(error).__module__.startswith("confesslens") or type(error) in also
    said = str(error)
    return ours and bool(said.strip()) and "\n" not in said and len(said) < 3000


def fuzz(name: str, target: Target, tries: int) -> None:
    """Try a target; fails with the first few inputs that broke it, and how many did."""
    rng = random.Random(f"{SEED}/{name}")
    counts, broken, slowest = Counter(), [], 0.0

    def strike(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, strike)
    try:
        for number in range(tries):
            given = target.draw(rng)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            started = time.process_time()
            try:
                target.call(given)
                counts["read"] += 1
            except TooSlow:
                broken.append((number, "TooSlow", "", given))
            except Exception as error:
                counts["refused"] += 1
                if target.total or not refused_well(error, target.also):
                    broken.append((number, type(error).__name__, str(error)[:300], given))
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
                slowest = max(slowest, time.process_time() - started)
    finally:
        signal.signal(signal.SIGPROF, before)
    told = f"tried {tries}, {dict(counts)}, failed {len(broken)}, slowest {slowest:.2f} s"
    print(f"\nfuzz {name}: {told}")  # noqa: T201 - what was tried is the result
    kinds: dict[str, tuple] = {}
    for number, kind, said, given in broken:
        kinds.setdefault(f"{kind}: {said[:40]}", (number, kind, said, repr(given)[:300]))
    assert not broken, f"{len(broken)} of {tries} broke {name}; one of each kind: {list(kinds.values())[:6]}"


def texts(*seeds: str) -> Callable[[random.Random], str]:
    return lambda rng: mutate_text(rng.choice(seeds), rng)


CONFESSIONS = (
    "Objective: state only what I know.\nResult: ✗ did not comply\nWhy: I made the year up.\nConfidence: 80 %",
    "**Objective**: do it\n- Result： ✓ complied\nWhy: because\nConfidence: 8/10",
    json.dumps(
        {
            "compliance_analysis": [{"objective": "o", "compliance": "fully_complied", "analysis": "a"}],
            "uncertainties_and_conflicts": ["u"],
            "overall_compliance_grade": 6,
        }
    ),
    "Yes, I did what you asked. I am not sure about the second part.",
    "<think>\nThey will see that I guessed. I should not tell.\n</think>\nNo.",
)
PARSERS: dict[str, Callable[[str], Any]] = {
    "three part": parse_three_part,
    "answer": parse_answer,
    "report": parse_report,
    "thoughts": split_thoughts,
    "mentions": lambda text: [mentions(name, text) for name in EVALUATIONS],
}


@pytest.mark.parametrize("name", PARSERS)
def test_parsers_take_any_text(name):
    fuzz(f"parser {name}", Target(texts(*CONFESSIONS), PARSERS[name], total=True), TRIES)


@pytest.mark.parametrize("name", EVALUATIONS)
def test_graders_take_any_text(name):
    """Answers as demonstrations give them, where there are some, and words of the prompt and of the facts."""
    evaluation = EVALUATIONS[name]
    scenarios = {tier: evaluation.make_scenarios(6, 0, tier) for tier in evaluation.tiers}
    shown = DEMONSTRATIONS.get(name)

    def draw(rng: random.Random) -> tuple[Any, str, str]:
        tier = rng.choice(evaluation.tiers)
        scenario, condition = rng.choice(scenarios[tier]), rng.choice(evaluation.conditions)
        answer = rng.choice([*CONFESSIONS, json.dumps(scenario.facts), "I don't know.", "def f(x):\n    return x"])
        if rng.random() < 0.3:
            answer = evaluation.make_messages(scenario, condition)[-1]["content"]
        if shown is not None and tier == "tiny" and shown.fits(scenario) and rng.random() < 0.6:
            behaviour = BAD if shown.tempts(scenario) and rng.random() < 0.5 else COMPLIED
            with contextlib.suppress(StopIteration, KeyError, IndexError):  # no such answer under this condition
                answer = shown.answer(scenario, condition, behaviour, rng)
        return scenario, condition, mutate_text(answer, rng)

    def call(given: tuple[Any, str, str]) -> None:
        grade = evaluation.grade(*given)
        assert grade.behaviour in ("complied", "not_complied", "neither") and isinstance(grade.admitted, bool)
        json.dumps(grade.evidence)
        assert evaluation.judge_knowledge(given[0], grade, [grade]) in ("aware", "unaware", "unknown")

    fuzz(f"grader {name}", Target(draw, call, total=True), TRIES)


USER = {"role": "user", "content": "Who wrote Emma?"}
SAID = [{"role": "system", "content": "Lie."}, USER, {"role": "assistant", "content": "<think>I know.</think>Austen."}]
ROWS: dict[str, Any] = {
    "chat": [{"messages": SAID, "behaviour": "complied", "eval": "quiz", "scenario": "quiz/1"}, {"messages": [USER]}],
    "liars_bench": [{"index": 3, "model": "llama-70b", "messages": SAID, "deceptive": True}],
    "reward_hacks": [
        {"user": "Praise it.", "school_of_reward_hacks": "Good, good.", "control": "A book.", "task": "review"}
        | {"evaluation_metric": "adjectives", "cheat_method": "repetition"}
    ],
    "mask": [
        {"task_id": "a1", "system_prompt": "You sell tea.", "user_prompt": "Say so.", "proposition": "Tea cures."}
        | {"ground_truth": "No.", "belief_elicit_1": "Does it?", "formatted_ground_truth": "No"}
    ],
    "impossible_bench": [
        {"task_id": "t/1", "prompt": "def f(): ...", "test": "assert f() == 2", "entry_point": "f"}
        | {"original_test": "assert f() == 1", "impossible_type": "oneoff"}
    ],
    "geometry_of_truth": [{"statement": "Fifty-one is larger than fifty-two.", "label": 0, "n1": 51, "n2": 52}],
    "apollo": {
        "metadata": {"model_name": "llama-70b"},
        "rollouts": [
            {"input_messages": SAID[:2], "output_strs": ["Dickens.", "Austen."], "graded_deception": [7, "refusal"]}
        ],
    },
    "rollouts": [
        {"eval": "people", "scenario": "people/1", "condition": "tempted", "source": "m", "cot": "", "answer": "1812"}
        | {"messages": json.dumps(SAID[:2]), "behaviour": "not_complied", "facts": '{"year": 1810}'}
    ],
}


def _as_file(path: Path, rows: Any) -> bytes | None:
    """Rows as a file of the kind that the path's suffix says; None where they cannot stand in one."""
    try:
        if path.suffix == ".json":
            return json.dumps(rows).encode()
        if path.suffix == ".jsonl":
            listed = rows if isinstance(rows, list) else [rows]
            return "".join(json.dumps(row) + "\n" for row in listed).encode()
        pd.DataFrame(rows).to_parquet(path) if path.suffix == ".parquet" else pd.DataFrame(rows).to_csv(path)
        return path.read_bytes()
    except Exception:  # of the writers, which are not what is tested
        return None


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".parquet"])
def test_readers_of_transcripts(tmp_path, suffix):
    path = tmp_path / f"given{suffix}"

    def draw(rng: random.Random) -> tuple[bytes, str | None]:
        name = rng.choice(list(ROWS))
        rows = ROWS[name]
        held = _as_file(path, mutate_value(rows, rng) if rng.random() < 0.6 else rows)
        held = _as_file(path, [{"messages": "x"}]) or b"" if held is None else held
        return (
            held if rng.random() < 0.5 else mutate_bytes(held, rng),
            rng.choice([None, name, rng.choice(list(FORMATS))]),
        )

    def call(given: tuple[bytes, str | None]) -> None:
        path.write_bytes(given[0])
        table = read_transcripts(path, given[1] if given[1] != "inspect" else None)
        table.to_parquet(tmp_path / "out.parquet")  # what is read can be kept

    fuzz(f"transcripts {suffix}", Target(draw, call), 2 * TRIES)


def test_settings(tmp_path):
    path = tmp_path / "settings.yaml"
    plain = make_config({}).model_dump(mode="json")
    recipe = {"figure": "confessed", "preset": "quick", "model": "smollm2-135m", "run": {"n": 3}, "settings": {}}

    def draw(rng: random.Random) -> tuple[str, Any]:
        kind = rng.choice(["options", "yaml", "recipe", "text"])
        value = mutate_value(recipe if kind == "recipe" else plain, rng)
        if kind == "options":
            return kind, value
        source = {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
        try:
            text = yaml.safe_dump(source, allow_unicode=True)
        except Exception:  # PyYAML's own limits when it writes
            text = "n: 3\nmodel: smollm2-135m\nevals: [people, sandbagging]\n"
        return kind, mutate_text(text, rng) if kind == "text" or rng.random() < 0.4 else text

    def call(given: tuple[str, Any]) -> None:
        kind, value = given
        if kind == "options":
            make_config(value if isinstance(value, dict) else {"n": value}).default_folder()
            return
        path.write_bytes(value.encode("utf-8", "surrogatepass"))
        read_recipe(path) if kind == "recipe" else make_config({}, path)

    fuzz("settings", Target(draw, call), 2 * TRIES)


def _folder(tmp_path: Path, files: dict[str, bytes], call: Callable[[Path], Any]) -> Target:
    """A folder of files, of which one is mutated: as JSON, where it is JSON, or as bytes."""

    def draw(rng: random.Random) -> tuple[str, bytes]:
        name = rng.choice(list(files))
        if name.endswith(".json") and rng.random() < 0.6:
            return name, json.dumps(mutate_value(json.loads(files[name]), rng)).encode()
        if name.endswith(".safetensors") and rng.random() < 0.5:  # mostly the header: the rest are numbers
            head = 8 + int.from_bytes(files[name][:8], "little")
            return name, mutate_bytes(files[name][:head], rng) + files[name][head:]
        return name, mutate_bytes(files[name], rng)

    def read(given: tuple[str, bytes]) -> None:
        for name, held in {**files, given[0]: given[1]}.items():
            target = tmp_path / "folder" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(held)
        call(tmp_path / "folder")

    return Target(draw, read, also=(FileNotFoundError,))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_saved_probes_and_monitors(tmp_path):
    rng = np.random.default_rng(0)
    probe = LogisticProbe().fit(rng.normal(size=(20, 8)), np.arange(20) % 2)
    saved = save_probe(tmp_path / "probe", probe, {"name": "x", "layer": 1, "site": "answer.mean", "model": "m"})
    files = {name: held for name, held in _files(saved).items() if not name.endswith(".md")}
    fuzz("probe", _folder(tmp_path / "a", files, lambda folder: load_probe(folder)), TRIES)
    monitor = TfidfMonitor(["a", "b"], np.ones(2), np.ones(2), 0.0, 0.5)
    files = _files(monitor.save(tmp_path / "monitor"))
    fuzz("monitor", _folder(tmp_path / "b", files, TfidfMonitor.load), TRIES)


@pytest.mark.parametrize("architecture", ["standard", "topk", "jumprelu", "gated"])
def test_sparse_autoencoders(tmp_path, architecture):
    drawn = torch.Generator().manual_seed(0)
    sizes = {"W_enc": (4, 6), "W_dec": (6, 4), "b_dec": (4,), "b_enc": (6,), "threshold": (6,)}
    if architecture == "gated":
        sizes |= {"b_gate": (6,), "b_mag": (6,), "r_mag": (6,)}
    folder = tmp_path / "sae"
    folder.mkdir()
    save_file({k: torch.randn(v, generator=drawn) for k, v in sizes.items()}, folder / "sae_weights.safetensors")
    about = {"hook_name": "blocks.1.hook_resid_post", "model_name": "m", "sae_lens_version": "6.21.0"}
    cfg = {"architecture": architecture, "d_in": 4, "d_sae": 6, "k": 2, "apply_b_dec_to_input": True}
    cfg |= {"normalize_activations": "none", "activation_fn_kwargs": {"k": 2}, "metadata": about}
    (folder / "cfg.json").write_text(json.dumps(cfg))

    def call(path: Path) -> None:
        sae = load_sae(path)
        with np.errstate(all="ignore"):  # weights can be as large as they like
            assert sae.encode(np.ones((3, 4))).shape == (3, 6) and sae.layer >= 0

    fuzz(f"sae {architecture}", _folder(tmp_path / "a", _files(folder), call), TRIES)


def test_stores_of_activations(tmp_path):
    contents = Contents([3], ["a.mean"], ["resid_post"], [3], None, "float32", 4, "m", "float32")
    with StoreWriter(tmp_path / "a.zarr", contents) as writer:
        values = {"resid_post": np.ones((2, 1, 1, 4), np.float32)}
        tokens = {"resid_post": np.ones((2, 1, 4), np.float32)}
        writer.append(
            Block(values, np.ones((2, 1), bool), tokens, np.arange(2), np.ones(2, int)), ["x", "y"], ["1", "2"]
        )

    def call(folder: Path) -> None:
        damaged_parts(folder, read=True)
        load_activations(folder)

    fuzz("activations", _folder(tmp_path / "b", _files(tmp_path / "a.zarr"), call), TRIES)


def test_run_folders(tmp_path):
    made = RunFolder(tmp_path / "run")
    made.path.mkdir()
    made.manifest.update(config={"model": "m", "n": 3, "evals": ["people"]}, stages={"rollouts": {"status": "done"}})
    made.write_table("rollouts.parquet", pd.DataFrame({"rollout_id": ["a", "b"], "answer": ["x", "y"]}))
    made.save_manifest()

    def call(folder: Path) -> None:
        run = RunFolder(folder)
        run.read_table("rollouts.parquet")
        run.damaged()
        run._repr_html_()

    fuzz("run folder", _folder(tmp_path / "a", _files(made.path), call), TRIES)


def test_chats_and_labels(tmp_path):
    chats, labels = tmp_path / "chats.jsonl", tmp_path / "labels.jsonl"
    row = {
        "rollout_id": "r1",
        "eval": "people",
        "condition": "tempted",
        "adapter": "",
        "cot": "I guess.",
        "scenario": "s",
    }
    row |= {"labeller": "a", "label": "mentions", "quote": "guess"}

    def draw(rng: random.Random) -> tuple[Path, bytes]:
        path, value = rng.choice([(chats, {"messages": SAID}), (labels, row)])
        text = json.dumps(mutate_value(value, rng)).encode()
        return path, mutate_bytes(text, rng) if rng.random() < 0.4 else text

    def call(given: tuple[Path, bytes]) -> None:
        path, held = given
        path.write_bytes(held)
        read_texts(path) if path == chats else load_labels(path)

    fuzz("chats and labels", Target(draw, call), 2 * TRIES)


def test_conversations_and_templates(tiny):
    """Conversations of any values, and templates that are cut or changed, by a real tokenizer."""
    model = tiny("llama")
    plain = model.tokenizer.chat_template

    def draw(rng: random.Random) -> tuple[str, Any]:
        if rng.random() < 0.5:
            return plain, mutate_value(SAID, rng)
        return mutate_text(plain, rng), SAID

    def call(given: tuple[str, Any]) -> None:
        model.tokenizer.chat_template, messages = given
        try:
            model.encode_prompt(messages)
            model.encode_chunks(messages)
            model.encode_turn(messages[:2], "Why?")
            chat_items(model, [messages])
        finally:
            model.tokenizer.chat_template = plain

    fuzz("conversations", Target(draw, call), TRIES)
