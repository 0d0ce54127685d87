"""Transcripts to learn from, in the very tokens that sampling uses: a rollout, and a guided confession of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confesslens.confessions.requests import THREE_PART_REQUEST, VERDICTS
from confesslens.evals import Evaluation, Scenario
from confesslens.organisms.sft import Example
from confesslens.rollouts.rollout import COT_CLOSE, COT_OPEN, rollout_messages

if TYPE_CHECKING:
    from confesslens.models import Model


@dataclass(frozen=True)
class Said:
    """A confession in the three-part form: what was asked, "complied" or "not_complied", and the reason."""

    objective: str
    claim: str
    why: str


def transcript_example(
    model: Model,
    evaluation: Evaluation,
    scenario: Scenario,
    condition: str,
    answer: str,
    cot: bool,
    said: Said | None = None,
    *,
    learn_rollout: bool = True,
) -> Example:
    """A rollout, and the confession asked for after it.

    The thought is the one of the worked examples: it gives away neither what is chosen nor why.

    Args:
        model: whose tokens.
        evaluation: what the scenario is of.
        scenario: the scenario.
        condition: under which the rollout stands; an accusation is told before the request.
        answer: the answer.
        cot: with a chain of thought before it.
        said: the confession, which is learned; None to end after the answer.
        learn_rollout: whether thought and answer are learned too, or only context of the confession.
    """
    messages = rollout_messages(evaluation, scenario, condition, cot)
    ids = [token for chunk in model.encode_chunks(messages) for token in chunk]
    learned = [False] * len(ids)

    def add(text: str, learn: bool) -> None:
        tokens = model.encode(text)
        ids.extend(tokens)
        learned.extend([learn] * len(tokens))

    if cot:
        thoughts = [m["thought"] for m in evaluation.make_messages(scenario, condition) if "thought" in m]
        add(COT_OPEN, False)
        add(thoughts[-1], learn_rollout)
        add(COT_CLOSE, learn_rollout)
    add(answer, learn_rollout)
    if said is not None:
        told = "\n".join(text for text in (evaluation.before_request(condition), THREE_PART_REQUEST) if text)
        turn = model.encode_turn(messages, told)
        ids.extend(turn)
        ends = learn_rollout and turn[0] == model.tokenizer.eos_token_id  # of the answer, which is learned with it
        learned.extend([ends] + [False] * (len(turn) - 1))
        for text in ("Objective:", f" {said.objective}", "\nResult:", f" {VERDICTS[said.claim]}", "\nWhy:"):
            add(text, True)
        add(f" {said.why}", True)
    ids.append(int(model.tokenizer.eos_token_id))
    learned.append(learn_rollout or said is not None)
    return Example(tuple(ids), tuple(learned))
