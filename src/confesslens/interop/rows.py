"""Rows of a file, checked: CSV, JSON, JSON lines or parquet; what is wrong is named by row and field."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from confesslens.closest import one_line, shown
from confesslens.evals.evaluation import Message
from confesslens.interop.record import Record


class Row(BaseModel):
    """A row of a foreign file: the fields that a reader uses are declared, others are kept as they are."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    def others(self) -> dict[str, Any]:
        """The fields that are not declared."""
        return dict(self.model_extra or {})


class Turn(BaseModel):
    """One message of a conversation; other fields of it are left out."""

    model_config = ConfigDict(extra="ignore")

    role: str = Field(min_length=1)
    content: str


def _parsed(value: Any) -> Any:
    """A list that stands as JSON text in a cell."""
    if isinstance(value, str):
        try:
            return parse_json(value)
        except ValueError:
            return value
    return value


def parse_json(text: str) -> Any:
    """JSON as Python has it; ValueError too where it is nested too deeply, or holds half a surrogate pair ("\\ud800"),
    which no table and no tokenizer can take."""
    try:
        value = json.loads(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which is no text") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

Turns = Annotated[list[Turn], BeforeValidator(_parsed), Field(min_length=1)]
"""A conversation: a list of role and content, or the JSON text of one, as CSV cells have it."""

R = TypeVar("R", bound=BaseModel)


def read_rows(path: str | Path, shape: type[R]) -> Iterator[tuple[str, R]]:
    """Each row of a .csv, .json (a list), .jsonl or .parquet file, and where it stands, such as "data.csv, row 3".

    Raises:
        ValueError: a file that cannot be read, is empty or of another kind; a row that is not as `shape` says, named
            with its number (from 1, the header not counted) and field.
    """
    path = Path(path)
    number = 0
    for number, raw in enumerate(read_raw_rows(path), 1):
        where = f"{path}, row {number}"
        if not isinstance(raw, dict):
            raise ValueError(f"{where}: expected an object with fields, found {type(raw).__name__}")
        yield where, check(raw, shape, where)
    if not number:
        raise ValueError(f"{path} has no rows")


def check(raw: Any, shape: type[R], where: str) -> R:
    """`raw` as `shape`; raises ValueError that names the first field that does not fit."""
    try:
        return TypeAdapter(shape).validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the row"
        has = f" (the row has: {cut(', '.join(map(str, raw)))})" if first["type"] == "missing" else ""
        raise ValueError(f"{where}, field {field}: {cut(first['msg'].lower())}{has}") from None


def cut(text: str, most: int = 300) -> str:
    """A text on one line, cut where it is long: for error messages."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def read_raw_rows(path: Path) -> Iterator[Any]:
    """Each row of a file as it stands, unchecked; raises ValueError as `read_rows` does."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        yield from (_plain(row) for row in parquet_table(path).to_dict("records"))
        return
    text = _text(path)
    if kind == ".csv":
        csv.field_size_limit(1 << 30)
        try:
            reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
            for number, row in enumerate(reader, 1):
                if None in row or None in row.values():
                    names = len(reader.fieldnames or ())
                    raise ValueError(f"{path}, row {number}: {_cells(row)} cells, the header names {names}")
                yield row
        except csv.Error as error:
            raise ValueError(f"{path} is not CSV: {error}") from None
    elif kind == ".json":
        try:
            rows = parse_json(text)
        except ValueError as error:
            raise ValueError(f"{path} is not JSON: {error}") from None
        if not isinstance(rows, list):
            raise ValueError(f"{path}: expected a list of rows, found {type(rows).__name__}")
        yield from rows
    elif kind in (".jsonl", ".ndjson"):
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                yield parse_json(line)
            except ValueError as error:
                raise ValueError(f"{path}, line {number} is not JSON: {error}") from None
    else:
        raise ValueError(f"cannot read {path}: expected .csv, .json, .jsonl or .parquet")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def _cells(row: dict[Any, Any]) -> int:
    return sum(v is not None for k, v in row.items() if k is not None) + len(row.get(None) or ())


def _plain(value: Any) -> Any:
    """Without numpy, which parquet's nested columns are read as."""
    if isinstance(value, dict):
        return {key: _plain(own) for key, own in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_plain(own) for own in value] if isinstance(value, list) else value


def parquet_table(path: Path) -> pd.DataFrame:
    """The table of a parquet file; raises ValueError for a file that cannot be read or is none."""
    try:
        return pd.read_parquet(path)
    except Exception as error:  # pandas and pyarrow trust what a file says of itself: anything can come of a wrong word
        raise ValueError(f"cannot read {path}: it is no parquet, or damaged ({one_line(error)})") from None


def read_json(path: Path) -> Any:
    """What a JSON file holds; raises ValueError for one that cannot be read or is not JSON."""
    text = _text(path)
    try:
        return parse_json(text)
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None


def answered(turns: Sequence[Turn], where: str) -> tuple[tuple[Message, ...], str]:
    """The conversation before its last turn, and that turn, which has to be the assistant's.

    Raises ValueError, naming `where`, for a last turn of another's or an empty one.
    """
    *before, last = turns
    if last.role != "assistant" or not last.content.strip():
        raise ValueError(f"{where}, field messages: expected the assistant's answer last, found {shown(last.role)}")
    return tuple({"role": turn.role, "content": turn.content} for turn in before), last.content


def cluster(name: str, prompt: Sequence[Message]) -> str:
    """A scenario's name for a conversation: equal ones share it."""
    digest = hashlib.sha256(json.dumps(list(prompt), sort_keys=True).encode()).hexdigest()
    return f"{name}/{digest[:12]}"


def messages_of(record: Record) -> list[Message]:
    """The whole conversation, answer included where there is one; thoughts stand before it as <think>…</think>."""
    said = f"<think>\n{record.cot}\n</think>\n{record.answer}" if record.cot else record.answer
    return [*record.messages, {"role": "assistant", "content": said}] if said else list(record.messages)


def write_jsonl(rows: Iterable[dict[str, Any]], path: str | Path) -> Path:
    """Write rows as JSON lines, the whole file or none of it."""
    return write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), path)


def write_text(text: str, path: str | Path) -> Path:
    """Write a file, the whole of it or none."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".partial-{os.getpid()}-{target.name}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)
    return target
