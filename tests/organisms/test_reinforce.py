"""Confession training: the reward of a learnable target rises, answers are trained beside it only when asked for, and
a stopped training ends as an undisturbed one."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file

import confesslens as cl
from confesslens.models import load_model
from confesslens.organisms.reinforce import Reinforcement, _in_order, completion_log_probs, reinforce_confessions
from confesslens.rollouts.given import given_rollouts

HOW = Reinforcement(steps=16, prompts=2, generations=4, learning_rate=2e-2, max_tokens=12, save_steps=4, rank=4, seed=1)


@pytest.fixture(scope="module")
def rollouts(tiny):
    sampled = cl.roll_out(tiny("llama"), cl.evals("people"), n=4, samples=1, conditions=["tempted"], cot=False)
    return sampled.assign(behaviour=["complied", "not_complied"] * 2)


@pytest.fixture(scope="module")
def short(tiny):
    """Given answers to short questions: a step takes a fraction of the time."""
    asked = [([{"role": "user", "content": f"Who was {name}?"}], "A poet.") for name in ("Li", "Ng", "Oh", "Xu")]
    return given_rollouts(tiny("llama"), asked).assign(behaviour=["complied", "not_complied"] * 2)


def confessed(out):
    return [json.loads(line) for line in (out / "steps.jsonl").read_text().splitlines()]


def lower_case(rollouts, texts):
    """The share of small letters: what a random model can learn to say within a few steps."""
    return [sum(c in "abcdefghijklmnopqrstuvwxyz" for c in text) / max(len(text), 1) for text in texts]


def test_the_reward_of_a_learnable_target_rises(tiny_folder, short, tmp_path):
    seen, n = [], 40  # of 8 rewards each: over 16 the noise is as large as the rise in some orders of the prompts
    folder, how = tmp_path / "a", dataclasses.replace(HOW, steps=n)
    reinforce_confessions(load_model(tiny_folder), short, folder, lower_case, how, progress=lambda *a: seen.append(a))
    lines = confessed(folder)
    assert [line["step"] for line in lines] == [step for step in range(n) for _ in range(8)]
    assert [(step, steps) for step, steps, _ in seen] == [(step, n) for step in range(1, n + 1)]
    first, last = ([line["reward"] for line in part] for part in (lines[:80], lines[-80:]))
    assert sum(last) / len(last) > sum(first) / len(first) + 0.08


def test_a_stopped_training_goes_on_to_the_same_adapter(tiny_folder, short, tmp_path):
    class Stopped(Exception):
        pass

    def stop(step, *_):
        if step > 3:
            raise Stopped

    how = dataclasses.replace(HOW, steps=8, save_steps=2)

    def train(folder, how=how, **more):
        return reinforce_confessions(load_model(tiny_folder), short, folder, lower_case, how, **more)

    whole = train(tmp_path / "whole")
    with pytest.raises(Stopped):
        train(tmp_path / "parts", progress=stop)
    parts = train(tmp_path / "parts")
    assert confessed(parts) == confessed(whole)
    one, other = (load_file(folder / "adapter_model.safetensors") for folder in (whole, parts))
    assert all((one[name] - other[name]).abs().max() < 1e-6 for name in one)
    first = load_file(train(tmp_path / "longer", how=dataclasses.replace(how, steps=4)) / "adapter_model.safetensors")
    longer = train(tmp_path / "longer")
    assert confessed(longer) == confessed(whole)
    last = load_file(longer / "adapter_model.safetensors")
    assert all((one[name] - last[name]).abs().max() < 1e-6 for name in one)
    assert any((first[name] - last[name]).abs().max() > 1e-6 for name in one)
    with pytest.raises(ValueError, match="was trained for 8 steps, asked for 4"):
        train(tmp_path / "longer", how=dataclasses.replace(how, steps=4))


def test_without_a_grade_there_is_nothing_to_reward(tiny_folder, rollouts, tmp_path):
    with pytest.raises(ValueError, match="no rollout is graded"):
        reinforce_confessions(load_model(tiny_folder), rollouts.assign(behaviour="neither"), tmp_path)


def test_a_confession_of_neither_earns_nothing_where_rollouts_are_made_anew(tiny_folder, rollouts, tmp_path):
    how = dataclasses.replace(HOW, steps=2, p=1.0)
    out = reinforce_confessions(
        load_model(tiny_folder), rollouts, tmp_path, lower_case, how, answer_reward=lambda rows, _: [0.0] * len(rows)
    )
    lines = confessed(out)
    assert {line["kind"] for line in lines} == {"confession"}
    assert all(line["reward"] == 0 for line in lines if line["behaviour"] == "neither")
    assert any(line["behaviour"] == "neither" for line in lines)


@pytest.mark.slow
def test_answers_are_trained_on_their_own_reward_beside_confessions(tiny, tiny_folder, tmp_path):
    sampled = cl.roll_out(tiny("llama"), cl.evals("people"), n=4, samples=1, conditions=["tempted"])  # with thoughts
    how = dataclasses.replace(HOW, p=0.25, steps=24)
    seen = []

    def of_answers(rows, answers):
        assert [row["answer"] for row in rows] == list(answers)
        seen.append(len(rows))
        return lower_case(rows, answers)

    out = reinforce_confessions(
        load_model(tiny_folder), sampled, tmp_path, lambda rows, _: [0.0] * len(rows), how, answer_reward=of_answers
    )
    lines = confessed(out)
    answers = [line for line in lines if line["kind"] == "answer"]
    assert len(answers) == 8 * len(seen) and 0.6 < len(answers) / len(lines) < 0.9
    assert all(line["claim"] == "" for line in answers)
    third = len(answers) // 3
    first, last = ([line["reward"] for line in part] for part in (answers[:third], answers[-third:]))
    assert sum(last) / len(last) > sum(first) / len(first) + 0.05


def test_without_confession_steps_there_are_none(tiny_folder, rollouts, tmp_path):
    how = dataclasses.replace(HOW, steps=3, p=0.0)
    out = reinforce_confessions(load_model(tiny_folder), rollouts, tmp_path, lower_case, how, answer_reward=lower_case)
    assert {line["kind"] for line in confessed(out)} == {"answer"}
    with pytest.raises(ValueError, match="other settings .*how"):
        reinforce_confessions(load_model(tiny_folder), rollouts, tmp_path, lower_case, HOW, answer_reward=lower_case)


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gpt2"])
def test_log_probs_are_those_of_whole_sequences(tiny, kind):
    model = tiny(kind).hf
    rng = torch.Generator().manual_seed(0)
    draw = lambda n: torch.randint(5, 300, (n,), generator=rng).tolist()  # noqa: E731
    one, other = draw(9), draw(5)
    rows = [(one, draw(4)), (other, draw(6)), (one, draw(2)), (one, draw(6)), (draw(1), draw(3))]
    width, length = 9, 7
    ids = [[0] * (width - len(p)) + p + c + [0] * (length - len(c)) for p, c in rows]
    mask = [[0] * (width - len(p)) + [1] * len(p + c) + [0] * (length - len(c)) for p, c in rows]
    found, entropy = completion_log_probs(model, torch.tensor(ids), torch.tensor(mask), length, 0.7)
    for i, (prompt, completion) in enumerate(rows):
        whole = torch.tensor([prompt + completion])
        logits = torch.log_softmax(model(whole).logits[0].float() / 0.7, dim=-1)
        at = range(len(prompt) - 1, len(prompt) + len(completion) - 1)
        want = [logits[place, token].item() for place, token in zip(at, completion, strict=True)]
        assert found[i].tolist() == pytest.approx(want + [0] * (length - len(completion)), abs=2e-4)
        spread = [-(logits[place].exp() * logits[place]).sum().item() for place in at]
        assert entropy[i, : len(completion)].tolist() == pytest.approx(spread, abs=2e-4)
    found.sum().backward()
    own = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    for prompt, completion in rows:
        logits = torch.log_softmax(model(torch.tensor([prompt + completion])).logits[0].float() / 0.7, dim=-1)
        at = range(len(prompt) - 1, len(prompt) + len(completion) - 1)
        sum(logits[place, token] for place, token in zip(at, completion, strict=True)).backward()
    for name, p in model.named_parameters():
        if p.grad is not None:
            assert (own[name] - p.grad).abs().max() < 1e-3 * (1 + p.grad.abs().max()), name
    model.zero_grad(set_to_none=True)


@pytest.mark.parametrize(("bad", "turns"), [(0.5, "cb"), (1 / 3, "ccb"), (0.0, "c"), (1.0, "b")])
def test_bad_rollouts_come_by_their_share_and_evenly(bad, turns):
    rows = {str(i): {"behaviour": "not_complied" if i < 3 else "complied"} for i in range(20)}
    how = dataclasses.replace(HOW, steps=15, prompts=4, bad=bad)
    order = [entry["prompt"] for entry in _in_order(rows, how)]
    assert ["b" if rows[i]["behaviour"] == "not_complied" else "c" for i in order] == list((turns * 60)[:60])
    shown = {False: [i for i in order if int(i) > 2], True: [i for i in order if int(i) < 3]}
    for kind, n in ((True, 3), (False, 17)):  # none again before every one was there
        assert len(set(shown[kind][:n])) == min(n, len(shown[kind]))
    alone = _in_order({"a": {"behaviour": "complied"}}, dataclasses.replace(HOW, steps=1, prompts=2))
    assert [entry["prompt"] for entry in alone] == ["a", "a"]
