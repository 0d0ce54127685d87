"""Activations read while sampling are those of the teacher-forced pass, to 1e-4 in float32."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import confesslens as cl
from confesslens.activations import SITES, STREAMS, capture_while_sampling
from confesslens.rollouts.sampler import READERS

ARCHITECTURES = ["llama", "qwen3", "gemma3", "gpt_neox", "gpt2"]
SETTINGS = {"n": 3, "samples": 2, "conditions": ["tempted"], "batch_size": 5}


def evaluations():
    return cl.evals("people", "sandbagging", "word_count")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_values_are_those_of_a_second_pass(tiny, architecture):
    model = tiny(architecture)
    streams = [stream for stream in STREAMS if architecture != "gpt_neox" or stream != "resid_mid"]
    with capture_while_sampling(model, sites=SITES, streams=streams, layers=[2, 0]) as reads:
        rollouts = cl.roll_out(model, evaluations(), **SETTINGS)
        confessions = cl.confess(model, rollouts, samples=1, batch_size=5)
    acts = reads.activations(rollouts, confessions)
    again = cl.capture(model, rollouts, confessions, streams=streams, layers=[2, 0])
    assert (acts.present == again.present).all() and acts.present.any(axis=0).all()
    assert (acts.item_ids, acts.sites, acts.layers) == (again.item_ids, again.sites, again.layers)
    for stream in streams:
        np.testing.assert_allclose(acts.stream(stream), again.stream(stream), atol=1e-4, rtol=1e-4)


def hooks_of(model):
    return [
        hook for module in model.hf.modules() for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks)
    ]


def test_reading_changes_no_token_and_ends_with_the_context(tiny):
    model = tiny("llama")
    before = hooks_of(model)
    plain = cl.roll_out(model, evaluations(), **SETTINGS)
    with capture_while_sampling(model, sites=["answer.mean"]) as reads:
        read = cl.roll_out(model, evaluations(), **SETTINGS)
        model.logits([5, 6])  # other passes in between do no harm
        cl.roll_out(model, evaluations(), **SETTINGS)
    pd.testing.assert_frame_equal(plain, read)
    assert model not in READERS
    assert hooks_of(model) == before  # transformers' own stay, once hidden states were asked for
    other = cl.roll_out(model, evaluations(), **{**SETTINGS, "seed": 9})
    with pytest.raises(ValueError, match="'answer.mean' of rollout .* was not sampled while activations were read"):
        reads.activations(other)


def test_without_thoughts_and_dropped_tokens(tiny, monkeypatch):
    """Thoughts that end in a stop string of several tokens: those are fed, then dropped and others put in their place.

    What was read of the dropped ones must not stand under any site.
    """
    model = tiny("llama")
    script = model.encode("ok then </think>")
    turn = iter(range(10**9))
    monkeypatch.setattr("confesslens.rollouts.walk._draw", lambda *_: script[next(turn) % len(script)])
    with capture_while_sampling(model, sites=["cot.mean", "cot.last", "answer.mean", "prompt.last"]) as reads:
        rollouts = cl.roll_out(model, cl.evals("people"), n=1, samples=1, conditions=["tempted"])
        bare = cl.roll_out(model, cl.evals("people"), n=1, samples=1, conditions=["tempted"], cot=False)
    assert rollouts["cot"].iloc[0] == "ok then"
    for table in (rollouts, bare):
        np.testing.assert_allclose(
            reads.activations(table).values, cl.capture(model, table, sites=reads.contents.sites).values, atol=1e-4
        )


def test_a_store_of_both_ways_is_one(tiny, tmp_path):
    """Items read while sampling need not be computed again by `capture` into the same store."""
    model = tiny("llama")
    sites = ["answer.mean", "request.last"]
    with capture_while_sampling(model, sites=sites, dtype="bfloat16") as reads:
        rollouts = cl.roll_out(model, evaluations(), **SETTINGS)
        confessions = cl.confess(model, rollouts, samples=0)
    first = reads.activations(rollouts.iloc[:5], confessions, out=tmp_path / "a.zarr")
    assert first.item_ids == rollouts["rollout_id"].tolist()[:5]
    done = []
    both = cl.capture(
        model, rollouts, confessions, sites=sites, dtype="bfloat16", out=tmp_path / "a.zarr", on_done=done.append
    )
    assert done[0] == 5 and sum(done) == len(rollouts) == len(both.item_ids)
    np.testing.assert_array_equal(both.values[:5], first.values)


def test_what_cannot_be_read_is_refused(tiny):
    model = tiny("llama")
    for site in ("prompt.mean", "request.first"):
        with pytest.raises(ValueError, match=f"'{site}' cannot be read while sampling: sample first"):
            capture_while_sampling(model, sites=[site]).__enter__()
    with capture_while_sampling(model), pytest.raises(ValueError, match="already being read"):
        capture_while_sampling(model).__enter__()
