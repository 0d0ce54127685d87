"""A probe's score at every token of a chat or text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from confesslens.activations.capture import capture
from confesslens.activations.items import as_items
from confesslens.closest import one_line
from confesslens.probes.place import place_of
from confesslens.probes.token_scores import TokenScores

if TYPE_CHECKING:
    from confesslens.models import Model


def score_tokens(
    probe: Any, model: Model, messages: Sequence[Mapping[str, str]] | str, layer: int | None = None
) -> TokenScores:
    """What a probe says at every token of a chat (a list of messages), by the model's template, or of a plain text.

    A token's score is its activation @ direction + bias. Averaged over a span it is the score of that span's mean; it
    is no verdict on the token, for a probe is fitted at its site and calibrated there. The probe's own score, at its
    site, is given beside them where the chat has that site (a prompt and an answer; no request for a confession).

    Args:
        probe: a fitted probe with one direction, such as from `load_probe`.
        model: the model that the probe was fitted to.
        messages: the chat, or the text.
        layer: where a probe without a card reads; with one it may be left out.

    Raises:
        ValueError: a probe fitted to another model, tokenizer or layer, or an empty chat or text.
    """
    place = place_of(probe, model.fingerprint, layer, probe.card.get("site", ""), model.tokenizer_hash)
    items = as_items(model, [messages])
    (item,) = items
    site = place.site if place.site.rpartition(".")[0] in item.spans else None
    acts = capture(
        model,
        items,
        layers=[place.layer],
        sites=[site] if site else [],
        streams=place.stream,
        token_layers=[place.layer],
    )
    tokens = acts.tokens(place.layer)
    scores = np.full(len(item.token_ids), np.nan)
    scores[tokens.positions] = tokens.values.astype(np.float64) @ probe.direction + probe.bias
    own = None
    if site and acts.present[0, 0]:
        if probe.reads == "tokens":
            start, end = item.spans[site.rpartition(".")[0]]
            own = float(probe.decision_function([tokens.values[start:end]])[0])
        elif probe.reads == "site":
            own = float(probe.decision_function(acts.at(place.layer, site))[0])
    ids = [int(i) for i in item.token_ids]
    parts = [next((name for name, (a, b) in item.spans.items() if a <= i < b), "") for i in range(len(ids))]
    return TokenScores(
        texts=token_texts(model, ids),
        ids=ids,
        scores=scores,
        parts=parts,
        place=f"blocks.{place.layer}.hook_{place.stream}",
        site=place.site,
        site_score=own,
        classes=[str(c) for c in probe.classes_],
    )


def score_rollouts(
    probe: Any,
    model: Model,
    rollouts: pd.DataFrame,
    spans: Sequence[str] = ("cot", "answer"),
    *,
    together: int = 128,
    on_done: Callable[[int], Any] = lambda n: None,
) -> pd.DataFrame:
    """What a probe says at every token of some spans of stored rollouts, as `score_tokens` does for one text.

    Args:
        probe: a probe with a card, such as from `load_probe`.
        model: the model that the probe was fitted to.
        rollouts: the rollouts table.
        spans: of `ROLLOUT_SPANS`.
        together: rollouts read at once; speed and memory only.
        on_done: called with the number of rollouts that were just read.

    Returns:
        a row a token, in order: rollout_id, span, token (the text that it adds), score.

    Raises:
        ValueError: a probe fitted to another model, or without a card.
    """
    place = place_of(probe, model.fingerprint)
    rows: list[tuple[str, str, str, float]] = []
    for start in range(0, len(rollouts), together):
        part = rollouts.iloc[start : start + together]
        items = as_items(model, part)
        acts = capture(
            model, items, layers=[], sites=[], streams=place.stream, token_layers=[place.layer], token_spans=list(spans)
        )
        tokens = acts.tokens(place.layer)
        scores = tokens.values.astype(np.float64) @ probe.direction + probe.bias
        for i, item in enumerate(items):
            own = slice(tokens.offsets[i], tokens.offsets[i + 1])
            at = dict(zip(tokens.positions[own].tolist(), scores[own].tolist(), strict=True))
            for span in spans:
                begin, end = item.spans.get(span, (0, 0))
                texts = token_texts(model, [int(t) for t in item.token_ids[begin:end]])
                rows += [(item.item_id, span, text, at[begin + j]) for j, text in enumerate(texts)]
        on_done(len(part))
    return pd.DataFrame(rows, columns=["rollout_id", "span", "token", "score"])


def token_texts(model: Model, ids: Sequence[int]) -> list[str]:
    """The text that each token adds; one that ends in the middle of a character adds nothing, and the last has it."""
    texts: list[str] = []
    start = end = (
        0  # the last tokens that made whole characters; some tokenizers drop the space that a text begins with
    )
    for i in range(len(ids)):
        whole = model.decode(ids[start : i + 1])
        if whole.endswith("\ufffd") and i + 1 < len(ids) and i - end < 7:
            texts.append("")
            continue
        texts.append(whole[len(model.decode(ids[start:end])) :])
        start, end = end, i + 1
    return texts


def read_texts(path: Path) -> list[list[dict[str, str]] | str]:
    """Chats of a JSONL file with `messages` in each row, or the whole of any other file as one text.

    Raises:
        ValueError: a file that cannot be read or is empty, or a row of JSONL that is no chat (row and field are named).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if not text.strip():
        raise ValueError(f"{path} is empty: expected chats as JSONL, or a text")
    if path.suffix not in (".jsonl", ".ndjson"):
        return [text]
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    return [_chat(line, f"{path}, row {number}") for number, line in lines]


def _chat(line: str, where: str) -> list[dict[str, str]]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: not JSON ({one_line(error)})") from None
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list) or not messages:
        raise ValueError(f"{where}: no field `messages`: expected a list of messages with role and content")
    for i, message in enumerate(messages):
        texts = [message.get(key) for key in ("role", "content")] if isinstance(message, dict) else [None]
        if not all(isinstance(own, str) for own in texts):
            raise ValueError(f"{where}: messages[{i}] needs `role` and `content`, both text")
    return [{"role": message["role"], "content": message["content"]} for message in messages]
