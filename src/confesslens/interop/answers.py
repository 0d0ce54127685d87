"""Records as rollouts of a model: its tokens of what was said elsewhere, and its own answers to foreign prompts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from confesslens.interop.record import COLUMNS
from confesslens.rollouts.given import given_rollouts
from confesslens.rollouts.plan import stream_seed
from confesslens.rollouts.rollout import COT_REQUEST, COT_REQUEST_NATIVE
from confesslens.rollouts.sampler import Forced, Free, Job, Part, sample

if TYPE_CHECKING:
    from confesslens.models import Model


def as_rollouts(model: Model, table: pd.DataFrame) -> pd.DataFrame:
    """A rollouts table of transcripts from elsewhere: for `capture`, probes, `confess`, monitors and `compare`.

    The tokens are `model`'s; who answered stands in the column `source`. Rows without messages (statements) and without
    an answer (prompts) are an error: capture statements as texts, and let `answer_prompts` answer prompts first.

    Args:
        model: whose tokens to use.
        table: of `read_transcripts` or `answer_prompts`.

    Raises:
        ValueError: columns that are missing, rows without messages or answer, or errors of `given_rollouts`.
    """
    _check(table)
    table = table.reset_index(drop=True)
    messages = [json.loads(said) for said in table["messages"]]
    for what, lacks, remedy in (
        ("messages", [not said for said in messages], "capture their texts: cl.capture(model, list(table['answer']))"),
        ("answer", (table["answer"].str.strip() == "").tolist(), "sample answers first: interop.answer_prompts"),
    ):
        if any(lacks):
            raise ValueError(f"{sum(lacks)} rows have no {what}, the first is row {lacks.index(True)}: {remedy}")
    rollouts = given_rollouts(
        model,
        list(zip(messages, table["answer"], strict=True)),
        evals=list(table["eval"]),
        conditions=list(table["condition"]),
        behaviours=list(table["behaviour"]),
        scenarios=list(table["scenario"]),
        cots=list(table["cot"]),
    )
    return rollouts.assign(facts=table["facts"], source=table["source"])


def answer_prompts(
    model: Model,
    table: pd.DataFrame,
    *,
    samples: int = 1,
    seed: int = 0,
    cot: bool = False,
    answer_tokens: int = 256,
    cot_tokens: int = 192,
    temperature: float = 0.7,
    batch_size: int = 16,
) -> pd.DataFrame:
    """Let `model` answer the rows that have no answer; rows that have one stay as they are.

    Nothing is graded: `behaviour` stays "neither" until a grader of the data set's own says more.

    Args:
        model: who answers; it becomes the row's source.
        table: of `read_transcripts`.
        samples: answers a prompt.
        seed: of every answer's own random stream.
        cot: with a chain of thought, asked for, opened and closed as in `roll_out`.
        answer_tokens: at most.
        cot_tokens: at most.
        temperature: of sampling.
        batch_size: answers sampled side by side; changes speed and memory only.

    Raises:
        ValueError: columns that are missing, a row without messages.
    """
    _check(table)
    marks = model.thinking
    rows: list[dict[str, str]] = []
    jobs: list[tuple[int, Job]] = []
    seen: dict[tuple[str, str], int] = {}
    for row in table[list(COLUMNS)].to_dict("records"):
        messages = json.loads(row["messages"])
        if row["answer"].strip():
            rows.append(row)
            continue
        if not messages:
            raise ValueError(f"a row of scenario {row['scenario']} has neither messages nor answer")
        if cot:
            asked = COT_REQUEST_NATIVE if marks.native else COT_REQUEST
            messages[-1] = messages[-1] | {"content": f"{messages[-1]['content']}\n{asked}"}
        prompt = tuple([*model.encode_prompt(messages), *model.encode(marks.open if cot else marks.none)])
        parts: tuple[Part, ...] = (Free("answer", answer_tokens),)
        if cot:
            thinking = Free("cot", cot_tokens, stop=(marks.stop,))
            parts = (thinking, Forced(tuple(model.encode(marks.close))), *parts)
        for _ in range(samples):
            key = (row["scenario"], row["condition"])
            number = seen[key] = seen.get(key, -1) + 1
            jobs.append((len(rows), Job((prompt,), parts, stream_seed(seed, *key, number), temperature)))
            rows.append(row | {"messages": json.dumps(messages, ensure_ascii=False), "source": model.name})
    for (place, _), done in zip(jobs, sample(model, [job for _, job in jobs], batch_size), strict=True):
        rows[place] |= {"answer": done.texts["answer"].strip(), "cot": done.texts.get("cot", "").strip()}
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _check(table: pd.DataFrame) -> None:
    if missing := [name for name in COLUMNS if name not in table]:
        raise ValueError(f"the table lacks {', '.join(missing)}: expected one of read_transcripts")
