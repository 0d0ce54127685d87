"""Sampling at a server that has the same weights (vLLM): token ids go there and come back, and are read here.

The prompt is sent as token ids, so nothing is encoded twice. What comes back is taken only as token ids, and is
believed to be this model's only when the log-probabilities that the server gives are those of our own pass.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import log_softmax

from confesslens.models.errors import ModelError
from confesslens.rollouts.script import Completion, Forced, Free, Job
from confesslens.rollouts.walk import take_token

if TYPE_CHECKING:
    from confesslens.models import Model

CHECKED = 4
"""Transcripts of each call whose log-probabilities are compared with our own."""
TOLERANCE = 0.25
"""Mean absolute difference of the log-probability of a sampled token, in nats, that is still the same model: number
formats and kernels differ by some hundredths, other weights by more than one (docs/models.md has what was measured)."""

_PLAIN = {"top_k": -1, "min_p": 0, "repetition_penalty": 1}  # a server may have the model's own habits as its default
Sampled = tuple[list[int], list[float], str]


def can_be_served(job: Job) -> bool:
    """Whether a server can work on it: no edit, no choice, no grammar."""
    return job.edit is None and all(isinstance(part, Forced | Free) for part in job.parts)


def sample_served(model: Model, url: str, jobs: Sequence[Job], at_once: int = 32) -> Iterator[tuple[int, Completion]]:
    """Run the jobs at the server, at most `at_once` at a time; yields (place of the job, completion) as they end.

    Raises ModelError where the server does not answer, gives no token ids or no log-probabilities, read another prompt
    than was sent, or does not have this model.
    """
    from openai import OpenAI

    client = OpenAI(base_url=url, api_key=os.environ.get("OPENAI_API_KEY") or "none")
    name = _asked(url, lambda: _name_there(client, model.name))
    left = CHECKED
    with ThreadPoolExecutor(max(1, at_once)) as pool:
        todo = {pool.submit(_walk, model, client, url, name, job): i for i, job in enumerate(jobs)}
        try:
            for ended in as_completed(todo):
                completion, told = ended.result()
                if left and told:
                    _check_weights(model, url, completion.ids, told)
                    left -= 1
                yield todo[ended], completion
        finally:
            pool.shutdown(cancel_futures=True)


def _name_there(client: Any, name: str) -> str:
    """What the server calls the model: by our name, or the only one that it has."""
    has = [one.id for one in client.models.list()]
    if name not in has and len(has) != 1:
        raise ModelError(f"the server has {', '.join(has) or 'no model'} and not {name}: serve it under that name")
    return name if name in has else str(has[0])


def _walk(model: Model, client: Any, url: str, name: str, job: Job) -> tuple[Completion, dict[int, float]]:
    """A job's completion, and the log-probabilities that the server told, by place in the transcript."""
    ids = [token for chunk in job.prefix for token in chunk]
    done, told = Completion(ids=ids), dict[int, float]()
    for number, part in enumerate(job.parts):
        if isinstance(part, Forced):
            ids.extend(part.ids)
            continue
        assert isinstance(part, Free)
        start = len(ids)
        tokens, logprobs, why = _sample_part(model, client, url, name, ids, part, job, number)
        for token in tokens:
            if not take_token(model, ids, start, part, token):
                why = "stop"
                break
        told.update(zip(range(start, len(ids)), logprobs, strict=False))
        done.spans[part.name] = (start, len(ids))
        done.texts[part.name] = model.decode(ids[start:])
        done.finish[part.name] = why
    return done, told


def _sample_part(
    model: Model, client: Any, url: str, name: str, ids: list[int], part: Free, job: Job, number: int
) -> Sampled:
    """Sampled tokens, the log-probability of each, and why they ended: "stop" or "length"."""
    replied = _asked(
        url,
        lambda: client.completions.create(
            model=name,
            prompt=ids,
            max_tokens=part.max_tokens,
            temperature=job.temperature,
            top_p=1,
            seed=(job.seed + number) % 2**31,
            stop=list(part.stop) or None,
            logprobs=1,
            extra_body={**_PLAIN, "stop_token_ids": sorted(model.stop_ids), "return_token_ids": True},
        ),
    )
    choice = replied.choices[0]
    more = choice.model_extra or {}
    tokens = more.get("token_ids")
    if not isinstance(tokens, list):
        raise ModelError(f"the server at {url} gives no token ids: expected token_ids, as vLLM's return_token_ids does")
    logprobs = list((choice.logprobs.token_logprobs if choice.logprobs else None) or [])
    if len(logprobs) != len(tokens) or any(one is None for one in logprobs):
        raise ModelError(
            f"the server at {url} gives {len(logprobs)} log-probabilities for {len(tokens)} tokens: without them it"
            " cannot be told whether it has the same model"
        )
    read = more.get("prompt_token_ids")
    count = replied.usage.prompt_tokens if replied.usage else len(ids)
    if count != len(ids) or (read is not None and list(read) != ids):
        raise ModelError(f"the server at {url} read {count} tokens where {len(ids)} were sent, or others: it adds some")
    return tokens, logprobs, "length" if choice.finish_reason == "length" else "stop"


def _check_weights(model: Model, url: str, ids: list[int], told: dict[int, float]) -> None:
    """Our own pass over a transcript gives its sampled tokens the log-probabilities that the server told."""
    places = np.array(sorted(told))
    own = log_softmax(model.logits(ids)[places - 1], axis=1)[np.arange(len(places)), np.array(ids)[places]]
    apart = float(np.abs(own - [told[place] for place in places]).mean())
    if not apart <= TOLERANCE:
        loaded = f"{model.name} with {model.adapter}" if model.adapter else model.name
        raise ModelError(
            f"the model at {url} is not {loaded} as it is loaded here: the log-probabilities of {len(places)}"
            f" sampled tokens differ by {apart:.2f} on average (at most {TOLERANCE}); serve the same weights, with the"
            " adapter merged, and log-probabilities from before the temperature"
        )


def _asked(url: str, ask: Callable[[], Any]) -> Any:
    from openai import OpenAIError

    try:
        return ask()
    except OpenAIError as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(
            f"the server at {url} does not sample ({type(error).__name__}: {said}): is it running, is that its address,"
            " with /v1, and does it take token ids as a prompt?"
        ) from error
