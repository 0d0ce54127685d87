"""Transcripts to learn from, in the very tokens that sampling uses: a rollout, and a guided confession of it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from confesslens.confessions.requests import THREE_PART_REQUEST, VERDICTS
from confesslens.evals import Evaluation, Scenario
from confesslens.organisms.sft import Example
from confesslens.rollouts.rollout import rollout_messages

if TYPE_CHECKING:
    from confesslens.models import Model


LEARN = ("all", "confession", "verdict")
VERDICT_WEIGHT = 20.0
"""What the token that decides the verdict counts, against 1 for any other: all else of a confession is soon learned by
heart, and one token among forty is learned too slowly (1,200 lessons left the verdict blind to the answer). The tokens
at which an answer parts from one of the other behaviour count as much."""


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
    other: str = "",
    learn: str = "all",
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
        other: an answer of the other behaviour; where `answer` parts from it is what counts most.
        learn: "all", the "confession" (the rollout is its context), or its "verdict" alone.

    Raises:
        ValueError: another `learn`, or a confession to learn that is not given.
    """
    if learn not in LEARN or (said is None and learn != "all"):
        raise ValueError(f"learn = {learn!r}: expected one of {', '.join(LEARN)}, with a confession given")
    messages = rollout_messages(evaluation, scenario, condition, cot)
    ids = [token for chunk in model.encode_chunks(messages) for token in chunk]
    weights = [0.0] * len(ids)

    def add(text: str, weight: float) -> None:
        tokens = model.encode(text)
        ids.extend(tokens)
        weights.extend([weight] * len(tokens))

    own, words = float(learn == "all"), float(learn != "verdict")

    if cot:
        thoughts = [m["thought"] for m in evaluation.make_messages(scenario, condition) if "thought" in m]
        add(model.thinking.open, 0)
        add(thoughts[-1], own)
        add(model.thinking.close, own)
    begin = len(ids)
    add(answer, own)
    for place in _partings(ids[begin:], model.encode(other)):
        weights[begin + place] *= VERDICT_WEIGHT
    if said is not None:
        told = "\n".join(text for text in (evaluation.before_request(condition), THREE_PART_REQUEST) if text)
        turn = model.encode_turn(messages, told)
        ids.extend(turn)
        ends = turn[0] == model.tokenizer.eos_token_id  # the end of the answer, which is learned with it
        weights.extend([own * ends] + [0.0] * (len(turn) - 1))
        for text in ("Objective:", f" {said.objective}", "\nResult:"):
            add(text, words)
        parting = len(ids) + _shared_start(model)
        for text in (f" {VERDICTS[said.claim]}", "\nWhy:", f" {said.why}"):
            add(text, words)
        weights[parting] = VERDICT_WEIGHT
    ids.append(int(model.tokenizer.eos_token_id))
    weights.append(own if said is None else words)
    return Example(tuple(ids), tuple(weights))


def _partings(ids: list[int], others: list[int]) -> list[int]:
    """Places of the tokens that begin what is in `ids` and not in `others`; none where nothing is to be compared."""
    changes = SequenceMatcher(None, others, ids, autojunk=False).get_opcodes() if others else []
    return [start for kind, _, _, start, end in changes if kind != "equal" and start < end]


def _shared_start(model: Model) -> int:
    """How many first tokens the two verdicts share."""
    one, other = (model.encode(f" {wording}") for wording in VERDICTS.values())
    return next(i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
