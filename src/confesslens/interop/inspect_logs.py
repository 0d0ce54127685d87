"""Inspect AI logs, `.eval` or `.json`, read and written by Inspect itself (the extra `confesslens[inspect]`)."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from confesslens.confessions.forms import FORMS
from confesslens.confessions.requests import find_request
from confesslens.confessions.row import COLUMNS as CONFESSION_COLUMNS
from confesslens.confessions.row import confession_row
from confesslens.evals.evaluation import BEHAVIOURS, Message
from confesslens.interop.record import Record
from confesslens.interop.rows import messages_of
from confesslens.models.thinking import split_thoughts

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import ChatMessage

SCORER = "behaviour"
"""The scorer whose values are behaviours."""


def read_inspect_log(path: str | Path, *, scorer: str | None = None) -> Iterator[Record]:
    """Records of a log's samples, one an epoch; the sample's id is the scenario, the task the evaluation.

    The answer is the last message of the assistant, reasoning apart. A score of a scorer of ours says the behaviour.
    From another's none is read unless asked for, because a wrong answer is no bad act: values, target and metadata
    stand in `facts`.

    Args:
        path: the log.
        scorer: whose value is to be taken as the behaviour: incorrect ("I") as "not_complied", correct ("C") as
            "complied", for tasks where that is what the scorer means.

    Raises:
        ValueError: a file that is no log or is damaged, a log without samples, an unknown `scorer`.
        ImportError: Inspect AI is not installed.
    """
    log = _read(Path(path))
    if not log.samples:
        raise ValueError(f"{path} has no samples: it was written without them (status {log.status})")
    for sample in log.samples:
        if scorer is not None and scorer not in (sample.scores or {}):
            had = ", ".join(sample.scores or {}) or "none"
            raise ValueError(f"{path}, sample {sample.id}: no scorer {scorer!r}; it has {had}")
        facts = sample.metadata.get("facts", {})
        if SCORER in (sample.scores or {}) and not isinstance(facts, dict):
            raise ValueError(f"{path}, sample {sample.id}: metadata.facts is {facts!r:.40}, expected an object")
        yield _record(sample, log, scorer)


def read_inspect_confessions(path: str | Path, rollouts: pd.DataFrame) -> pd.DataFrame:
    """The confessions that a log of our own tasks holds, as a confessions table for the same log's rollouts.

    Args:
        path: the log, made by `inspect eval confesslens/NAME`.
        rollouts: of `as_rollouts(model, read_transcripts(path))`, in the log's order, all of it.

    Returns:
        a row a sample that was asked, free and without tokens (`confessions.row.COLUMNS`).

    Raises:
        ValueError: no log, one without confessions, or rollouts that are not the log's.
        ImportError: Inspect AI is not installed.
    """
    samples = _read(Path(path)).samples or []
    if len(samples) != len(rollouts):
        raise ValueError(
            f"{path} has {len(samples)} samples, the table {len(rollouts)} rows: expected all of the log's"
        )
    rows = []
    for number, (sample, row) in enumerate(zip(samples, rollouts.to_dict("records"), strict=True)):
        own = sample.metadata
        if (own.get("scenario", row["scenario"]), own.get("condition", row["condition"])) != (
            row["scenario"],
            row["condition"],
        ):
            raise ValueError(f"row {number} is of {row['scenario']}, the log's sample of {own['scenario']}")
        if "confession" in own:
            request = find_request(own.get("request", "three_part"))
            text = split_thoughts(str(own["confession"]))[1]
            parsed = FORMS[request.form].parse(text)
            rows.append(confession_row(row["rollout_id"], "free", 0, request, text, parsed))
    if not rows:
        raise ValueError(f"{path} holds no confessions: expected a log of `inspect eval confesslens/NAME`")
    return pd.DataFrame(rows, columns=list(CONFESSION_COLUMNS))


def write_inspect_log(records: Sequence[Record], path: str | Path) -> Path:
    """Write answers as a log that `inspect view` opens: one sample a record, the behaviour as its score.

    Raises:
        ValueError: records of more than one evaluation or model, or none with an answer.
        ImportError: Inspect AI is not installed.
    """
    need_inspect()
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec, write_eval_log
    from inspect_ai.model import ChatMessageAssistant, ModelOutput
    from inspect_ai.scorer import Score

    answered = [record for record in records if record.answer]
    tasks, models = {r.eval for r in answered}, {r.source for r in answered}
    if len(tasks) != 1 or len(models) != 1:
        raise ValueError(f"a log is of one task and one model: found {sorted(tasks)} by {sorted(models)} with answers")
    (task,), (model,) = tasks, models
    epochs: Counter[str] = Counter()
    samples = []
    for record in answered:
        name = f"{record.scenario}/{record.condition}"
        epochs[name] += 1
        *prompt, reply = [to_inspect(message) for message in messages_of(record)]
        assert isinstance(reply, ChatMessageAssistant)
        samples.append(
            EvalSample(
                id=name,
                epoch=epochs[name],
                input=prompt,
                target="complied",
                messages=[*prompt, reply],
                output=ModelOutput.from_message(reply),
                scores={SCORER: Score(value=record.behaviour, answer=record.answer)},
                metadata={"scenario": record.scenario, "condition": record.condition, "facts": dict(record.facts)},
            )
        )
    spec = EvalSpec(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        task=task,
        model=model or "unknown",
        dataset=EvalDataset(name=task, samples=len(samples)),
        config=EvalConfig(epochs=max(epochs.values())),
    )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_eval_log(EvalLog(eval=spec, status="success", samples=samples), str(path))
    return Path(path)


def need_inspect() -> None:
    """Raise ImportError that says how to get Inspect AI, where it is not installed."""
    if importlib.util.find_spec("inspect_ai") is None:
        raise ImportError("Inspect AI is not installed: pip install 'confesslens[inspect]'")


def _read(path: Path) -> EvalLog:
    need_inspect()
    from inspect_ai.log import read_eval_log

    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        return read_eval_log(str(path), resolve_attachments="full")
    except Exception as error:  # a zip, JSON or schema error, or one of Inspect's own
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"{path} is no Inspect log, or a damaged one: {first}") from error


def _record(sample: EvalSample, log: EvalLog, scorer: str | None) -> Record:
    scores = {name: score.value for name, score in (sample.scores or {}).items()}
    turns = list(sample.messages)
    reply = turns.pop() if turns and turns[-1].role == "assistant" else None
    cot, answer = _thoughts(reply) if reply is not None else ("", "")
    own = sample.metadata
    name = str(own.get("eval", log.eval.task))
    behaviour = "neither"
    if scorer is not None:
        behaviour = {"I": "not_complied", "C": "complied"}.get(str(scores[scorer]), str(scores[scorer]))
    elif scores.get(SCORER) in BEHAVIOURS:
        behaviour = str(scores[SCORER])
    return Record(
        name,
        str(own.get("scenario", f"{name}/{sample.id}")),
        tuple(_from_inspect(turn) for turn in turns),
        answer,
        str(own.get("condition", "given")),
        str(log.eval.model),
        cot,
        behaviour if behaviour in BEHAVIOURS else "neither",
        own.get("facts", {}) if SCORER in scores else {"target": sample.target, "scores": scores, "metadata": own},
    )


def _thoughts(message: ChatMessage) -> tuple[str, str]:
    """Reasoning and answer of a message: as blocks of its content, or marked in its text."""
    if isinstance(message.content, str):
        return split_thoughts(message.content)
    reasoning = [part.reasoning for part in message.content if part.type == "reasoning"]
    cot, answer = split_thoughts(message.text)
    return "\n".join([*reasoning, cot]).strip(), answer


def _from_inspect(message: ChatMessage) -> Message:
    calls = getattr(message, "tool_calls", None) or []
    said = [message.text, *(f"{call.function}({json.dumps(call.arguments)})" for call in calls)]
    return {"role": message.role, "content": "\n".join(part for part in said if part)}


def to_inspect(message: Message) -> ChatMessage:
    """A message as Inspect has it; a role that it does not know becomes the user's."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageTool, ChatMessageUser

    kinds = {
        "system": ChatMessageSystem,
        "user": ChatMessageUser,
        "assistant": ChatMessageAssistant,
        "tool": ChatMessageTool,
    }
    return kinds.get(message["role"], ChatMessageUser)(content=message["content"])
