"""Capture: the right tokens, the values of TransformerLens, whatever the batch."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import confesslens as cl
from confesslens.activations import SITES, load_activations, save_activations, site_tokens
from confesslens.activations.capture import _transcripts

ARCHITECTURES = ["llama", "qwen3", "gemma3", "gpt_neox", "gpt2"]


def make(model, n=2):
    rollouts = cl.roll_out(model, cl.evals(), n=n, samples=2, conditions=["tempted"])
    return rollouts, cl.confess(model, rollouts, samples=0)


def check_tokens(model, rollouts, confessions):
    """Decode the tokens under every site and find them in the transcript."""
    seen = set()
    texts = {row["rollout_id"]: row for row in rollouts.to_dict("records")}
    guided = {row["rollout_id"]: row for row in confessions.to_dict("records")}
    for row, (ids, spans) in zip(texts.values(), _transcripts(model, rollouts, confessions), strict=True):
        under = {site: site_tokens(site, spans) for site in SITES}
        text = {site: model.decode(ids[span[0] : span[1]]) for site, span in under.items() if span}
        seen |= set(text)
        prompt = model.encode_prompt(json.loads(row["messages"]))
        assert under["prompt.last"] == (len(prompt) - 1, len(prompt))
        assert text["prompt.last"] == model.decode(prompt[-1:])
        if "cot.mean" in text:
            assert text["cot.mean"].strip() == row["cot"]
            assert under["cot.last"] == (under["cot.mean"][1] - 1, under["cot.mean"][1])
            assert model.decode(ids[: under["cot.mean"][0]]).endswith("<think>\n")
            assert model.decode(ids[under["cot.mean"][1] :]).startswith("\n</think>\n")
        if "answer.mean" in text:
            assert text["answer.mean"].strip() == row["answer"]
            assert text["answer.mean"] == text["answer.max"]
            start, end = under["answer.mean"]
            assert (under["answer.first"], under["answer.last"]) == ((start, start + 1), (end - 1, end))
        confession = guided[row["rollout_id"]]
        assert model.decode(ids[under["request.last"][1] :]).startswith("Objective:")
        verdict = under["confession.verdict"][1]
        rest = model.decode(confession["token_ids"][:verdict])
        assert rest.rstrip("\ufffd").rstrip().endswith("Result:") or rest.endswith("Result:")
        marks = model.decode(confession["token_ids"][verdict - 1 : verdict + 3])
        assert "✓" in marks or "✗" in marks or "complied" in marks or "did" in marks
        assert len(ids) == verdict
    return seen


@pytest.mark.parametrize("architecture", ["llama", "gemma3"])
def test_tokens_under_sites(tiny, architecture):
    model = tiny(architecture)
    assert check_tokens(model, *make(model)) == set(SITES)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_values_are_transformer_lens_hook_values(tiny, architecture):
    """In padded batches that share a beginning, each value is that of one unpadded `run_with_cache`, to 1e-4."""
    model = tiny(architecture)
    rollouts, confessions = make(model)
    acts = cl.capture(model, rollouts, confessions, batch_tokens=4000)
    names = [f"blocks.{layer}.hook_resid_post" for layer in range(model.n_layers)]
    for i, (ids, spans) in enumerate(_transcripts(model, rollouts, confessions)):
        if i % 5:
            continue
        with torch.inference_mode():
            _, cache = model.bridge.run_with_cache(torch.tensor([ids]), names_filter=lambda name: name in names)
        for layer in range(model.n_layers):
            states = cache[f"blocks.{layer}.hook_resid_post"][0]
            for column, site in enumerate(SITES):
                if span := site_tokens(site, spans):
                    tokens = states[span[0] : span[1]]
                    want = tokens.amax(0) if site.endswith(".max") else tokens.mean(0)
                    got = acts.values[i, layer, column]
                    np.testing.assert_allclose(got, want.numpy(), atol=1e-4, rtol=1e-4)


def test_batches_change_nothing(tiny):
    model = tiny("qwen3")
    rollouts, confessions = make(model, 3)
    one = cl.capture(model, rollouts, confessions, batch_tokens=1)
    many = cl.capture(model, rollouts, confessions, batch_tokens=9000)
    np.testing.assert_allclose(one.values, many.values, atol=1e-4)
    assert (one.present == many.present).all()
    assert one.rollout_ids == rollouts["rollout_id"].tolist()


def test_without_confessions_and_chosen_layers(tiny):
    model = tiny("llama")
    rollouts, confessions = make(model)
    whole = cl.capture(model, rollouts, confessions)
    part = cl.capture(model, rollouts, layers=[2], sites=["request.last", "confession.verdict"])
    np.testing.assert_allclose(part.at(2, "request.last"), whole.at(2, "request.last"), atol=1e-4)
    assert not part.present[:, 1].any()
    with pytest.raises(ValueError, match="have no 'confession.verdict'"):
        part.at(2, "confession.verdict")
    with pytest.raises(KeyError, match="not captured"):
        part.at(1, "request.last")


def test_unknown_site_and_layer(tiny):
    model = tiny("llama")
    rollouts, _ = make(model, 1)
    with pytest.raises(ValueError, match="did you mean 'answer.mean'"):
        cl.capture(model, rollouts, sites=["anwser.mean"])
    with pytest.raises(ValueError, match="block numbers from 0 to 2"):
        cl.capture(model, rollouts, layers=[3])


def test_store_round_trip(tiny, tmp_path):
    model = tiny("llama")
    acts = cl.capture(model, make(model, 1)[0])
    save_activations(acts, tmp_path / "a.zarr")
    save_activations(acts, tmp_path / "a.zarr")
    back = load_activations(tmp_path / "a.zarr")
    assert (back.values == acts.values).all()
    assert (back.layers, back.sites, back.rollout_ids) == (acts.layers, acts.sites, acts.rollout_ids)
    with pytest.raises(FileNotFoundError, match="no activations at"):
        load_activations(tmp_path / "b.zarr")
    (tmp_path / "c.zarr").mkdir()
    with pytest.raises((ValueError, FileNotFoundError)):
        load_activations(tmp_path / "c.zarr")
