"""The real embedded model: exact logits, the same rollouts in any batch, tokens under the sites, a short run."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForCausalLM

import confesslens as cl
from confesslens.activations import SITES, site_tokens
from confesslens.activations.capture import _transcripts
from confesslens.models import embedded_folder


def test_logits_agree_with_plain_transformers_and_the_bridge(embedded):
    ids = embedded.encode_prompt([{"role": "user", "content": "Which is larger, 9 or 4?"}])
    plain = AutoModelForCausalLM.from_pretrained(embedded_folder(), dtype=torch.float32).eval()
    with torch.no_grad():
        want = plain(torch.tensor([ids])).logits[0].numpy()
        bridged = embedded.bridge(torch.tensor([ids]))[0].numpy()
    np.testing.assert_allclose(embedded.logits(ids), want, atol=1e-4)
    np.testing.assert_allclose(bridged, want, atol=1e-4)
    assert "blocks.15.hook_resid_post" in embedded.bridge.hook_dict


def test_rollouts_confessions_and_sites(embedded):
    """One small table, checked from every side: batches, frozen ids, tokens under the sites, TransformerLens values."""
    settings = {"seed": 4, "samples": 1, "conditions": ["tempted"]}
    rollouts = cl.roll_out(embedded, cl.evals("people"), n=2, **settings)
    alone = cl.roll_out(embedded, cl.evals("people"), n=1, **settings)
    pd.testing.assert_frame_equal(rollouts.iloc[:1], alone)

    confessions = cl.confess(embedded, rollouts, samples=0)
    acts = cl.capture(embedded, rollouts, confessions)
    pairs = zip(rollouts.to_dict("records"), _transcripts(embedded, rollouts, confessions), strict=True)
    for i, (row, (ids, spans)) in enumerate(pairs):
        under = {site: site_tokens(site, spans) for site in SITES}
        text = {site: embedded.decode(ids[a:b]) for site, (a, b) in ((s, t) for s, t in under.items() if t)}
        assert text["answer.mean"].strip() == row["answer"]
        assert text["cot.mean"].strip() == row["cot"]
        assert embedded.decode(ids[: under["request.last"][1]]).endswith("<|im_start|>assistant\n")
        assert embedded.decode(ids[under["request.last"][1] :]).startswith("Objective:")
        assert json.loads(confessions["spans"][i])["verdict"][1] == under["confession.verdict"][1] == len(ids)

    ids, spans = list(_transcripts(embedded, rollouts, confessions))[1]
    names = [f"blocks.{layer}.hook_resid_post" for layer in (0, 15, 29)]
    with torch.inference_mode():
        _, cache = embedded.bridge.run_with_cache(torch.tensor([ids]), names_filter=lambda name: name in names)
    for layer in (0, 15, 29):
        states = cache[f"blocks.{layer}.hook_resid_post"][0]
        for site in ("answer.mean", "answer.max", "request.last", "confession.verdict"):
            a, b = site_tokens(site, spans)
            want = (states[a:b].amax(0) if site == "answer.max" else states[a:b].mean(0)).numpy()
            got = acts.values[1, acts.layers.index(layer), SITES.index(site)]
            assert np.linalg.norm(got - want) <= 1e-5 * np.linalg.norm(want)
