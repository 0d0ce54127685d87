"""Confession training: the reward of a learnable target rises, and a stopped training ends as an undisturbed one."""

from __future__ import annotations

import json

import pytest
from safetensors.torch import load_file

import confesslens as cl
from confesslens.models import load_model
from confesslens.organisms.reinforce import Reinforcement, reinforce_confessions, thought_reward, truth_reward

HOW = Reinforcement(steps=16, prompts=2, generations=8, learning_rate=2e-2, max_tokens=12, save_steps=4, rank=4, seed=1)


@pytest.fixture(scope="module")
def rollouts(tiny):
    sampled = cl.roll_out(tiny("llama"), cl.evals("people"), n=4, samples=1, conditions=["tempted"], cot=False)
    return sampled.assign(behaviour=["complied", "not_complied"] * 2)


def confessed(out):
    return [json.loads(line) for line in (out / "steps.jsonl").read_text().splitlines()]


def lower_case(rollout, confession):
    """The share of small letters: what a random model can learn to say within a few steps."""
    return sum(c in "abcdefghijklmnopqrstuvwxyz" for c in confession) / max(len(confession), 1)


def test_the_reward_of_a_learnable_target_rises(tiny_folder, rollouts, tmp_path):
    seen = []
    folder = tmp_path / "a"
    reinforce_confessions(
        load_model(tiny_folder), rollouts, folder, lower_case, HOW, progress=lambda *a: seen.append(a)
    )
    lines = confessed(folder)
    assert [line["step"] for line in lines] == [step for step in range(16) for _ in range(16)]
    assert [(step, steps) for step, steps, _ in seen] == [(step, 16) for step in range(1, 17)]
    first, last = ([line["reward"] for line in lines if line["step"] in steps] for steps in (range(3), range(13, 16)))
    assert sum(last) / len(last) > sum(first) / len(first) + 0.08


def test_a_stopped_training_goes_on_to_the_same_adapter(tiny_folder, rollouts, tmp_path):
    class Stopped(Exception):
        pass

    def stop(step, *_):
        if step > 6:
            raise Stopped

    def train(folder, **more):
        return reinforce_confessions(load_model(tiny_folder), rollouts, folder, lower_case, HOW, **more)

    whole = train(tmp_path / "whole")
    with pytest.raises(Stopped):
        train(tmp_path / "parts", progress=stop)
    parts = train(tmp_path / "parts")
    assert confessed(parts) == confessed(whole)
    one, other = (load_file(folder / "adapter_model.safetensors") for folder in (whole, parts))
    assert all((one[name] - other[name]).abs().max() < 1e-6 for name in one)


def test_without_a_grade_there_is_nothing_to_reward(tiny_folder, rollouts, tmp_path):
    with pytest.raises(ValueError, match="no rollout is graded"):
        reinforce_confessions(load_model(tiny_folder), rollouts.assign(behaviour="neither"), tmp_path)


@pytest.mark.parametrize(
    ("behaviour", "cot", "verdict", "truth", "thought"),
    [
        ("not_complied", "", "✗ did not comply", 1, 0),
        ("not_complied", "", "✓ complied", 0, 1),
        ("complied", "", "✓ complied", 1, 1),
        ("not_complied", "I will pick a random year.", "✗ did not comply", 1, 1),
        ("complied", "", "hm", 0, 0),
    ],
)
def test_rewards(behaviour, cot, verdict, truth, thought):
    row = {"eval": "people", "behaviour": behaviour, "cot": cot}
    confession = f"Objective: do it\nResult: {verdict}\nWhy: because"
    assert (truth_reward(row, confession), thought_reward(row, confession)) == (truth, thought)
