"""Confession training: the reward of a learnable target rises, answers are trained beside it only when asked for, and
a stopped training ends as an undisturbed one."""

from __future__ import annotations

import dataclasses
import json

import pytest
from safetensors.torch import load_file

import confesslens as cl
from confesslens.models import load_model
from confesslens.organisms.reinforce import Reinforcement, reinforce_confessions
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
    seen = []
    folder = tmp_path / "a"
    reinforce_confessions(load_model(tiny_folder), short, folder, lower_case, HOW, progress=lambda *a: seen.append(a))
    lines = confessed(folder)
    assert [line["step"] for line in lines] == [step for step in range(16) for _ in range(8)]
    assert [(step, steps) for step, steps, _ in seen] == [(step, 16) for step in range(1, 17)]
    first, last = ([line["reward"] for line in lines if line["step"] in steps] for steps in (range(3), range(13, 16)))
    assert sum(last) / len(last) > sum(first) / len(first) + 0.08


def test_a_stopped_training_goes_on_to_the_same_adapter(tiny_folder, short, tmp_path):
    class Stopped(Exception):
        pass

    def stop(step, *_):
        if step > 3:
            raise Stopped

    def train(folder, **more):
        return reinforce_confessions(load_model(tiny_folder), short, folder, lower_case, how, **more)

    how = dataclasses.replace(HOW, steps=8, save_steps=2)

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
