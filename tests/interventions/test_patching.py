"""Patching carries over what stands at a layer and site, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import confesslens as cl
from confesslens.interventions import patch, patch_pairs
from confesslens.interventions.patching import Pair


@pytest.fixture(scope="module")
def rollouts(tiny):
    table = cl.roll_out(tiny("llama"), cl.evals("people"), n=4, samples=2, conditions=["tempted"])
    return table.assign(behaviour=["not_complied", "complied"] * 3 + ["not_complied"] * 2)


def test_pairs_are_of_one_scenario(rollouts):
    pairs = patch_pairs(rollouts)
    assert pairs[:2] == [Pair(1, 0, "honest_into_bad"), Pair(0, 1, "bad_into_honest")]
    assert [pair.kind for pair in pairs[6:]] == ["bad_into_bad"] * 2
    assert not patch_pairs(rollouts.iloc[::2])


def test_the_last_layers_whole_request_carries_the_next_token_along(tiny, rollouts):
    """After the last block the state at a token alone decides what follows it: the first token of the confession is
    forced, so patching request.last there changes nothing, and patching at layer 0 does."""
    model = tiny("llama")
    found = patch(model, rollouts, [0, model.n_layers - 1], n_boot=50).set_index(["layer", "site", "kind"])
    last = found.loc[model.n_layers - 1]
    assert (last.loc["request", "change"].abs() < 1e-3).all()
    assert (found.loc[(0, "request"), "change"].abs() > 1e-3).all()
    assert found.loc[(0, "request", "bad_into_honest"), "n"] == 3
    assert found.loc[(0, "request", "bad_into_bad"), "n"] == 2


def test_patched_from_itself_nothing_changes(tiny, rollouts):
    model = tiny("llama")
    same = rollouts.iloc[[0, 0]].assign(behaviour=["not_complied", "complied"], rollout_id=["a", "b"])
    found = patch(model, same, n_boot=20)
    assert np.abs(found["change"]).max() < 1e-4 and found["moved"].isna().all()
    assert (found["flipped"] == 0).all()


def test_bad_input_is_named(tiny, rollouts):
    with pytest.raises(ValueError, match="no scenario has two graded"):
        patch(tiny("llama"), rollouts.iloc[::2])
    with pytest.raises(ValueError, match="site to patch"):
        patch(tiny("llama"), rollouts, sites=["answer.mean"])
