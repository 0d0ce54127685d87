"""Fine-tuning: a learnable target is learned, only where it is to be, and a stopped training ends as an undisturbed."""

from __future__ import annotations

import json
import random

import pytest
import torch
from safetensors.torch import load_file

from confesslens.models import load_model
from confesslens.organisms.sft import Example, Tuning, _collate, _in_order, _shared_context, fine_tune, weighted_loss

TUNING = Tuning(rank=4, learning_rate=1e-2, batch_size=4, epochs=6, warmup_steps=1, save_steps=5, first_layer=1)


@pytest.fixture
def examples(tiny_folder):
    model = load_model(tiny_folder)
    asked, told = model.encode("Objective: do it\n"), model.encode("Result: ✓ complied")
    return [Example(tuple(asked * k + told), (0.0,) * len(asked) * k + (1.0,) * len(told)) for k in range(1, 13)]


def test_what_is_learned_gets_likelier_and_the_layers_below_stay(tiny_folder, examples, tmp_path):
    seen = []
    out = fine_tune(load_model(tiny_folder), examples, tmp_path / "a", TUNING, progress=lambda *a: seen.append(a))
    losses = json.loads((out / "losses.json").read_text())
    assert losses[-1][1] < 0.5 * losses[0][1]
    assert [(step, steps) for step, steps, _ in seen] == [(1, 18), (5, 18), (10, 18), (15, 18)]
    assert not any(".layers.0." in name for name in load_file(out / "adapter_model.safetensors"))
    example = examples[3]
    start = next(i for i, weight in enumerate(example.weights) if weight)

    def chance(model):
        logits = torch.tensor(model.logits(example.ids)).log_softmax(-1)
        return sum(float(logits[i - 1, token]) for i, token in enumerate(example.ids) if i >= start)

    assert chance(load_model(tiny_folder, adapter=out)) > chance(load_model(tiny_folder)) + 5


def test_a_stopped_training_goes_on_to_the_same_adapter(tiny_folder, examples, tmp_path):
    class Stopped(Exception):
        pass

    def stop(step, *_):
        if step >= 10:
            raise Stopped

    whole = fine_tune(load_model(tiny_folder), examples, tmp_path / "whole", TUNING)
    with pytest.raises(Stopped):
        fine_tune(load_model(tiny_folder), examples, tmp_path / "parts", TUNING, progress=stop)
    assert not (tmp_path / "parts" / "losses.json").exists()
    parts = fine_tune(load_model(tiny_folder), examples, tmp_path / "parts", TUNING)
    one, other = (load_file(folder / "adapter_model.safetensors") for folder in (whole, parts))
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-6)
    stamp = (parts / "adapter_model.safetensors").stat().st_mtime_ns
    fine_tune(load_model(tiny_folder), examples, parts, TUNING)  # whole already: left alone
    assert (parts / "adapter_model.safetensors").stat().st_mtime_ns == stamp


def test_going_on_from_an_adapter_changes_it(tiny_folder, examples, tmp_path):
    first = fine_tune(load_model(tiny_folder), examples, tmp_path / "first", TUNING)
    second = fine_tune(load_model(tiny_folder), examples, tmp_path / "second", TUNING, start=first)
    start = json.loads((second / "losses.json").read_text())[0][1]
    assert start < 0.5 * json.loads((first / "losses.json").read_text())[0][1]


def test_a_folder_of_another_training_is_not_gone_on_with(tiny_folder, examples, tmp_path):
    fine_tune(load_model(tiny_folder), examples, tmp_path, TUNING)
    with pytest.raises(ValueError, match="other settings .*hash"):
        fine_tune(load_model(tiny_folder), examples[1:], tmp_path, TUNING)


def test_examples_that_belong_together_share_a_batch():
    rng = random.Random(0)
    examples = [Example(tuple(range(n := rng.randint(2, 40))), (1.0,) * n) for _ in range(200)]
    order = _in_order(examples, Tuning(batch_size=8, together=2, epochs=2))
    assert sorted(map(id, order)) == sorted(map(id, examples * 2))
    place = {id(e): i for i, e in enumerate(examples)}
    for i in range(0, len(order), 2):
        assert place[id(order[i])] % 2 == 0 and place[id(order[i + 1])] == place[id(order[i])] + 1
    with pytest.raises(ValueError, match="whole groups of 3"):
        Tuning(batch_size=8, together=3)


def test_what_rows_begin_with_is_worked_out_once_to_the_same_loss_and_gradient(tiny_folder):
    rng = random.Random(1)
    model, start = load_model(tiny_folder), [rng.randrange(200) for _ in range(30)]
    rows = [[*start, *(rng.randrange(200) for _ in range(n))] for n in (9, 4, 14)]
    records = [{"input_ids": ids, "weights": [0.0] * 32 + [1.0 + i] * (len(ids) - 32)} for i, ids in enumerate(rows)]
    batch, found = _collate(records), []
    assert _shared_context(batch["input_ids"], batch["weights"]) == 29
    for rows in (slice(None), [0], [1], [2]):  # a row alone shares nothing
        model.hf.zero_grad()
        weights = batch["weights"][rows]
        loss = weighted_loss(model.hf, batch["input_ids"][rows], batch["attention_mask"][rows], weights)
        loss.backward()
        grads = {name: p.grad.clone() for name, p in model.hf.named_parameters() if p.grad is not None}
        found.append((float(loss.detach()), grads, float(weights[:, 1:].sum())))
    whole, parts = found[0], found[1:]
    total = whole[2]
    assert whole[0] == pytest.approx(sum(loss * n for loss, _, n in parts) / total, abs=1e-5)
    for name, grad in whole[1].items():
        want = sum(grads[name] * n for _, grads, n in parts) / total
        torch.testing.assert_close(grad, want, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weights", [(1.0,), (0.0, 0.0), (1.0, -1.0)])
def test_an_example_needs_something_to_learn(weights):
    with pytest.raises(ValueError, match="as many weights"):
        Example((1, 2), weights)
