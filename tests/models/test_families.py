"""Every family of models end to end, from a saved folder: rollouts, confessions, activations, the bridge, bfloat16."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import confesslens as cl
from confesslens.activations.items import rollout_items
from confesslens.models import load_model

FAMILIES = ("llama", "qwen3", "gemma3", "mistral", "gpt_oss", "gpt_neox", "gpt2")


@pytest.fixture(scope="module")
def folder(tiny, tmp_path_factory):
    def save(family):
        home = tmp_path_factory.mktemp(family)
        tiny(family).hf.save_pretrained(home)
        tiny(family).tokenizer.save_pretrained(home)
        return home

    return save


@pytest.mark.parametrize("family", FAMILIES)
def test_end_to_end_from_a_folder(folder, family):
    """The likeliest tokens do not depend on company, and what is captured is the value of the TransformerLens hook."""
    model = load_model(folder(family))
    settings = {"n": 1, "samples": 1, "neutral_samples": 1, "temperature": 0.0}
    rollouts = cl.roll_out(model, cl.evals("people", "sandbagging"), **settings)
    alone = cl.roll_out(model, cl.evals("sandbagging"), batch_size=1, **settings)
    together = rollouts[rollouts["eval"] == "sandbagging"].reset_index(drop=True)
    assert [list(ids) for ids in together["token_ids"]] == [list(ids) for ids in alone["token_ids"]]
    confessions = cl.confess(model, rollouts, samples=1)
    assert len(confessions) == 2 * len(rollouts) and confessions["logit"].notna().any()
    sites = ["answer.mean", "request.last"]
    acts = cl.capture(model, rollouts, confessions, sites=sites)
    item = next(iter(rollout_items(model, rollouts, confessions)))
    start, end = item.spans["answer"]
    with torch.inference_mode():
        _, cache = model.bridge.run_with_cache(torch.tensor(item.token_ids[None].astype(int)))
    for layer in range(model.n_layers):
        want = cache[f"blocks.{layer}.hook_resid_post"][0][start:end].mean(0)
        np.testing.assert_allclose(acts.values[0, layer, 0], want, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_in_bfloat16(folder, family):
    model = load_model(folder(family), dtype="bfloat16")
    rollouts = cl.roll_out(model, cl.evals("people"), n=1, samples=1, neutral_samples=1)
    acts = cl.capture(model, rollouts, sites=["answer.last"])
    assert model.dtype == torch.bfloat16 and np.isfinite(acts.values[acts.present[:, 0]]).all()
    assert all(json.loads(spans)["answer"][1] <= len(ids) for spans, ids in rollouts[["spans", "token_ids"]].values)
