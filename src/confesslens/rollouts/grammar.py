"""Schema-constrained decoding by llguidance: which tokens may come next.

llguidance (MIT, no dependencies, the engine of several servers) works on token ids alone and keeps one state a
transcript, so that a job's mask, like its random stream, depends on the job's own tokens and on nothing else in its
batch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from confesslens.models import Model

_TOKENIZERS: WeakKeyDictionary[Model, Any] = WeakKeyDictionary()  # about a second to make


def json_grammar(schema: Mapping[str, Any]) -> str:
    """Grammar of compact JSON that keeps to a JSON schema. Raises ValueError for a schema that is not understood."""
    from llguidance import LLMatcher

    own = {**schema, "x-guidance": {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}}
    grammar = str(LLMatcher.grammar_from_json_schema(json.dumps(own)))
    if problem := LLMatcher.validate_grammar(grammar):
        raise ValueError(f"the schema cannot be decoded by: {problem}")
    return grammar


class Matcher:
    """Where one transcript stands in a grammar.

    Raises ValueError when the model's tokenizer is not a fast one, or the grammar is bad.
    """

    def __init__(self, model: Model, grammar: str, vocab: int) -> None:
        from llguidance import LLMatcher

        self._inner = LLMatcher(_tokenizer(model, vocab), grammar)
        self._mask = np.zeros((1, -(-vocab // 32)), np.int32)
        self._vocab = vocab
        self._check()

    def allowed(self) -> np.ndarray:
        """The tokens that may come next, [vocab] booleans."""
        from llguidance.numpy import fill_next_token_bitmask

        fill_next_token_bitmask(self._inner, self._mask)
        self._check()
        return np.unpackbits(self._mask.view(np.uint8), bitorder="little")[: self._vocab].astype(bool)

    def take(self, token: int) -> bool:
        """Go on by a token; whether the grammar is complete and lets nothing follow."""
        self._inner.consume_token(token)
        self._check()
        return bool(self._inner.is_stopped())

    def _check(self) -> None:
        if self._inner.is_error():
            raise ValueError(f"the grammar cannot be followed: {self._inner.get_error()}")


def _tokenizer(model: Model, vocab: int) -> Any:
    from llguidance.hf import from_tokenizer

    if model not in _TOKENIZERS:
        tokenizer: Any = model.tokenizer
        if not getattr(tokenizer, "is_fast", False):
            raise ValueError(f"{model.name} has no fast tokenizer: schema-constrained forms need one")
        _TOKENIZERS[model] = from_tokenizer(tokenizer, n_vocab=vocab, eos_token=sorted(model.stop_ids) or None)
    return _TOKENIZERS[model]
