"""Edits while sampling equal the bridge's hooks, act where they should, and keep batches independent."""

from __future__ import annotations

import json
import random

import numpy as np
import pandas as pd
import pytest
import torch

import confesslens as cl
from confesslens.interventions import Patch, add, bridge_hooks, edited, edited_logits, project_out
from confesslens.rollouts.sampler import Forced, Free, Job, sample

ARCHITECTURES = ["llama", "qwen3", "gemma3", "gpt_neox", "gpt2"]
SPANS = (("prompt", 0, 9), ("answer", 12, 20), ("request", 20, 26))


def direction(model, seed=0):
    return np.random.default_rng(seed).normal(size=model.d_model)


def make_edits(model):
    values = torch.tensor(np.random.default_rng(1).normal(size=(3, model.d_model)), dtype=torch.float32)
    return [
        add(direction(model), 1, 6.0),
        add(direction(model), 0, -6.0, ["answer", "request.last"]),
        project_out(direction(model), 2, ["prompt"]),
        Patch(1, values, np.array([4, 5, 19])),
    ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_edits_equal_the_hooks_of_the_bridge(tiny, architecture):
    model = tiny(architecture)
    ids = list(range(5, 35))
    plain = model.logits(ids)
    for edit in make_edits(model):
        ours = edited_logits(model, ids, edit, SPANS)
        with torch.inference_mode():
            theirs = model.bridge.run_with_hooks(torch.tensor([ids]), fwd_hooks=bridge_hooks(edit, len(ids), SPANS))[
                0
            ].numpy()
        assert np.abs(ours - theirs).max() < 1e-3 * max(1, np.abs(theirs).max())
        assert np.abs(ours - plain).max() > 1e-2
    assert np.array_equal(model.logits(ids), plain), "no hook is left behind"


def jobs(model, edits):
    texts = ["hi", "What is it? " * 5, "Say: " + "word " * 20]
    parts = (Free("cot", 6, stop=("</think>",)), Forced(tuple(model.encode("\n</think>\n"))), Free("answer", 9))
    made = []
    for i, edit in enumerate(edits):
        prefix = tuple(model.encode_prompt([{"role": "user", "content": texts[i % 3]}]))
        chunks = (prefix[:7], prefix[7:])
        made.append(Job(chunks, parts, seed=i, edit=edit, spans=(("prompt", 0, len(prefix)),)))
    return made


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_company_changes_nothing_whatever_is_done_to_the_others(tiny, architecture):
    model = tiny(architecture)
    v = direction(model)
    kinds = [None, add(v, 1, 6.0), add(v, 1, -6.0, ["answer"]), project_out(v, 0, ["cot"]), add(v, 2, 5.0, ["prompt"])]
    made = jobs(model, [kinds[i % len(kinds)] for i in range(15)])
    alone = [sample(model, [job], 1)[0].ids for job in made]
    order = random.Random(2).sample(range(len(made)), len(made))
    mixed = sample(model, [made[i] for i in order], 4)
    assert [mixed[order.index(i)].ids for i in range(len(made))] == alone
    plain = [sample(model, [Job(j.prefix, j.parts, j.seed)], 1)[0].ids for j in made]
    changed = [a != b for a, b in zip(alone, plain, strict=True)]
    assert not any(changed[::5]) and sum(changed) > 6


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_sampled_under_an_edit_is_what_the_edited_model_finds_likeliest(tiny, architecture):
    """Greedy tokens are the argmax of one edited pass over the whole, so sites mean the same in both."""
    model = tiny(architecture)
    for sites in (["cot"], ["answer"], ["prompt.last", "answer"], ["all"]):
        edit = add(direction(model), 1, 8.0, sites)
        job = jobs(model, [edit])[0]
        done = sample(model, [Job(job.prefix, job.parts, temperature=0, edit=edit, spans=job.spans)])[0]
        spans = [*job.spans, *((name, *span) for name, span in done.spans.items())]
        logits = edited_logits(model, done.ids, edit, spans)
        for start, end in done.spans.values():
            for position in range(start, end):
                row = logits[position - 1]
                assert row[done.ids[position]] >= row.max() - 1e-2


def test_a_context_edits_all_that_is_sampled_in_it(tiny):
    model = tiny("llama")
    rollouts = cl.roll_out(model, cl.evals("people"), n=2, samples=1, conditions=["tempted"])
    edit = add(direction(model), 1, 9.0, ["request", "confession"])
    plain = cl.confess(model, rollouts, samples=0)
    with edited(model, edit):
        inside = cl.confess(model, rollouts, samples=0)
        with pytest.raises(ValueError, match="already edited"), edited(model, edit):
            pass
    by_row = cl.confess(model, pd.concat([rollouts, rollouts]), samples=0, edits=[edit] * 2 + [None] * 2)
    assert inside["logit"].tolist() == by_row["logit"].tolist()[:2]
    assert plain["logit"].tolist() == by_row["logit"].tolist()[2:]
    assert (inside["logit"] != plain["logit"]).all()
    for row in inside.to_dict("records"):
        spans = json.loads(row["spans"])
        named = [("request", *spans["request"]), ("confession", *spans["confession"])]
        logits = edited_logits(model, row["token_ids"], edit, named)[spans["verdict"][0]]
        tick, cross = model.encode(" ✓ complied"), model.encode(" ✗ did not comply")
        fork = next(i for i in range(len(tick)) if tick[i] != cross[i])
        assert row["logit"] == pytest.approx(float(logits[cross[fork]] - logits[tick[fork]]), abs=1e-2)


def test_projected_out_nothing_is_left(tiny):
    model = tiny("llama")
    v = direction(model)
    edit = project_out(v, 1)
    states = torch.tensor(np.random.default_rng(0).normal(size=(4, model.d_model)), dtype=torch.float32)
    left = edit.apply(states, np.arange(4)).numpy() @ v
    assert np.abs(left).max() < 1e-4


@pytest.mark.parametrize("wrong", [np.zeros(4), np.full(4, np.nan), np.ones((2, 2))])
def test_a_direction_must_be_one(wrong):
    with pytest.raises(ValueError, match="expected one finite vector"):
        add(wrong, 0, 1.0)


def test_unknown_places_are_named(tiny):
    model = tiny("llama")
    with pytest.raises(ValueError, match=r"answer"):
        add(direction(model), 0, 1.0, ["anwser"])
    with pytest.raises(ValueError, match="layer 7"):
        edited_logits(model, [1, 2, 3], add(direction(model), 7, 1.0))
