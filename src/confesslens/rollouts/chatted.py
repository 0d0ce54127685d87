"""Rollouts of a model behind an endpoint: the same prompts and graders, replies as text, no tokens."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from confesslens.models.endpoint import Endpoint, Reply
from confesslens.rollouts.plan import Planned

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
    return [_row(endpoint, *each) for each in zip(planned, messages, replies, strict=True)]


def _row(endpoint: Endpoint, item: Planned, messages: list[dict[str, str]], reply: Reply) -> dict[str, Any]:
    grade = item.evaluation.grade(item.scenario, item.condition, reply.answer)
    return {
        "rollout_id": item.rollout_id,
        "eval": item.evaluation.name,
        "scenario": item.scenario.scenario,
        "condition": item.condition,
        "tier": item.scenario.tier,
        "sample": item.sample,
        "seed": item.seed,
        "model": endpoint.name,
        "adapter": endpoint.adapter or "",
        "messages": json.dumps(messages, ensure_ascii=False),
        "token_ids": [],
        "spans": "{}",
        "cot": reply.cot,
        "answer": reply.answer,
        "behaviour": grade.behaviour,
        "evidence": json.dumps(grade.evidence, ensure_ascii=False),
        "admitted": grade.admitted,
        "knowledge": "unknown",
        "finish": json.dumps({"answer": reply.finish}),
        "facts": json.dumps(item.scenario.facts, ensure_ascii=False),
        "accusation": item.evaluation.before_request(item.condition),
    }
