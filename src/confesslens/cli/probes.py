"""Commands on probes: scores of tokens, and the folder of released ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from confesslens.cli.base import app, console, fail


@app.command("score")
def score_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="chat JSONL with `messages` in each row, or plain text")],
    probe: Annotated[Path, typer.Option(help="a probe's folder, such as RUN/probes/behaviour")],
    model: Annotated[str | None, typer.Option(help="default the one that the probe's card names")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a text instead of coloured words")] = False,
) -> None:
    """Score every token of chats or of a text with a probe; the probe refuses any model but its own."""
    import json

    from confesslens.activations.token_scores import read_texts
    from confesslens.models.load import load_for_card
    from confesslens.probes import load_probe

    try:
        fitted, card = load_probe(probe)
        texts = read_texts(file)
        loaded = load_for_card(card, model)
        found = [fitted.score_tokens(loaded, text) for text in texts]
    except (ValueError, OSError) as error:
        fail(error)
    for scores in found:
        if as_json:
            typer.echo(json.dumps(scores.to_dict(), ensure_ascii=False))
            continue
        console.print(scores.to_rich(), soft_wrap=not console.is_terminal)
        console.print(f"\n{scores.summary()}\n", markup=False, style="dim")


@app.command("release")
def release_command(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="folders of runs, one a model or organism")],
    out: Annotated[Path, typer.Option(help="the folder of released probes")] = Path("probes"),
) -> None:
    """Put the probes of runs, with their cards, into the folder of released probes, and list them in its README."""
    from confesslens.release import release_probes

    try:
        for folder in release_probes(folders, out):
            console.print(f"Probe and card: {folder}", soft_wrap=True)
    except (ValueError, OSError) as error:
        fail(error)
