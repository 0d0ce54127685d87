"""Items: what activations are read of. Token ids with named spans, made from rollouts, chats or texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from confesslens.confessions.confess import request_ids
from confesslens.models.model import check_messages

if TYPE_CHECKING:
    from confesslens.models import Model

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Item:
    """One transcript.

    Attributes:
        token_ids: [token], fed to the model as they are.
        spans: named [start, end) token positions; an empty or missing span makes its sites absent.
        item_id: its name in a store; by default a hash of tokens and spans.
    """

    token_ids: Int[np.ndarray, " token"] | Sequence[int]
    spans: Mapping[str, Sequence[int]] = field(default_factory=dict)
    item_id: str = ""

    def __post_init__(self) -> None:
        ids = np.asarray(self.token_ids, np.int32)
        spans = {name: (int(start), int(end)) for name, (start, end) in self.spans.items()}
        object.__setattr__(self, "token_ids", ids)
        object.__setattr__(self, "spans", spans)
        if not self.item_id:
            object.__setattr__(self, "item_id", content_hash(ids, spans))
        if ids.ndim != 1 or not ids.size:
            raise ValueError(f"item {self.item_id!r} has no tokens: expected a list of token ids")
        for name, (start, end) in spans.items():
            if not 0 <= start <= end <= len(ids):
                raise ValueError(
                    f"item {self.item_id!r}: span {name!r} is [{start}, {end}), outside its {len(ids)} tokens"
                )


def content_hash(ids: Int[np.ndarray, " token"] | Sequence[int], reads: Any) -> str:
    """Hash of token ids and of what is read of them."""
    digest = hashlib.sha256(np.ascontiguousarray(ids, np.int32).tobytes())
    digest.update(json.dumps(reads, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def as_items(model: Model, given: Any, confessions: pd.DataFrame | None = None) -> list[Item]:
    """Items of a rollouts table, of `Item`s, of chats (lists of messages) or of texts.

    Raises TypeError for anything else, ValueError for confessions of what is not a rollouts table.
    """
    if isinstance(given, pd.DataFrame):
        return list(rollout_items(model, given, confessions))
    if confessions is not None:
        raise ValueError("confessions belong to a rollouts table: leave them out, or give the rollouts")
    items = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if all(isinstance(item, Item) for item in items):
        return items
    if all(isinstance(item, str) for item in items):
        return text_items(model, items)
    if all(isinstance(item, Sequence) and item and isinstance(item[0], Mapping) for item in items):
        return chat_items(model, items)
    raise TypeError(
        f"cannot capture {type(given).__name__} of {type(items[0]).__name__}: expected a rollouts table, or a list of"
        " Items, of chats (each a list of messages) or of texts"
    )


def rollout_items(model: Model, rollouts: pd.DataFrame, confessions: pd.DataFrame | None = None) -> Iterator[Item]:
    """Rollouts as items: prompt, chain of thought, answer, the constant request and, where guided `confessions` are
    given, the confession up to its verdict. Spans: `ROLLOUT_SPANS`, as far as a rollout has them."""
    guided = {}
    if confessions is not None:
        rows = confessions[confessions["mode"] == "guided"].to_dict("records")
        guided = {row["rollout_id"]: row for row in rows}
    columns = ["rollout_id", "token_ids", "spans", "messages", *({"accusation"} & set(rollouts.columns))]
    for values in zip(*(rollouts[column] for column in columns), strict=True):
        row = dict(zip(columns, values, strict=True))
        ids, spans = np.asarray(row["token_ids"], np.int32), json.loads(row["spans"])
        if confession := guided.get(row["rollout_id"]):
            said = json.loads(confession["spans"])
            spans |= {"request": said["request"], "verdict": said["verdict"]}
            ids = np.asarray(confession["token_ids"], np.int32)[: said["verdict"][1]]
        else:
            request = request_ids(model, row)
            spans["request"] = (len(ids), len(ids) + len(request))
            ids = np.concatenate([ids, np.asarray(request, np.int32)])
        yield Item(ids, spans, str(row["rollout_id"]))


def chat_items(
    model: Model, chats: Sequence[Sequence[Mapping[str, str]]], item_ids: Sequence[str] | None = None
) -> list[Item]:
    """Conversations as items, by the model's chat template: span `prompt`, and `answer` where the assistant ends it.

    Prompt and answer are encoded apart, as when the answer is sampled.
    """
    items = []
    for chat, item_id in zip(chats, _names(item_ids, len(chats)), strict=True):
        check_messages(chat)
        messages = [{"role": message["role"], "content": message["content"]} for message in chat]
        answer = messages.pop()["content"] if messages[-1]["role"] == "assistant" else ""
        if not messages:
            raise ValueError(f"a chat begins with the assistant's {answer[:40]!r}: expected a message before it")
        prompt = model.encode_prompt(messages)
        ids = [*prompt, *model.encode(answer.strip())]
        items.append(Item(ids, {"prompt": (0, len(prompt)), "answer": (len(prompt), len(ids))}, item_id))
    return items


def text_items(
    model: Model,
    texts: Sequence[str],
    spans: Sequence[Mapping[str, Sequence[int]]] | None = None,
    item_ids: Sequence[str] | None = None,
) -> list[Item]:
    """Texts as items: no token is added. Span `text` is the whole.

    Args:
        model: whose tokens to use.
        texts: the raw strings.
        spans: for each text named [start, end) character positions; a token belongs to a span that it overlaps.
        item_ids: for each text its name in a store.

    Raises:
        ValueError: a span outside its text, or as many spans or names as there are not texts.
    """
    if spans is not None and len(spans) != len(texts):
        raise ValueError(f"spans for {len(spans)} of {len(texts)} texts: expected one mapping each (empty for none)")
    items = []
    for i, (text, item_id) in enumerate(zip(texts, _names(item_ids, len(texts)), strict=True)):
        found = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=bool(spans))
        ids: list[int] = found["input_ids"]
        named: dict[str, Sequence[int]] = {"text": (0, len(ids))}
        for name, (start, end) in (spans[i] if spans else {}).items():
            if not 0 <= start <= end <= len(text):
                raise ValueError(f"text {i}: span {name!r} is [{start}, {end}), outside its {len(text)} characters")
            inside = [at for at, (a, b) in enumerate(found["offset_mapping"]) if a < end and b > start]
            named[name] = (inside[0], inside[-1] + 1) if inside else (0, 0)
        items.append(Item(ids, named, item_id))
    return items


def _names(item_ids: Sequence[str] | None, count: int) -> Sequence[str]:
    if item_ids is not None and len(item_ids) != count:
        raise ValueError(f"{len(item_ids)} item_ids for {count} items: expected one each")
    return item_ids if item_ids is not None else [""] * count
