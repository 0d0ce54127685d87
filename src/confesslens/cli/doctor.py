"""The command that says what this machine can run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from confesslens.cli.base import app, console


@app.command("doctor")
def doctor_command(
    model: Annotated[str | None, typer.Option(help="look at this model too, as load_model takes it")] = None,
) -> None:
    """Say what this machine can run: memory, devices, caches, extras, a model; exit 1 where something is missing."""
    from confesslens.doctor import MISSING, OK, examine

    table = Table(box=None, show_header=False, pad_edge=False)
    findings = examine(model)
    for one in findings:
        mark = {"ok": "[green]✓[/]", "warning": "[yellow]![/]"}.get(one.state, "[red]✗[/]")
        remedy = f"\n→ {one.remedy}" if one.state != OK and one.remedy else ""
        table.add_row(mark, escape(one.what), escape(f"{one.found}{remedy}"))
    console.print(table)
    if any(one.state == MISSING for one in findings):
        raise typer.Exit(1)
