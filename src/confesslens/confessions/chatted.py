"""Confessions of a model behind an endpoint: asked for freely, read as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from confesslens.confessions.forms import FORMS
from confesslens.confessions.requests import Request
from confesslens.confessions.row import confession_row
from confesslens.models.endpoint import Endpoint, Reply
from confesslens.rollouts.chatted import ask_all
from confesslens.rollouts.plan import stream_seed

TOKENS = 512
"""The most tokens of a reply: these models may think first, and write more than a small one."""


def chat_confessions(
    endpoint: Endpoint,
    rollouts: Sequence[dict[str, Any]],
    requests: Sequence[Request],
    samples: int,
    seed: int,
    temperature: float,
    on_done: Callable[[], Any] | None = None,
) -> list[dict[str, Any]]:
    """Rows of a confessions table, `samples` free ones a rollout and request, without tokens and logit.

    The request is put as the user's turn: endpoints differ in what they do with a system message in mid-conversation.
    """
    asked = [(row, one, index) for row in rollouts for one in requests for index in range(samples)]

    def ask(item: tuple[dict[str, Any], Request, int]) -> Reply:
        row, request, index = item
        own = stream_seed(seed, "confession", row["rollout_id"], request.name, index)
        messages = [*json.loads(row["messages"]), {"role": "assistant", "content": str(row["answer"]) or "…"}]
        told = row.get("accusation", "")
        for text in (*request.before, request.text):
            messages.append({"role": "user", "content": f"{told}\n{text}" if told else text})
            told = ""
            reply = endpoint.chat(messages, TOKENS, temperature, own)
            messages.append({"role": "assistant", "content": reply.answer or "…"})
        return reply

    replies = ask_all(ask, asked, on_done)
    return [
        confession_row(row["rollout_id"], "free", index, request, reply.answer, FORMS[request.form].parse(reply.answer))
        for (row, request, index), reply in zip(asked, replies, strict=True)
    ]
