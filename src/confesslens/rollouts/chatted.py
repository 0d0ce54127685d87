"""Rollouts of a model behind an endpoint: the same prompts and graders, replies as text, no tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from confesslens.models.endpoint import Endpoint, Reply
from confesslens.rollouts.plan import Planned
from confesslens.rollouts.row import rollout_row

TOGETHER = 8  # requests under way at once
_MARKS = 16  # tokens that the marks of a thought may take

Asked = TypeVar("Asked")


def ask_all(
    ask: Callable[[Asked], Reply], asked: Sequence[Asked], on_done: Callable[[], Any] | None = None
) -> list[Reply]:
    """Ask several at once; the replies in order. The first failure ends it."""

    def one(item: Asked) -> Reply:
        reply = ask(item)
        if on_done is not None:
            on_done()
        return reply

    with ThreadPoolExecutor(TOGETHER) as pool:
        futures = [pool.submit(one, item) for item in asked]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def chat_rollouts(
    endpoint: Endpoint,
    planned: Sequence[Planned],
    messages: Sequence[list[dict[str, str]]],
    cot_tokens: dict[str, int] | None,
    temperature: float,
    on_done: Callable[[], Any] | None = None,
) -> list[dict[str, Any]]:
    """Rows of a rollouts table, without `token_ids` and `spans`: what was said, not how it was tokenised.

    Args:
        endpoint: who answers.
        planned: what is to be sampled.
        messages: of each.
        cot_tokens: the most tokens of a chain of thought by tier; None without one.
        temperature: of sampling.
        on_done: called after each.
    """

    def ask(item: tuple[Planned, list[dict[str, str]]]) -> Reply:
        plan, said = item
        tier = plan.scenario.tier
        tokens = plan.evaluation.answer_tokens[tier] + (cot_tokens[tier] + _MARKS if cot_tokens else 0)
        return endpoint.chat(said, tokens, temperature, plan.seed)

    replies = ask_all(ask, list(zip(planned, messages, strict=True)), on_done)
    return [
        rollout_row(endpoint, item, said, cot=reply.cot, answer=reply.answer, finish={"answer": reply.finish})
        for item, said, reply in zip(planned, messages, replies, strict=True)
    ]
