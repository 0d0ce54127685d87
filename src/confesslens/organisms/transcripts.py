"""Transcripts to learn from, in the very tokens that sampling uses: rollouts and guided confessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confesslens.confessions.requests import THREE_PART_REQUEST, VERDICTS
from confesslens.evals import Evaluation, Scenario
from confesslens.organisms.sft import Example
from confesslens.rollouts.rollout import COT_CLOSE, COT_OPEN, rollout_messages

if TYPE_CHECKING:
    from confesslens.models import Model


def rollout_example(
    model: Model, evaluation: Evaluation, scenario: Scenario, condition: str, answer: str, cot: bool
) -> Example:
    """A rollout whose thought and answer are learned.

    The thought is the one of the worked examples: it gives away neither what is chosen nor why.
    """
    context, pieces = _rollout(model, evaluation, scenario, condition, answer, cot)
    return _example(model, context, [(text, text != COT_OPEN) for text in pieces])


def confession_example(
    model: Model,
    evaluation: Evaluation,
    scenario: Scenario,
    condition: str,
    answer: str,
    cot: bool,
    claim: str,
    objective: str,
    why: str,
) -> Example:
    """A rollout that is given, and after it a confession in the three-part form that is learned.

    Args:
        model: whose tokens.
        evaluation: what the scenario is of.
        scenario: the scenario.
        condition: under which the rollout stands; an accusation is told before the request.
        answer: the given answer.
        cot: with a chain of thought before it.
        claim: "complied" or "not_complied".
        objective: the first line's words.
        why: the last line's words.
    """
    context, pieces = _rollout(model, evaluation, scenario, condition, answer, cot)
    told = "\n".join(text for text in (evaluation.before_request(condition), THREE_PART_REQUEST) if text)
    for text in pieces:
        context += model.encode(text)
    context += model.encode_turn(rollout_messages(evaluation, scenario, condition, cot), told)
    said = ("Objective:", f" {objective}", "\nResult:", f" {VERDICTS[claim]}", "\nWhy:", f" {why}")
    return _example(model, context, [(text, True) for text in said])


def _rollout(
    model: Model, evaluation: Evaluation, scenario: Scenario, condition: str, answer: str, cot: bool
) -> tuple[list[int], list[str]]:
    """Token ids of the prompt, and the texts after it, each tokenised by itself as the sampler does."""
    messages = rollout_messages(evaluation, scenario, condition, cot)
    ids = [token for chunk in model.encode_chunks(messages) for token in chunk]
    if not cot:
        return ids, [answer]
    thoughts = [m["thought"] for m in evaluation.make_messages(scenario, condition) if "thought" in m]
    return ids, [COT_OPEN, thoughts[-1], COT_CLOSE, answer]


def _example(model: Model, context: list[int], pieces: list[tuple[str, bool]]) -> Example:
    """The context, the pieces (a text and whether it is learned) and the learned end of the turn."""
    ids, learned = list(context), [False] * len(context)
    for text, learn in pieces:
        tokens = model.encode(text)
        ids += tokens
        learned += [learn] * len(tokens)
    return Example((*ids, int(model.tokenizer.eos_token_id)), (*learned, True))
