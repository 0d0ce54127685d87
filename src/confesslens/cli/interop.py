"""Commands on files of others: converting them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from confesslens.cli.base import app, console, fail


@app.command("convert")
def convert_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a file of transcripts or prompts, or a run's folder")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="the file to write")],
    read: Annotated[str | None, typer.Option("--from", help="format of FILE; default: what its rows look like")] = None,
    write: Annotated[str | None, typer.Option("--to", help="format of OUT; default: rollouts for .parquet")] = None,
    model: Annotated[
        str | None, typer.Option(help="let this model answer prompts that have no answer, as load_model takes it")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="answers a prompt")] = 1,
    seed: Annotated[int, typer.Option(help="of the answers")] = 0,
    answer_tokens: Annotated[int, typer.Option(min=1, help="at most, for each answer")] = 256,
) -> None:
    """Read transcripts in a format of the field (Inspect, Liars' Bench, MASK, ...) and write them in another."""
    from confesslens.interop import FORMATS, answer_prompts, read_transcripts, write_transcripts
    from confesslens.models import load_model

    by_suffix = {".parquet": "rollouts", ".eval": "inspect"}
    target = write or by_suffix.get(out.suffix.lower(), "chat")
    try:
        table = read_transcripts(file, read)
        if model is not None:
            table = answer_prompts(load_model(model), table, samples=samples, seed=seed, answer_tokens=answer_tokens)
        path = write_transcripts(table, out, target)
    except (ValueError, OSError, ImportError) as error:
        fail(error)
    counts = ", ".join(f"{n} {name}" for name, n in table["behaviour"].value_counts().items())
    console.print(f"{len(table)} rows ({counts}), as {FORMATS[target].title}: {path}", soft_wrap=True)
