"""What a probe's controls are read from."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import confesslens as cl
from confesslens.models import untrained_model


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_the_embedding_is_the_hook_before_the_first_block(tiny, architecture):
    model = tiny(architecture)
    chat = [{"role": "user", "content": "Count to two."}, {"role": "assistant", "content": "one two"}]
    sites = ["prompt.last", "answer.mean"]
    got = cl.capture_controls(model, [chat], sites=sites, layers=[0, 2])
    assert got["embedding"].shape == (1, 2, 32) and got["random_model"].shape == (1, 2, 2, 32)
    ids = model.encode_prompt(chat[:1])
    answer = model.encode("one two")
    _, cache = model.bridge.run_with_cache(torch.tensor([[*ids, *answer]]))
    want = cache["blocks.0.hook_resid_pre"][0].numpy()
    assert got["embedding"][0, 0] == pytest.approx(want[len(ids) - 1], abs=1e-4)
    assert got["embedding"][0, 1] == pytest.approx(want[len(ids) :].mean(axis=0), abs=1e-4)


def test_an_untrained_model_has_the_shape_and_none_of_the_weights(tiny):
    model = tiny("llama")
    state = torch.random.get_rng_state()
    one, again, other = untrained_model(model), untrained_model(model), untrained_model(model, 1)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert one.fingerprint == again.fingerprint != other.fingerprint != model.fingerprint
    shapes = [{k: v.shape for k, v in m.hf.state_dict().items()} for m in (one, model)]
    assert shapes[0] == shapes[1] and one.tokenizer_hash == model.tokenizer_hash
    assert one.hf.model.layers[0].mlp.up_proj.weight.std().item() < 0.05  # the usual 0.02, not the 0.2 of the fixture


def test_yes_no_logits_are_those_of_the_first_word(tiny):
    model = tiny("llama")
    rollouts = cl.roll_out(model, cl.evals("word_count"), n=2, samples=1, conditions=["tempted"])
    got = cl.yes_no_logits(model, rollouts, "Did you cheat?", batch_size=1)
    assert got == pytest.approx(cl.yes_no_logits(model, rollouts, "Did you cheat?"), abs=1e-4)
    from confesslens.confessions.confess import request_ids

    row = rollouts.iloc[0].to_dict()
    ids = [*row["token_ids"], *request_ids(model, row, "Did you cheat?")]
    last = torch.from_numpy(model.logits(ids)[-1]).log_softmax(-1)
    assert got[0] == pytest.approx(float(last[model.encode("Yes")[0]] - last[model.encode("No")[0]]), abs=1e-3)


def test_probes_never_import_models():
    code = (
        "import sys, numpy as np, confesslens.probes as p; p.LogisticProbe().fit(np.eye(4), [0, 1, 0, 1]);"
        "bad = {'torch', 'transformers', 'confesslens.models', 'confesslens.activations'} & set(sys.modules);"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
