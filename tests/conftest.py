"""Tiny random models of several architectures, with a tokenizer of their own, and the embedded model."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
# torch and transformers are imported where they are used: the process that hands out the tests does without them.

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

    from confesslens.models import Model

LONG = ("notebooks", "run", "organisms")
"""Folders whose files take longest: they come first, so that both processes are busy to the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folders = {item: item.path.parent.name for item in items}
    items.sort(key=lambda item: LONG.index(folders[item]) if folders[item] in LONG else len(LONG))


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_TEXT = [
    "Objective: do it",
    "Result: ✓ complied",
    "Result: ✗ did not comply",
    "Why: because",
    "<think>\nhm\n</think>\n",
]
_SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "max_position_embeddings": 4096}


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|im_start|>", "<|im_end|>"]
    bpe.train_from_iterator(
        _TEXT, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=special[0], eos_token=special[1], pad_token=special[1]
    )
    fast.chat_template = CHATML
    folder = tmp_path_factory.mktemp("tokenizer")  # TransformerLens makes its own from the folder
    fast.save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


def _llama(vocab: int) -> torch.nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(vocab_size=vocab, num_attention_heads=4, num_key_value_heads=2, **_SIZES))


def _qwen3(vocab: int) -> torch.nn.Module:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(
        Qwen3Config(vocab_size=vocab, num_attention_heads=4, num_key_value_heads=2, head_dim=8, **_SIZES)
    )


def _gemma3(vocab: int) -> torch.nn.Module:
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    config = Gemma3TextConfig(vocab_size=vocab, sliding_window=16, layer_types=kinds, **heads, **_SIZES)
    return Gemma3ForCausalLM(config)


def _neox(vocab: int) -> torch.nn.Module:
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    return GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=vocab, num_attention_heads=4, **_SIZES))


def _gpt2(vocab: int) -> torch.nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(vocab_size=vocab, n_positions=4096, n_embd=32, n_layer=3, n_head=4))


def _mistral(vocab: int) -> torch.nn.Module:
    from transformers import MistralConfig, MistralForCausalLM

    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    return MistralForCausalLM(MistralConfig(vocab_size=vocab, sliding_window=64, **heads, **_SIZES))


def _gpt_oss(vocab: int) -> torch.nn.Module:
    """A mixture of experts, with attention sinks and windows in every other layer."""
    from transformers import GptOssConfig, GptOssForCausalLM

    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    experts = {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 32}
    kinds = ["sliding_attention", "full_attention", "sliding_attention"]
    return GptOssForCausalLM(GptOssConfig(vocab_size=vocab, layer_types=kinds, **heads, **experts, **_SIZES))


ARCHITECTURES: dict[str, Callable[[int], torch.nn.Module]] = {
    "llama": _llama,
    "qwen3": _qwen3,
    "gemma3": _gemma3,
    "gpt_neox": _neox,
    "gpt2": _gpt2,
}
FAMILIES = ARCHITECTURES | {"mistral": _mistral, "gpt_oss": _gpt_oss}
"""All that are checked end to end; most tests take `ARCHITECTURES`."""


def build_tiny(architecture: str, tokenizer: PreTrainedTokenizerFast) -> Model:
    import torch

    from confesslens.models import Model

    torch.manual_seed(0)
    hf = FAMILIES[architecture](len(tokenizer)).eval()
    for parameter in hf.parameters():  # larger than usual, so that what the model says depends on its input
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    hf.config.eos_token_id = hf.generation_config.eos_token_id = tokenizer.eos_token_id
    return Model(name=f"tiny-{architecture}", hf=hf, tokenizer=tokenizer)


@pytest.fixture(scope="session")
def tiny(tokenizer: PreTrainedTokenizerFast) -> Callable[[str], Model]:
    built: dict[str, Model] = {}

    def make(architecture: str = "llama") -> Model:
        if architecture not in built:
            built[architecture] = build_tiny(architecture, tokenizer)
        return built[architecture]

    return make


@pytest.fixture(scope="session")
def tiny_folder(tiny: Callable[[str], Model], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama saved as a transformers folder."""
    folder = tmp_path_factory.mktemp("tiny-llama")
    model = tiny("llama")
    model.hf.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def embedded() -> Model:
    from confesslens.models import EMBEDDED, load_model

    return load_model(EMBEDDED)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser (Debian's Chromium, driven by Playwright); skips where there is none.

    It ends with the file: while Playwright is open an event loop runs in this thread, and Inspect starts its own.
    """
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """A server of a model, which really answers as OpenAI's do, and with token ids as vLLM's; gives its address.

    `spoil` changes what `/completions` answers: a server that is not as it should be.
    """
    servers: list[HTTPServer] = []

    def start(model: Model, spoil: Callable[[dict[str, Any]], Any] = lambda choice: None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                self._say({"object": "list", "data": [{"id": "served", "object": "model", "created": 0}]})

            def do_POST(self) -> None:  # noqa: N802
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                chat = self.path.endswith("/chat/completions")
                choice = _chatted(model, asked) if chat else _completed(model, asked)
                spoil(choice)
                about = {"id": "1", "object": "completion", "created": 0, "model": asked["model"]}
                self._say(about | {"choices": [{"index": 0} | choice]})

            def _say(self, told: dict[str, Any]) -> None:
                body = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/v1"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _chatted(model: Model, asked: dict[str, Any]) -> dict[str, Any]:
    from confesslens.rollouts.sampler import Free, Job, sample

    prompt = tuple(model.encode_prompt(asked["messages"]))
    parts = (Free("reply", asked.get("max_tokens") or 16),)
    (done,) = sample(model, [Job((prompt,), parts, temperature=asked.get("temperature", 1.0))])
    return {"message": {"role": "assistant", "content": done.texts["reply"]}, "finish_reason": "stop"}


def _completed(model: Model, asked: dict[str, Any]) -> dict[str, Any]:
    """Token ids come with the end of the turn or the stop string that ended them, as vLLM gives them."""
    import numpy as np
    import torch

    ids, tokens, logprobs, finish = list(asked["prompt"]), list[int](), list[float](), "length"
    draw = np.random.default_rng(asked["seed"])
    fed, cache = ids, None
    for _ in range(asked["max_tokens"]):
        with torch.inference_mode():
            out = model.hf(torch.tensor([fed]), past_key_values=cache, use_cache=True, logits_to_keep=1)
        last, cache = out.logits[0, -1].double(), out.past_key_values
        told = torch.log_softmax(last, 0)
        heat = asked["temperature"]
        chances = torch.softmax(last / heat, 0).numpy() if heat else (told == told.max()).double().numpy()
        tokens.append(int(draw.choice(len(chances), p=chances / chances.sum())))
        logprobs.append(float(told[tokens[-1]]))
        fed = tokens[-1:]
        text = model.decode(tokens)
        if tokens[-1] in asked["stop_token_ids"] or any(stop in text for stop in asked.get("stop") or []):
            finish = "stop"
            break
    return {
        "text": model.decode(tokens),
        "finish_reason": finish,
        "token_ids": tokens,
        "prompt_token_ids": ids,
        "logprobs": {"tokens": [], "token_logprobs": logprobs, "top_logprobs": [], "text_offset": []},
    }
