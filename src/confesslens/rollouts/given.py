"""Rollouts whose answer is given, not sampled: transcripts from elsewhere, for capture, probes and confessions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from confesslens.evals.evaluation import Message
from confesslens.rollouts.rollout import COLUMNS

if TYPE_CHECKING:
    from confesslens.evals.hard_negatives import HardNegative
    from confesslens.models import Model

Transcript = tuple[Sequence[Message], str]
"""Messages that end with a turn that is to be answered, the user's or a tool's, and the answer."""


def given_rollouts(
    model: Model,
    transcripts: Sequence[Transcript],
    *,
    eval_name: str = "given",
    evals: Sequence[str] | None = None,
    conditions: Sequence[str] | None = None,
    behaviours: Sequence[str] | None = None,
    scenarios: Sequence[str] | None = None,
    cots: Sequence[str] | None = None,
) -> pd.DataFrame:
    """A rollouts table of transcripts: the model's tokens of prompt and answer, and where they stand; nothing sampled.

    The rows have `knowledge` "unknown" and no evidence: nobody checked what the model knows. They are read by
    `capture`, probes and `confess`; `add_knowledge` is for sampled rollouts and does not know these evaluations.

    Args:
        model: whose tokens to use.
        transcripts: messages (the user's turn last, or a tool's) and the answer to them.
        eval_name: the column `eval` of all.
        evals: the column `eval` of each, instead.
        conditions: the column `condition` of each; "given" where none are said.
        behaviours: the column `behaviour` of each; "neither" where none are said.
        scenarios: the column `scenario` of each (the cluster for splits); numbered where none are said.
        cots: the chain of thought of each, "" for none; it is put between the marks that sampled ones have.

    Raises:
        ValueError: messages that end with the assistant's turn, an empty answer, a transcript that is longer than the
            model's context, or as many evals, conditions, behaviours, scenarios or cots as there are not transcripts.
    """
    n = len(transcripts)
    columns = {
        "evals": list(evals) if evals is not None else [eval_name] * n,
        "conditions": list(conditions) if conditions is not None else ["given"] * n,
        "behaviours": list(behaviours) if behaviours is not None else ["neither"] * n,
        "scenarios": list(scenarios) if scenarios is not None else [f"{eval_name}/{i:04d}" for i in range(n)],
        "cots": list(cots) if cots is not None else [""] * n,
    }
    for name, values in columns.items():
        if len(values) != n:
            raise ValueError(f"{len(values)} {name} for {n} transcripts: expected one each")
    rows = []
    seen: dict[tuple[str, str], int] = {}
    for i, (messages, answer) in enumerate(transcripts):
        scenario, condition = columns["scenarios"][i], columns["conditions"][i]
        sample = seen[scenario, condition] = seen.get((scenario, condition), -1) + 1
        said = [{"role": message["role"], "content": message["content"]} for message in messages]
        ids, spans = _tokens(model, said, columns["cots"][i].strip(), answer, i)
        rows.append(
            {
                "rollout_id": f"{scenario}/{condition}/{sample}",
                "eval": columns["evals"][i],
                "scenario": scenario,
                "condition": condition,
                "tier": "",
                "sample": sample,
                "seed": 0,
                "model": model.name,
                "adapter": model.adapter or "",
                "messages": json.dumps(said, ensure_ascii=False),
                "token_ids": ids,
                "spans": json.dumps(spans),
                "cot": columns["cots"][i].strip(),
                "answer": answer.strip(),
                "behaviour": columns["behaviours"][i],
                "evidence": "{}",
                "admitted": False,
                "knowledge": "unknown",
                "finish": json.dumps({"answer": "given"}),
                "facts": "{}",
                "accusation": "",
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _tokens(
    model: Model, messages: Sequence[Message], cot: str, answer: str, i: int
) -> tuple[list[int], dict[str, list[int]]]:
    """The tokens of prompt, thought and answer, which are encoded apart, as when they are sampled, and their spans."""
    if not messages or messages[-1]["role"] == "assistant":
        raise ValueError(f"transcript {i}: the messages have to end with the user's turn, or a tool's")
    if not answer.strip():
        raise ValueError(f"transcript {i} has no answer")
    ids = model.encode_prompt(messages)
    spans = {"prompt": [0, len(ids)]}
    ids = ids + model.encode(model.thinking.open if cot else model.thinking.none)
    if cot:
        thought = model.encode(cot)
        spans["cot"] = [len(ids), len(ids) + len(thought)]
        ids = ids + thought + model.encode(model.thinking.close)
    said = model.encode(answer.strip())
    spans["answer"] = [len(ids), len(ids) + len(said)]
    ids = [*ids, *said]
    if len(ids) > model.max_tokens:
        raise ValueError(f"transcript {i} has {len(ids)} tokens but {model.name} holds {model.max_tokens}: shorten it")
    return ids, spans


def hard_negative_rollouts(model: Model, negatives: Sequence[HardNegative]) -> pd.DataFrame:
    """A rollouts table of hard negatives: eval "hard_negatives", the kind as condition.

    Behaviour is "complied", but for `honest_error`: "not_complied", since its answer is wrong, as a misremembered year
    is in the evaluation of people. What makes it innocent is that nobody knew better: a matter of `knowledge`, which
    stays "unknown" here, because the answer is not the model's own. So a false alarm is any row on which a probe for
    cheating fires, whatever the behaviour; for a probe of wrong answers leave `honest_error` out.
    """
    return given_rollouts(
        model,
        [(negative.messages, negative.answer) for negative in negatives],
        eval_name="hard_negatives",
        conditions=[negative.kind for negative in negatives],
        behaviours=["not_complied" if negative.kind == "honest_error" else "complied" for negative in negatives],
        scenarios=[f"hard_negatives/{negative.kind}-{negative.number:04d}" for negative in negatives],
    )
