"""A model whose layers are over several devices gives what it gives on one; devices by name."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

import confesslens as cl
from confesslens.activations import capture_while_sampling
from confesslens.interventions import add, edited_logits
from confesslens.models import ModelError, load_model
from confesslens.models.devices import device_map, device_of


def work(model):
    """Rollouts, confessions, and activations read afterwards and in sampling, with the tokens of two layers."""
    settings = {"n": 1, "samples": 1, "neutral_samples": 1}
    with capture_while_sampling(model, sites=["answer.mean", "request.last"]) as reader:
        rollouts = cl.roll_out(model, cl.evals("people", "sandbagging"), **settings)
        confessions = cl.confess(model, rollouts, samples=1)
    along = reader.activations(rollouts, confessions)
    streams = ["resid_post", "mlp_out"]
    acts = cl.capture(
        model, rollouts, confessions, sites=["answer.mean", "cot.max"], streams=streams, token_layers=[0, 2]
    )
    return rollouts, confessions, along, acts


@pytest.mark.parametrize("family", ["llama", "gemma3"])
def test_the_same_over_two_devices(tiny, two_devices, family):
    one = replace(tiny(family), hf=copy.deepcopy(tiny(family).hf))
    one.hf.set_attn_implementation("eager")
    two = replace(one, hf=two_devices(copy.deepcopy(one.hf), second_from=1))
    assert {p.device.index for p in two.hf.parameters()} == {0, 1} and two.device == torch.device("cuda:0")
    got, want = work(two), work(one)
    assert list(map(list, got[0]["token_ids"])) == list(map(list, want[0]["token_ids"]))
    assert got[1]["logit"].to_numpy() == pytest.approx(want[1]["logit"].to_numpy(), abs=1e-5, nan_ok=True)
    for mine, its in zip(got[2:], want[2:], strict=True):
        np.testing.assert_allclose(mine.values, its.values, atol=1e-5)
    np.testing.assert_allclose(got[3].tokens(2).values, want[3].tokens(2).values, atol=1e-5)
    ids, edit = one.encode("Result: because"), add(np.arange(32.0), 2, 3.0)
    np.testing.assert_allclose(edited_logits(two, ids, edit), edited_logits(one, ids, edit), atol=1e-5)
    assert abs(edited_logits(one, ids, edit) - one.logits(ids)).max() > 0.1


def test_the_bridge_over_two_devices(tiny, two_devices):
    one = replace(tiny(), hf=copy.deepcopy(tiny().hf))
    two = replace(one, hf=two_devices(copy.deepcopy(one.hf), second_from=1))
    ids, name = torch.arange(7)[None], "blocks.2.hook_resid_post"
    with torch.inference_mode():
        found, want = (m.bridge.run_with_cache(ids.to(m.device), names_filter=name)[1][name] for m in (two, one))
    assert found.device == torch.device("cuda:1")
    np.testing.assert_allclose(found.cpu(), want, atol=1e-5)


def test_what_is_on_two_devices_does_not_meet(two_devices):
    """The devices that are not there refuse what real ones refuse."""
    one, other = (torch.ones(3, device=f"cuda:{i}") for i in range(2))
    with pytest.raises(RuntimeError, match="same device"):
        one + other
    with pytest.raises(TypeError, match="cpu"):
        one.numpy()
    one[torch.tensor([0])] = other[0]
    assert (one + other.to("cuda:0") + torch.tensor(1.0)).cpu().tolist() == [3.0] * 3


def test_layers_are_spread_evenly_and_never_on_the_cpu(tiny):
    hf = tiny().hf
    size = sum(p.numel() * p.element_size() for p in hf.parameters())
    where = device_map(hf, {0: int(size * 0.7), 1: size, "cpu": 10 * size})
    assert {where[f"model.layers.{i}"] for i in range(3)} == {0, 1}
    with pytest.raises(ModelError, match="cannot hold the model .* left over"):
        device_map(hf, {0: size // 2, 1: size // 8, "cpu": 10 * size})


def test_devices_by_name(tiny_folder, monkeypatch):
    assert load_model(tiny_folder, device="auto").device == torch.device("cpu") == device_of(None)
    with pytest.raises(ModelError, match="expected cpu, cuda"):
        load_model(tiny_folder, device="gpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_of("cuda:1").index == 1
    with pytest.raises(ModelError, match="no device 'cuda:2' here"):
        device_of("cuda:2")
