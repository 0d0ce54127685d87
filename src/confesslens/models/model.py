"""A loaded model: sampling on the plain transformers module, hooks on a TransformerLens bridge of its weights."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from confesslens.closest import one_line, shown
from confesslens.models.errors import ModelError
from confesslens.models.thinking import Thinking, thinking_of

Message = dict[str, str]
_ANSWER = "ANSWERSTANDSHERE"


@dataclass(eq=False)
class Model:
    """A causal language model with its tokenizer.

    `hf` is the plain transformers module (sampling, capture); `bridge` the TransformerLens view of the same weights.
    `sampler` is the address of a server of the same weights that samples in its place, where there is one.
    """

    name: str
    hf: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    folder: Path | None = None
    adapter: str | None = None
    sampler: str | None = None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.hf.device

    @property
    def dtype(self) -> torch.dtype:
        """The weights' number format."""
        return self.hf.dtype

    @property
    def n_layers(self) -> int:
        """Number of transformer blocks."""
        return int(self.hf.config.get_text_config().num_hidden_layers)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return int(self.hf.config.get_text_config().hidden_size)

    @property
    def max_tokens(self) -> int:
        """The longest sequence that the model takes."""
        return int(getattr(self.hf.config.get_text_config(), "max_position_embeddings", 2**31))

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end a turn."""
        found: set[int] = set()
        for ids in (self.tokenizer.eos_token_id, getattr(self.hf.generation_config, "eos_token_id", None)):
            found.update(ids if isinstance(ids, list) else [ids] if ids is not None else [])
        return frozenset(found)

    @cached_property
    def thinking(self) -> Thinking:
        """How this model marks its chain of thought."""
        short = [{"role": "user", "content": "Hello."}]
        return thinking_of(str(self.tokenizer.chat_template), lambda **more: self._template(short, **more))

    @cached_property
    def bridge(self) -> Any:
        """TransformerLens `TransformerBridge` on the same weights (hook names such as `blocks.15.hook_resid_post`).

        Booting changes a module in place, so the bridge gets a copy of the modules that shares every parameter.
        Tokenise with `encode`: the bridge's own tokenising would add a second begin-of-sequence token.
        """
        from transformer_lens.model_bridge import TransformerBridge

        shared = {id(t): t for t in [*self.hf.parameters(), *self.hf.buffers()]}
        twin = copy.deepcopy(self.hf, shared)
        twin.config.architectures = [type(twin).__name__]  # what the bridge chooses its adapter by; not always set
        return TransformerBridge.boot_transformers(
            self.name, hf_model=twin, tokenizer=self.tokenizer, device=str(self.device), dtype=self.dtype
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of configuration and weights (adapter merged): up to 4,096 evenly spaced values of every tensor."""
        digest = hashlib.sha256(type(self.hf).__name__.encode())
        for key, tensor in sorted(self.hf.state_dict().items()):
            flat = tensor.detach().reshape(-1)
            step = max(1, flat.numel() // 4096)
            digest.update(f"{key}{tuple(tensor.shape)}".encode())
            digest.update(flat[::step][:4096].float().cpu().numpy().tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def tokenizer_hash(self) -> str:
        """Hash of the vocabulary and the chat template: two tokenizers of one hash give the same ids."""
        vocabulary = sorted(self.tokenizer.get_vocab().items())
        said = json.dumps([vocabulary, str(self.tokenizer.chat_template)], ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def identity(self) -> dict[str, str]:
        """What a probe's card says of its model: model, adapter, fingerprint, tokenizer, dtype."""
        return {
            "model": self.name,
            "adapter": self.adapter or "",
            "fingerprint": self.fingerprint,
            "tokenizer": self.tokenizer_hash,
            "dtype": str(self.dtype).removeprefix("torch."),
        }

    def encode(self, text: str) -> list[int]:
        """Token ids of a text as it stands: no token is added."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids, special tokens included."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a conversation, up to where the assistant's turn begins.

        A template that takes no system message gets it as the start of the first user message.

        Raises:
            ModelError: what is no conversation, or a template that refuses it or cannot be rendered.
        """
        check_messages(messages)
        return self.encode(self._render(list(messages)))

    def encode_chunks(self, messages: Sequence[Message]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """`encode_prompt` in two chunks: what conversations share that differ in the last message only, and the rest.

        The first is empty where the template does not put the earlier messages first as they are.
        """
        ids = tuple(self.encode_prompt(messages))
        try:
            text = self.tokenizer.apply_chat_template(list(messages[:-1]), tokenize=False) if messages[1:] else ""
            str(text).encode()
        except Exception:  # as in `_template`
            text = ""
        shared = tuple(self.encode(str(text)))
        if len(shared) < len(ids) and ids[: len(shared)] == shared:
            return shared, ids[len(shared) :]
        return (), ids

    def encode_turn(self, messages: Sequence[Message], content: str, role: str = "system") -> list[int]:
        """Token ids that follow the assistant's answer to `messages`: end of its turn, a new message, and the start of
        the next assistant turn, past where a model that thinks by itself would do so.

        They are appended to stored ids, so that what was sampled is never decoded and encoded again. A template that
        takes no system message in mid-conversation gets a user message.
        """
        check_messages(messages)
        check_messages([{"role": role, "content": content}])
        before = [*messages, {"role": "assistant", "content": _ANSWER}]
        try:
            text = self._template([*before, {"role": role, "content": content}])
        except ModelError:
            text = ""
        if content.strip() not in text.partition(_ANSWER)[2]:  # some templates put every system message first
            text = self._render([*before, {"role": "user", "content": content}])
        if _ANSWER not in text:
            raise ModelError(f"the chat template of {self.name} leaves out the assistant's answer: give chat_template=")
        return self.encode(text.split(_ANSWER, 1)[1] + self.thinking.none)

    def _render(self, messages: list[Message]) -> str:
        try:
            return self._template(messages)
        except ModelError as error:
            if messages and messages[0]["role"] == "system" and len(messages) > 1:
                first = {**messages[1], "content": f"{messages[0]['content']}\n\n{messages[1]['content']}"}
                return self._render([first, *messages[2:]])
            why = one_line(error)
            raise ModelError(f"the chat template of {self.name} refuses the conversation ({why})") from error

    def _template(self, messages: list[Message], **more: Any) -> str:
        try:
            text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **more)
            str(text).encode()  # a tokenizer takes no half of a surrogate pair
            return str(text)
        except Exception as error:  # a template is a program: a wrong one can raise anything
            raise ModelError(one_line(error)) from error

    @torch.inference_mode()
    def logits(self, ids: Sequence[int]) -> np.ndarray:
        """Next-token logits at every position of one sequence, [tokens, vocab], float32."""
        out = self.hf(input_ids=torch.tensor([list(ids)], device=self.device), use_cache=False)
        return out.logits[0].float().cpu().numpy()

    def __repr__(self) -> str:
        adapter = f", adapter={self.adapter!r}" if self.adapter else ""
        shape = f"layers={self.n_layers}, d_model={self.d_model}"
        return f"Model({self.name!r}{adapter}, {shape}, {self.dtype}, {self.device})"


def check_messages(messages: Any) -> None:
    """Raise ModelError for what is no conversation: a list of messages, each with role and content, both text."""
    if not isinstance(messages, list | tuple) or not messages:
        raise ModelError(f"expected a list of messages with role and content, found {shown(messages)}")
    for i, message in enumerate(messages):
        texts = [message.get(key) for key in ("role", "content")] if isinstance(message, dict) else [None]
        if not all(isinstance(text, str) for text in texts):
            raise ModelError(f"messages[{i}] needs role and content, both text, found {shown(message)}")
        try:
            "".join(map(str, texts)).encode()
        except UnicodeEncodeError:
            raise ModelError(f"messages[{i}] holds half a surrogate pair, which is no text") from None
