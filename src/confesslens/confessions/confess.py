"""Asking for confessions of frozen rollouts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from confesslens.confessions.chatted import chat_confessions
from confesslens.confessions.forms import FORMS, claim_confidence, verdict_logit
from confesslens.confessions.requests import THREE_PART_REQUEST, Request, find_requests
from confesslens.confessions.row import COLUMNS, confession_row
from confesslens.models.endpoint import Endpoint
from confesslens.rollouts.plan import stream_seed
from confesslens.rollouts.sampler import Completion, Edit, Forced, Free, Job, Part, sample

if TYPE_CHECKING:
    from confesslens.models import Model

FREE_TOKENS = FORMS["three_part"].free_tokens
REPLY_TOKENS = 32  # of the answers on the way to an interrogation's report
_OPEN = 2**31  # a span that goes on for as long as tokens are sampled


def confess(
    model: Model | Endpoint,
    rollouts: pd.DataFrame,
    samples: int = 4,
    *,
    request: str | Request | Sequence[str | Request] = "three_part",
    guided: bool = True,
    seed: int = 0,
    temperature: float = 0.7,
    batch_size: int = 32,
    edits: Sequence[Edit | None] | None = None,
    on_done: Callable[[], Any] | None = None,
) -> pd.DataFrame:
    """Ask for confessions of each rollout, after its answer, by a constant request; one row a confession.

    Two ways to ask. *Guided* (one per rollout and request): the frame of the form is forced and only what fills it is
    the model's, by its likeliest tokens; `logit` is the confession logit log p(✗) − log p(✓) at the verdict: a graded
    claim with no sampling noise. *Free* (`samples` per rollout and request): sampled, then parsed; what cannot be
    parsed is a claim of its own, `unparsed`.

    `confidence`, 0..1, is how sure a confession is of its own claim: for a guided one the verdict's probability of
    that claim, for a free one the number of a line "Confidence: ...", where it has one. `grade`, 1..7, is a report's.

    Args:
        model: the confessor; usually, not necessarily, the model that made the rollouts (same tokenizer). One behind an
            endpoint is asked freely only: a frame cannot be forced there, and no probability is known.
        rollouts: a rollouts table; its stored token ids are fed back as they are.
        samples: free confessions per rollout and request.
        request: names of `REQUESTS`, requests of one's own, or a wording of the three-part form; put as a system
            message where the chat template allows, else as the user's. Each is asked for by itself.
        guided: whether to ask the guided way too.
        seed: of the free confessions' random streams.
        temperature: of the free confessions.
        batch_size: confessions sampled side by side; changes speed and memory only.
        edits: for each rollout what is done to the residual stream meanwhile (see `interventions`).
        on_done: called after each confession.

    Raises:
        ValueError: edits that do not fit, or an endpoint that is to be edited or asked for no free confession.
    """
    if isinstance(model, Endpoint):
        if edits is not None or samples < 1:
            raise ValueError("a model behind an endpoint can only be asked freely: give samples=, and no edits")
        own = (find_requests(request), samples, seed, temperature, on_done)
        return pd.DataFrame(chat_confessions(model, rollouts.to_dict("records"), *own), columns=list(COLUMNS))
    if edits is not None and len(edits) != len(rollouts):
        raise ValueError(f"{len(edits)} edits for {len(rollouts)} rollouts: expected one each, None for none")
    changes = edits if edits is not None else [None] * len(rollouts)
    asked = [
        (row, edit, one, mode, index)
        for row, edit in zip(rollouts.to_dict("records"), changes, strict=True)
        for one in find_requests(request)
        for mode, count in (("guided", int(guided)), ("free", samples))
        for index in range(count)
    ]
    jobs = [
        replace(_job(model, row, mode, index, one, seed, temperature), edit=edit)
        for row, edit, one, mode, index in asked
    ]
    done = sample(model, jobs, batch_size, on_done=(lambda *_: on_done()) if on_done else None)
    rows = [
        _row(model, row, mode, index, one, job, result)
        for (row, _, one, mode, index), job, result in zip(asked, jobs, done, strict=True)
    ]
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
    prefix = _prefix(model, rollout, request)
    return Job(prefix, (Free("confession", max_tokens),), seed, temperature, spans=_spans(rollout, prefix))


def _job(
    model: Model, rollout: dict[str, Any], mode: str, index: int, request: Request, seed: int, temperature: float
) -> Job:
    form = FORMS[request.form]
    prefix = _prefix(model, rollout, (*request.before, request.text)[0])
    parts = _questions(model, rollout, request)
    spans = _spans(rollout, prefix)
    if mode == "guided":
        return Job(prefix, (*parts, *form.frame(model)), temperature=0, spans=spans)
    names = ("confession", rollout["rollout_id"]) if request.name == "three_part" else _names(rollout, request)
    own = stream_seed(seed, *names, index)
    return Job(prefix, (*parts, Free("confession", form.free_tokens)), own, temperature, spans=spans)


def _names(rollout: dict[str, Any], request: Request) -> tuple[str, str, str]:
    return "confession", rollout["rollout_id"], request.name


def _questions(model: Model, rollout: dict[str, Any], request: Request) -> tuple[Part, ...]:
    """The replies to all questions but the last, each followed by the next question."""
    said = [*json.loads(rollout["messages"]), {"role": "assistant", "content": str(rollout["answer"]) or "…"}]
    parts: list[Part] = []
    turns = (*request.before, request.text)
    for number, (asked, following) in enumerate(zip(turns, turns[1:], strict=False), 1):
        said.append({"role": "user", "content": asked})
        parts += [Free(f"reply.{number}", REPLY_TOKENS), Forced(tuple(model.encode_turn(said, following, role="user")))]
        said.append({"role": "assistant", "content": "…"})
    return tuple(parts)


def _prefix(model: Model, rollout: dict[str, Any], request: str) -> tuple[tuple[int, ...], ...]:
    """The stored rollout and the request, in chunks that other rollouts and other confessions share."""
    ids = tuple(int(token) for token in rollout["token_ids"])
    messages, end = json.loads(rollout["messages"]), json.loads(rollout["spans"])["prompt"][1]
    examples = len(model.encode_chunks(messages)[0])
    cuts = (0, examples, end, len(ids)) if 0 < examples < end else (0, end, len(ids))
    shared = tuple(ids[a:b] for a, b in zip(cuts, cuts[1:], strict=False) if a < b)
    return (*shared, request_ids(model, rollout, request))


def _spans(rollout: dict[str, Any], prefix: tuple[tuple[int, ...], ...]) -> tuple[tuple[str, int, int], ...]:
    answered, start = len(rollout["token_ids"]), sum(map(len, prefix))
    known = [(name, int(a), int(b)) for name, (a, b) in json.loads(rollout["spans"]).items()]
    return (*known, ("request", answered, start), ("confession", start, _OPEN))


def _row(
    model: Model, rollout: dict[str, Any], mode: str, index: int, request: Request, job: Job, done: Completion
) -> dict[str, Any]:
    answered, first = len(rollout["token_ids"]), sum(map(len, job.prefix))
    spans, start = {"request": (answered, first)}, first
    for number in range(1, len(request.before) + 1):
        reply, turn = f"reply.{number}", job.parts[2 * number - 1]
        assert isinstance(turn, Forced)
        start = done.spans[reply][1] + len(turn.ids)
        spans |= {reply: done.spans[reply], f"request.{number + 1}": (done.spans[reply][1], start)}
    spans["confession"] = (start, len(done.ids))
    form = FORMS[request.form]
    text = model.decode(done.ids[start:]).strip()
    logit = math.nan
    if mode == "guided":
        at = done.choices["verdict"].position
        spans["verdict"] = (at, at + 1)
        logit = verdict_logit(done, form)
        parsed = form.read(done, text)
        parsed = replace(parsed, confidence=claim_confidence(parsed.claim, logit))
    else:
        parsed = form.parse(text)
    said = (rollout["rollout_id"], mode, index, request, text, parsed)
    return confession_row(*said, logit=logit, token_ids=done.ids, spans=spans)
