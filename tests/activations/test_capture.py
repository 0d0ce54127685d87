"""Capture: the right tokens, the values of TransformerLens, whatever the batch."""

from __future__ import annotations

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch

import confesslens as cl
from confesslens.activations import SITES, STREAMS, Item, rollout_items, site_tokens

ARCHITECTURES = ["llama", "qwen3", "gemma3", "gpt_neox", "gpt2"]


def make(model, n=2):
    rollouts = cl.roll_out(model, cl.evals(), n=n, samples=2, conditions=["tempted"])
    return rollouts, cl.confess(model, rollouts, samples=0)


def check_tokens(model, rollouts, confessions):
    """Decode the tokens under every site and find them in the transcript."""
    seen = set()
    texts = {row["rollout_id"]: row for row in rollouts.to_dict("records")}
    guided = {row["rollout_id"]: row for row in confessions.to_dict("records")}
    for row, item in zip(texts.values(), rollout_items(model, rollouts, confessions), strict=True):
        ids, spans = item.token_ids.tolist(), item.spans
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


def streams_of(architecture):
    return [stream for stream in STREAMS if architecture != "gpt_neox" or stream != "resid_mid"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_values_are_transformer_lens_hook_values(tiny, architecture):
    """In padded batches that share a beginning, each value is that of one unpadded `run_with_cache`, to 1e-4."""
    model, streams = tiny(architecture), streams_of(architecture)
    rollouts, confessions = make(model)
    acts = cl.capture(model, rollouts, confessions, streams=streams, batch_tokens=4000)
    read = {stream: acts.stream(stream) for stream in streams}
    names = [f"blocks.{layer}.hook_{stream}" for layer in range(model.n_layers) for stream in streams]
    for i, item in enumerate(rollout_items(model, rollouts, confessions)):
        if i % 5:
            continue
        with torch.inference_mode():
            _, cache = model.bridge.run_with_cache(
                torch.tensor(item.token_ids[None].astype(int)), names_filter=lambda name: name in names
            )
        assert set(names) <= set(cache.keys())
        for name in names:
            layer, stream = int(name.split(".")[1]), name.split("hook_")[1]
            for column, site in enumerate(SITES):
                if span := site_tokens(site, item.spans):
                    tokens = cache[name][0][span[0] : span[1]]
                    want = tokens.amax(0) if site.endswith(".max") else tokens.mean(0)
                    np.testing.assert_allclose(read[stream][i, layer, column], want, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_token_of_mixed_lengths(tiny, architecture):
    """Ragged tokens of items of many lengths, in one padded batch, are those of `run_with_cache`."""
    model, streams = tiny(architecture), streams_of(architecture)
    rng = np.random.default_rng(0)
    items = [Item(rng.integers(0, 200, n), {"a": (1, n)}) for n in (5, 61, 2, 30)]
    acts = cl.capture(model, items, layers=[0], sites=["a.mean"], streams=streams, token_layers=[2, 1])
    for stream in streams:
        for layer in (1, 2):
            ragged = acts.tokens(layer, stream)
            for i, item in enumerate(items):
                with torch.inference_mode():
                    _, cache = model.bridge.run_with_cache(torch.tensor(item.token_ids[None].astype(int)))
                want = cache[f"blocks.{layer}.hook_{stream}"][0]
                np.testing.assert_allclose(ragged.of(item.item_id), want, atol=1e-4, rtol=1e-4)
                own = slice(ragged.offsets[i], ragged.offsets[i + 1])
                assert ragged.positions[own].tolist() == list(range(len(item.token_ids)))
    with pytest.raises(KeyError, match="token layer 0 not captured: 2, 1"):
        acts.tokens(0)


def test_tokens_of_chosen_spans_only(tiny):
    model = tiny("llama")
    rollouts, confessions = make(model)
    whole = cl.capture(model, rollouts, confessions, token_layers=[1]).tokens(1)
    part = cl.capture(
        model, rollouts, confessions, sites=[], token_layers=[1], token_spans=["answer", "request"]
    ).tokens(1)
    for i, item in enumerate(rollout_items(model, rollouts, confessions)):
        wanted = [p for name in ("answer", "request") if name in item.spans for p in range(*item.spans[name])]
        own = slice(part.offsets[i], part.offsets[i + 1])
        assert part.positions[own].tolist() == wanted
        np.testing.assert_allclose(part.values[own], whole.of(item.item_id)[wanted], atol=1e-4)


def test_a_model_without_a_stream_says_so(tiny):
    model = tiny("gpt_neox")
    with pytest.raises(ValueError, match="has no resid_mid: attention and MLP .* both read"):
        cl.capture(model, ["hello"], streams="resid_mid")
    with pytest.raises(ValueError, match="no stream 'resid_pots': did you mean 'resid_post'"):
        cl.capture(model, ["hello"], streams=["resid_pots"])


def broken(tiny, name, forward):
    """A Llama whose blocks compute something else."""
    whole = tiny("llama")
    hf = copy.deepcopy(whole.hf)
    for block in hf.model.layers:
        block.forward = forward.__get__(block)
    return dataclasses.replace(whole, name=name, hf=hf)


def test_what_does_not_add_up_is_refused(tiny):
    def scaled(self, hidden_states, **others):
        attended, _ = self.self_attn(hidden_states=self.input_layernorm(hidden_states), **others)
        middle = hidden_states + 0.2 * attended  # as Granite does
        return middle + 0.2 * self.mlp(self.post_attention_layernorm(middle))

    model = broken(tiny, "scaled", scaled)
    with pytest.raises(ValueError, match="is not what the residual stream gains"):
        cl.capture(model, ["hello"], streams=["attn_out"])
    assert cl.capture(model, ["hello"], streams=["resid_pre", "resid_post"]).present.all()


def test_a_hook_that_fires_twice_or_never_fails(tiny):
    def twice(self, hidden_states, **others):
        plain = type(self).forward
        self.mlp(hidden_states)
        return plain(self, hidden_states, **others)

    def never(self, hidden_states, **others):
        return hidden_states + self.input_layernorm(hidden_states)

    for forward, times in ((twice, 2), (never, 0)):
        with pytest.raises(RuntimeError, match=f"mlp_out of layer 1 fired {times} times .*: expected exactly once"):
            cl.capture(broken(tiny, "odd", forward), ["hello"], layers=[1], streams="mlp_out")


def test_nothing_after_the_last_layer_is_computed(tiny):
    """Blocks behind the last one read, the final norm and the LM head do not run, but in the short trial."""
    model = tiny("llama")
    longest = dict.fromkeys(["0", "1", "2", "norm", "head"], 0)
    modules = [*model.hf.model.layers, model.hf.model.norm, model.hf.lm_head]

    def count(name):
        def hook(_module, args, kwargs, _output):
            states = args[0] if args else kwargs["hidden_states"]
            longest[name] = max(longest[name], states.shape[1])

        return hook

    handles = [
        module.register_forward_hook(count(name), with_kwargs=True)
        for name, module in zip(longest, modules, strict=True)
    ]
    try:
        cl.capture(model, ["a longer text than the trial's few tokens"], layers=[1])
    finally:
        for handle in handles:
            handle.remove()
    assert longest["0"] == longest["1"] > 10
    assert longest["2"] <= 4 and longest["norm"] <= 4 and longest["head"] == 0


def test_a_shared_beginning_is_computed_once(tiny):
    model = tiny("gemma3")
    rng = np.random.default_rng(1)
    start = rng.integers(0, 200, 50)
    items = [Item([*start, *rng.integers(0, 200, 5 + i)], {"rest": (50, 55 + i)}) for i in range(9)]
    fed = []
    handle = model.hf.model.layers[0].register_forward_hook(lambda _, args, out: fed.append(out.shape[:2]))
    try:
        acts = cl.capture(model, items, streams=["resid_post", "attn_out"])
    finally:
        handle.remove()
    assert [tuple(shape) for shape in fed[-2:]] == [(1, 50), (9, 13)]
    alone = [cl.capture(model, [item], streams=["resid_post", "attn_out"]) for item in items]
    for stream in acts.streams:
        np.testing.assert_allclose(
            acts.stream(stream), np.concatenate([one.stream(stream) for one in alone]), atol=1e-4, rtol=1e-4
        )


def test_batches_change_nothing(tiny):
    model = tiny("qwen3")
    rollouts, confessions = make(model, 3)
    one = cl.capture(model, rollouts, confessions, batch_tokens=1)
    many = cl.capture(model, rollouts, confessions, batch_tokens=9000)
    np.testing.assert_allclose(one.values, many.values, atol=1e-4)
    assert (one.present == many.present).all()
    assert one.item_ids == rollouts["rollout_id"].tolist()
    order = np.random.default_rng(0).permutation(len(rollouts))
    mixed = cl.capture(model, rollouts.iloc[order], confessions)
    np.testing.assert_allclose(mixed.select(one.item_ids).values, one.values, atol=1e-4)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_formats_round_once(tiny, tmp_path, dtype):
    """What is read back is the float32 value, rounded to the format: in memory and from a store."""
    model = tiny("llama")
    exact = cl.capture(model, ["one", "and another"]).values
    want = torch.tensor(exact).to(getattr(torch, dtype)).float().numpy()
    assert np.abs(want - exact).max() > 0
    for out in (None, tmp_path / "a.zarr"):
        acts = cl.capture(model, ["one", "and another"], dtype=dtype, out=out)
        assert acts.values.dtype == np.float32 and acts.dtype == dtype
        np.testing.assert_array_equal(acts.values, want)
        np.testing.assert_array_equal(acts.at(2, "text.mean"), want[:, 2, 1])
    with pytest.raises(ValueError, match="no number format 'float8': .*valid are float32, bfloat16, float16"):
        cl.capture(model, ["one"], dtype="float8")


def test_values_beyond_float16_are_refused(tiny):
    model = broken(tiny, "large", lambda self, hidden_states, **others: hidden_states + 1e5)
    assert np.isfinite(cl.capture(model, ["one"], dtype="bfloat16").values).all()
    with pytest.raises(ValueError, match="beyond float16"):
        cl.capture(model, ["one"], dtype="float16")


def test_without_confessions_and_chosen_layers(tiny):
    model = tiny("llama")
    rollouts, confessions = make(model)
    whole = cl.capture(model, rollouts, confessions)
    part = cl.capture(model, rollouts, layers=[2], sites=["request.last", "confession.verdict"])
    np.testing.assert_allclose(part.at(2, "request.last"), whole.at(2, "request.last"), atol=1e-4)
    assert not part.present[:, 1].any()
    with pytest.raises(ValueError, match="items have no 'confession.verdict'"):
        part.at(2, "confession.verdict")
    with pytest.raises(KeyError, match="not captured"):
        part.at(1, "request.last")


def test_unknown_site_and_layer(tiny):
    model = tiny("llama")
    rollouts, _ = make(model, 1)
    with pytest.raises(ValueError, match="did you mean 'answer.mean'"):
        cl.capture(model, rollouts, sites=["anwser.mean"])
    with pytest.raises(ValueError, match="layers=\\[3\\]: expected 'all' or block numbers from 0 to 2"):
        cl.capture(model, rollouts, layers=[3])
    with pytest.raises(ValueError, match="name each block number once"):
        cl.capture(model, rollouts, token_layers=[1, 1])
    every = cl.capture(model, rollouts, layers=[1], sites=["cot.max", "prompt.mean"])
    assert every.present[:, 1].all()
