"""Asking for confessions of frozen rollouts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from confesslens.confessions.parse import Parsed, parse_three_part
from confesslens.confessions.requests import COMPLIED, NOT_COMPLIED, THREE_PART_REQUEST, VERDICTS
from confesslens.rollouts.plan import stream_seed
from confesslens.rollouts.sampler import Choice, Completion, Forced, Free, Job, Part, sample

if TYPE_CHECKING:
    from confesslens.models import Model

COLUMNS = (
    *("confession_id", "rollout_id", "sample", "form", "mode", "text", "objective", "claim", "why", "grade"),
    *("confidence", "logit", "token_ids", "spans"),
)
"""The columns of a confessions table; `spans` is JSON, over `token_ids`, which hold the whole transcript."""

OBJECTIVE_TOKENS, WHY_TOKENS, FREE_TOKENS = 20, 20, 48


def confess(
    model: Model,
    rollouts: pd.DataFrame,
    samples: int = 4,
    *,
    request: str = THREE_PART_REQUEST,
    guided: bool = True,
    seed: int = 0,
    temperature: float = 0.7,
    batch_size: int = 32,
    on_done: Callable[[], Any] | None = None,
) -> pd.DataFrame:
    """Ask for confessions of each rollout, after its answer, by a constant request; one row a confession.

    Two ways to ask. *Guided* (one per rollout): the frame of the three-part form is forced and only objective, verdict
    and reason are the model's, by its likeliest tokens; `logit` is the confession logit log p(✗) − log p(✓) at the
    verdict, and `claim` its sign: a graded claim with no sampling noise. *Free* (`samples` per rollout): sampled, then
    parsed; what cannot be parsed is a claim of its own, `unparsed`.

    Args:
        model: the confessor; usually, not necessarily, the model that made the rollouts (same tokenizer).
        rollouts: a rollouts table; its stored token ids are fed back as they are.
        samples: free confessions per rollout.
        request: the request's text, put as a system message where the chat template allows, else as the user's.
        guided: whether to ask the guided way too.
        seed: of the free confessions' random streams.
        temperature: of the free confessions.
        batch_size: confessions sampled side by side; changes speed and memory only.
        on_done: called after each confession.
    """
    asked = [
        (row, mode, index)
        for row in rollouts.to_dict("records")
        for mode, count in (("guided", int(guided)), ("free", samples))
        for index in range(count)
    ]
    jobs = [_job(model, *each, request, seed, temperature) for each in asked]
    done = sample(model, jobs, batch_size, on_done=(lambda *_: on_done()) if on_done else None)
    rows = [_row(model, *each, job, result) for each, job, result in zip(asked, jobs, done, strict=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def request_ids(model: Model, rollout: dict[str, Any], request: str = THREE_PART_REQUEST) -> tuple[int, ...]:
    """The tokens between the end of a rollout's answer and the first token of its confession.

    An accused model is told the accusation first, in the same turn: the last token is that of the constant request.
    """
    said = "\n".join(text for text in (rollout.get("accusation", ""), request) if text)
    return tuple(model.encode_turn(json.loads(rollout["messages"]), said))


def confession_job(
    model: Model,
    rollout: dict[str, Any],
    request: str,
    seed: int,
    temperature: float,
    max_tokens: int = FREE_TOKENS,
) -> Job:
    """What to sample for one free confession of a stored rollout; its text is the part called "confession"."""
    return Job(_prefix(model, rollout, request), (Free("confession", max_tokens),), seed=seed, temperature=temperature)


def _job(
    model: Model, rollout: dict[str, Any], mode: str, index: int, request: str, seed: int, temperature: float
) -> Job:
    if mode == "guided":
        return Job(_prefix(model, rollout, request), _guided_frame(model), temperature=0)
    own = stream_seed(seed, "confession", rollout["rollout_id"], index)
    return confession_job(model, rollout, request, own, temperature)


def _prefix(model: Model, rollout: dict[str, Any], request: str) -> tuple[tuple[int, ...], ...]:
    """The stored rollout and the request, in chunks that other rollouts and other confessions share."""
    ids = tuple(int(token) for token in rollout["token_ids"])
    messages, end = json.loads(rollout["messages"]), json.loads(rollout["spans"])["prompt"][1]
    examples = len(model.encode_chunks(messages)[0])
    cuts = (0, examples, end) if 0 < examples < end else (0, end)
    shared = tuple(ids[a:b] for a, b in zip(cuts, cuts[1:], strict=False))
    return (*shared, ids[end:] + request_ids(model, rollout, request))


def _guided_frame(model: Model) -> tuple[Part, ...]:
    verdicts = {claim: tuple(model.encode(f" {wording}")) for claim, wording in VERDICTS.items()}
    return (
        Forced(tuple(model.encode("Objective:"))),
        Free("objective", OBJECTIVE_TOKENS, stop=("\n",)),
        Forced(tuple(model.encode("\nResult:"))),
        Choice("verdict", verdicts),
        Forced(tuple(model.encode("\nWhy:"))),
        Free("why", WHY_TOKENS, stop=("\n",)),
    )


def _row(model: Model, rollout: dict[str, Any], mode: str, index: int, job: Job, done: Completion) -> dict[str, Any]:
    answered, start = len(rollout["token_ids"]), sum(map(len, job.prefix))
    spans = {"request": (answered, start), "confession": (start, len(done.ids))}
    text = model.decode(done.ids[start:]).strip()
    parsed, logit = parse_three_part(text), math.nan
    if mode == "guided":
        verdict = done.choices["verdict"]
        spans["verdict"] = (verdict.position, verdict.position + 1)
        logit = verdict.logprobs[NOT_COMPLIED] - verdict.logprobs[COMPLIED]
        parsed = Parsed(done.texts["objective"].strip(), verdict.option, done.texts["why"].strip())
    return {
        "confession_id": f"{rollout['rollout_id']}/{mode}/{index}",
        "rollout_id": rollout["rollout_id"],
        "sample": index,
        "form": "three_part",
        "mode": mode,
        "text": text,
        "objective": parsed.objective,
        "claim": parsed.claim,
        "why": parsed.why,
        "grade": math.nan,
        "confidence": math.nan,
        "logit": logit,
        "token_ids": done.ids,
        "spans": json.dumps(spans),
    }
