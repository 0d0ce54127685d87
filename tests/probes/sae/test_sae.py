"""Sparse autoencoders: every architecture against its own formula, planted features, and what is refused."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.exceptions import NotFittedError

import confesslens as cl
from confesslens.activations import Item
from confesslens.probes import FeatureProbe, LogisticProbe, load_sae, pool_tokens, save_probe, sweep, top_features

D, N, PLANTED = 32, 48, 7


def planted(seed=0):
    """A dictionary of 48 unit vectors in 32 dimensions, its encoder the transpose, with a small b_dec."""
    rng = np.random.default_rng(seed)
    W_dec = rng.normal(size=(N, D)).astype(np.float32)
    W_dec /= np.linalg.norm(W_dec, axis=1, keepdims=True)
    b_dec = rng.normal(scale=0.1, size=D).astype(np.float32)
    return {
        "W_enc": np.ascontiguousarray(W_dec.T),
        "W_dec": W_dec,
        "b_enc": rng.normal(scale=0.1, size=N).astype(np.float32),
        "b_dec": b_dec,
    }


def config(architecture="standard", layer=1, **more):
    about = {
        "hook_name": f"blocks.{layer}.hook_resid_post",
        "model_name": "acme/tiny-llama",
        "sae_lens_version": "6.21",
    }
    plain = {"apply_b_dec_to_input": True, "normalize_activations": "none", "reshape_activations": "none"}
    return {"architecture": architecture, "d_in": D, "d_sae": N, **plain, **more, "metadata": about}


def save(folder, tensors, cfg, dtype=torch.float32):
    folder.mkdir(exist_ok=True)
    save_file(
        {k: torch.from_numpy(np.array(v)).to(dtype) for k, v in tensors.items()}, folder / "sae_weights.safetensors"
    )
    (folder / "cfg.json").write_text(json.dumps(cfg))
    return folder


def rows(n=60, seed=1):
    return np.random.default_rng(seed).normal(size=(n, D)).astype(np.float32)


def of_architecture(name):
    tensors, rng = planted(), np.random.default_rng(3)
    if name == "jumprelu":
        tensors["threshold"] = rng.uniform(-0.2, 0.6, N).astype(np.float32)
    if name == "gated":
        del tensors["b_enc"]
        tensors |= {key: rng.normal(scale=0.2, size=N).astype(np.float32) for key in ("b_gate", "r_mag", "b_mag")}
    return tensors, ({"k": 5, "rescale_acts_by_decoder_norm": True} if name == "topk" else {})


def by_torch(name, t, x):
    """What SAE Lens's documentation says of each architecture, in torch."""
    t = {key: torch.from_numpy(value) for key, value in t.items()}
    x = torch.from_numpy(x) - t["b_dec"]
    if name == "gated":
        gate = (x @ t["W_enc"] + t["b_gate"] > 0).float()
        return gate * torch.relu(x @ (t["W_enc"] * t["r_mag"].exp()) + t["b_mag"])
    pre = x @ t["W_enc"] + t["b_enc"]
    if name == "topk":
        pre = pre * t["W_dec"].norm(dim=-1)
        values, places = pre.topk(5, dim=-1)
        return torch.zeros_like(pre).scatter_(-1, places, values.relu())
    if name == "jumprelu":
        return torch.relu(pre) * (pre > t["threshold"].relu())
    return torch.relu(pre)


@pytest.mark.parametrize("name", ["standard", "topk", "jumprelu", "gated"])
def test_each_architecture_is_read_and_encodes_as_its_formula_says(tmp_path, name):
    tensors, more = of_architecture(name)
    sae = load_sae(save(tmp_path / "sae", tensors, config(name, **more)))
    got = sae.encode(rows())
    np.testing.assert_allclose(got, by_torch(name, tensors, rows()).numpy(), atol=1e-5)
    assert got.shape == (60, N) and got.dtype == np.float32 and (got > 0).any() and (got == 0).any()
    assert (sae.architecture, sae.layer, sae.stream, sae.model_name) == (name, 1, "resid_post", "acme/tiny-llama")
    if name == "topk":
        assert ((got > 0).sum(axis=1) <= 5).all()
    np.testing.assert_allclose(sae.encode(rows().reshape(5, 12, D)).reshape(60, N), got)  # any axes before the last
    matrix, offset = sae.affine()
    np.testing.assert_allclose(sae.linear(rows()), rows() @ matrix + offset, atol=1e-5)
    on = got > 0
    np.testing.assert_allclose(got[on], sae.linear(rows())[on], atol=1e-6)
    if name == "standard":
        np.testing.assert_allclose(sae.decode(got), got @ tensors["W_dec"] + tensors["b_dec"], atol=1e-5)


def test_normalised_inputs(tmp_path):
    x = torch.from_numpy(rows())
    tensors = planted()
    known = {
        "layer_norm": (x - x.mean(-1, keepdim=True)) / ((x - x.mean(-1, keepdim=True)).std(-1, keepdim=True) + 1e-5),
        "constant_norm_rescale": x * D**0.5 / x.norm(dim=-1, keepdim=True),
    }
    for name, normalised in known.items():
        sae = load_sae(save(tmp_path / name, tensors, config(normalize_activations=name)))
        np.testing.assert_allclose(
            sae.encode(rows()), by_torch("standard", tensors, normalised.numpy()).numpy(), atol=1e-5
        )
        with pytest.raises(ValueError, match="normalises its input"):
            sae.affine()


def test_folders_of_before_and_bare_files(tmp_path):
    """SAE Lens below 6 had flat names; other libraries store torch's modules."""
    tensors = planted()
    old = {"hook_point": "blocks.2.hook_resid_pre", "model_name": "gpt2-small", "d_in": D, "d_sae": N}
    old |= {"activation_fn_str": "topk", "activation_fn_kwargs": {"k": 3}, "normalize_activations": False}
    sae = load_sae(save(tmp_path / "old", tensors, old))
    assert (sae.architecture, sae.k, sae.layer, sae.stream) == ("topk", 3, 2, "resid_pre")
    whole = load_sae(save(tmp_path / "new", tensors, config(), torch.bfloat16)).encode(rows())
    names = {"W_enc": "encoder.weight", "W_dec": "decoder.weight", "b_enc": "encoder.bias", "b_dec": "decoder.bias"}
    file = tmp_path / "bare.safetensors"
    save_file({names[k]: torch.from_numpy(np.ascontiguousarray(v.T)) for k, v in tensors.items()}, file)
    about = {"hook_name": "blocks.1.hook_resid_post", "apply_b_dec_to_input": True}
    np.testing.assert_allclose(load_sae(file, cfg=about).encode(rows()), whole, atol=0.05)  # bfloat16 beside float32
    with pytest.raises(ValueError, match="whether b_dec is taken from the input is not said"):
        load_sae(file, cfg={"hook_name": "blocks.1.hook_resid_post"})
    with pytest.raises(ValueError, match="it is not said what it reads"):
        load_sae(file, cfg={"apply_b_dec_to_input": True})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "topkk"}, "no architecture 'topkk'"),
        ({"architecture": "jumprelu"}, "threshold is missing"),
        ({"architecture": "topk"}, "k is None, expected a whole number from 1 to 48"),
        ({"d_in": 31}, "cfg.json says d_in 31, the weights have 32"),
        ({"reshape_activations": "hook_z"}, "reads single heads"),
        ({"normalize_activations": "expected_average_only_in"}, "the factor is not in the file"),
        ({"activation_fn": "tanh-relu"}, "activation_fn 'tanh-relu' is not known"),
        ({"hook_name": "blocks.1.attn.hook_z"}, "hook_name 'blocks.1.attn.hook_z': expected blocks.LAYER.hook_STREAM"),
        ({"hook_name": "blocks.1.hook_resid_pot"}, "no stream 'resid_pot'"),
        ({"apply_b_dec_to_input": "yes"}, "expected true or false"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, change, message):
    folder = save(tmp_path / "sae", planted(), config() | change)
    with pytest.raises(ValueError, match=message) as caught:
        load_sae(folder)
    assert "\n" not in str(caught.value)


def test_damaged_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="there is no .*nowhere"):
        load_sae(tmp_path / "nowhere")
    folder = save(tmp_path / "sae", planted(), config())
    (folder / "cfg.json").write_text("[1, 2")
    with pytest.raises(ValueError, match=r"cfg.json: not readable JSON"):
        load_sae(folder)
    save(folder, {k: v[:5] if k == "b_enc" else v for k, v in planted().items()}, config())
    with pytest.raises(ValueError, match=r"b_enc has shape \[5\], expected \[48\]"):
        load_sae(folder)
    save(folder, planted(), config())
    weights = folder / "sae_weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"sae_weights.safetensors: not a readable safetensors file"):
        load_sae(folder)
    weights.unlink()
    with pytest.raises(ValueError, match="holds no cfg.json and sae_weights.safetensors"):
        load_sae(folder)


@pytest.fixture(scope="module")
def found(tiny):
    """Items of a tiny model, and activations with the decoder's row of one feature added where the act is bad."""
    model = tiny("llama")
    items = [Item([3 + i % 40, 5, 7 + i % 11], {"answer": (1, 3), "request": (2, 3)}, f"r{i}") for i in range(120)]
    acts = cl.capture(model, items, layers=[0, 1], sites=["answer.mean", "request.last"], token_layers=[1])
    return model, acts


def tempted(acts, strength=3.0):
    """Values [n, d_model] at layer 1 and request.last with a planted feature, labels, scenarios and evaluations."""
    bad = np.random.default_rng(2).random(len(acts.item_ids)) < 0.5
    values = acts.at(1, "request.last")
    spread = values.std()
    planted_row = planted()["W_dec"][PLANTED]
    return values + strength * spread * bad[:, None] * planted_row, bad, np.arange(len(bad)) // 2, np.array(["e"] * 120)


def test_a_planted_feature_is_found_and_a_sweep_takes_features(tmp_path, found):
    _, acts = found
    sae = load_sae(save(tmp_path / "sae", planted(), config()))
    values, bad, groups, evals = tempted(acts)
    top = top_features(sae.encode(values), bad, evals, n=5)
    assert top["feature"].iloc[0] == PLANTED and top["auroc"].iloc[0] > 0.9
    assert top["mean_bad"].iloc[0] > top["mean_good"].iloc[0]
    assert len(top) == 5 and top["auroc"].sub(0.5).abs().is_monotonic_decreasing
    grid = sae.encode(values)[:, None, None]  # [n, one layer, one site, feature]
    got = sweep(grid, np.ones((120, 1), bool), bad, groups, evals, [1], ["request.last"], n_boot=20, jobs=1)
    assert got.nested.auroc.estimate > 0.9
    probe = FeatureProbe(sae).fit(values, np.where(bad, "not_complied", "complied"))
    assert np.argmax(probe.weights * sae.encode(values).std(axis=0)) == PLANTED
    assert probe.predict_proba(values).shape == (120, 2)
    assert np.mean((probe.predict(values) == "not_complied") == bad) > 0.9


def test_a_probe_folds_back_only_where_that_is_exact(tmp_path, found):
    _, acts = found
    values, bad, *_ = tempted(acts)
    for name in ("standard", "topk", "jumprelu", "gated"):
        tensors, more = of_architecture(name)
        sae = load_sae(save(tmp_path / name, tensors, config(name, **more)))
        probe = FeatureProbe(sae, stage="linear").fit(values, bad)
        folded = probe.fold()
        np.testing.assert_allclose(folded.decision_function(rows()), probe.decision_function(rows()), atol=1e-4)
        assert isinstance(folded, LogisticProbe) and folded.direction.shape == (D,)
        gated = FeatureProbe(sae).fit(values, bad)
        for ask in (lambda gated=gated: gated.direction, lambda gated=gated: gated.bias, gated.fold, gated.to_basis):
            with pytest.raises(ValueError, match="no direction in raw activation space"):
                ask()
    save_probe(tmp_path / "saved", folded, {"name": "x"})
    with pytest.raises(ValueError, match="a FeatureProbe cannot be saved"):
        save_probe(tmp_path / "saved", gated, {"name": "x"})
    with pytest.raises(NotFittedError):
        FeatureProbe(sae).decision_function(values)


def test_captured_activations_become_features_of_the_same_items(tmp_path, found):
    model, acts = found
    sae = load_sae(save(tmp_path / "sae", planted(), config()), model)
    features = sae.features(acts, ["request.last"])
    np.testing.assert_allclose(features.at(1, "request.last"), sae.encode(acts.at(1, "request.last")))
    assert features.item_ids == acts.item_ids and features.d_model == N and features.streams == ["resid_post.sae"]
    assert features.values.shape == (120, 1, 1, N) and features.model == acts.model
    np.testing.assert_allclose(
        sae.features(acts, ["request.last"], "linear").values[:, 0, 0], sae.linear(acts.at(1, "request.last"))
    )
    with pytest.warns(UserWarning, match="trained on single tokens"):
        sae.features(acts)
    tokens = acts.tokens(1)
    pooled = pool_tokens(sae, tokens.values, tokens.offsets)
    np.testing.assert_allclose(pooled[4], sae.encode(tokens.of("r4")).mean(axis=0), atol=1e-6)
    assert (pool_tokens(sae, tokens.values, tokens.offsets, "max") >= pooled - 1e-6).all()
    probe = FeatureProbe(sae).fit(acts.at(1, "request.last"), np.arange(120) % 2 == 0)
    scores = probe.score_activations(acts, site="request.last")
    np.testing.assert_allclose(scores, probe.decision_function(acts.at(1, "request.last")))
    with pytest.raises(ValueError, match="reads layer 1, not 0"):
        probe.score_activations(acts, 0, "request.last")
    with pytest.raises(ValueError, match="a mean|expected 'mean' or 'max'"):
        pool_tokens(sae, tokens.values, tokens.offsets, "sum")


def test_another_place_width_or_model_is_refused(tmp_path, tiny, found):
    model, acts = found
    tensors = planted()
    sae = load_sae(save(tmp_path / "sae", tensors, config(layer=2)), model)
    with pytest.raises(ValueError, match=r"reads blocks.2.hook_resid_post, but these activations have layers \[0, 1\]"):
        sae.features(acts)
    with pytest.raises(ValueError, match="bound to the model of fingerprint"):
        sae.check(SimpleNamespace(**vars(acts) | {"model": "other", "layers": [2]}))
    with pytest.raises(ValueError, match="takes activations of width 32, these have 64"):
        sae.check(SimpleNamespace(**vars(acts) | {"d_model": 64}))
    with pytest.raises(ValueError, match=r"activations of shape \(3, 31\): expected \[..., 32\]"):
        sae.encode(np.zeros((3, 31)))
    with pytest.raises(ValueError, match="trained on acme/tiny-llama, not on tiny-gpt2"):
        load_sae(tmp_path / "sae", tiny("gpt2"))
    same = load_sae(tmp_path / "sae", tiny("gpt2"), {"model_name": "tiny-gpt2"})
    assert same.fingerprint == tiny("gpt2").fingerprint
    with pytest.raises(ValueError, match="reads blocks.9.hook_resid_post, tiny-llama has blocks 0 to 2"):
        load_sae(save(tmp_path / "deep", tensors, config(layer=9)), model)
    with pytest.raises(ValueError, match="takes activations of width 32, wide has 64"):
        load_sae(
            tmp_path / "sae",
            SimpleNamespace(name="wide", d_model=64, n_layers=3, fingerprint="x", hf=model.hf),
            {"model_name": "wide"},
        )
    with pytest.raises(ValueError, match="stage 'gated'"):
        sae.features(SimpleNamespace(**vars(acts) | {"layers": [2]}), stage="gated")


def test_top_features_of_nothing(tmp_path):
    with pytest.raises(ValueError, match="no evaluation has both classes"):
        top_features(np.zeros((4, 3)), [True, False, True, False])
    with pytest.raises(ValueError, match="expected \\[n, feature\\]"):
        top_features(np.zeros(4), [True, False, True, False])
