"""A model behind an OpenAI-compatible endpoint: it can be talked to, and nothing else of it can be seen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from confesslens.models.errors import ModelError
from confesslens.models.thinking import split_thoughts

Message = dict[str, str]
NO_INTERNALS = "the model is behind an endpoint: its activations cannot be read, so there is no probe"


@dataclass(frozen=True)
class Reply:
    """What came back: the chain of thought, where the endpoint or the text tells it apart, the answer, and the end."""

    cot: str
    answer: str
    finish: str


@dataclass(frozen=True)
class Endpoint:
    """A model by its name at an endpoint's base address, such as `http://localhost:8000/v1`.

    The key is read from the environment's OPENAI_API_KEY when it is needed and kept nowhere; a local server mostly
    needs none.
    """

    name: str
    url: str
    adapter: str | None = None

    @cached_property
    def _client(self) -> Any:
        from openai import OpenAI

        return OpenAI(base_url=self.url, api_key=os.environ.get("OPENAI_API_KEY") or "none")

    def chat(self, messages: Sequence[Message], max_tokens: int, temperature: float, seed: int) -> Reply:
        """The reply to a conversation; the client tries again by itself when the endpoint is busy.

        Raises ModelError when it does not answer.
        """
        from openai import OpenAIError

        try:
            done = self._client.chat.completions.create(
                model=self.name,
                messages=list(messages),
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed % 2**31,
            )
        except OpenAIError as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(
                f"{self.name} at {self.url} does not answer ({type(error).__name__}: {said}): is it running, is"
                " that its address, with /v1, and is OPENAI_API_KEY set if it needs a key?"
            ) from error
        choice = done.choices[0]
        cot, answer = split_thoughts(choice.message.content or "")
        own = (choice.message.model_extra or {}).get("reasoning_content") or ""
        return Reply("\n".join(part for part in (str(own).strip(), cot) if part), answer, choice.finish_reason or "")
