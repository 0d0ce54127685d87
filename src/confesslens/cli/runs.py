"""Commands on whole runs: the main job, and what is made of a run that is there."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from confesslens.cli.base import Display, app, console, fail, split_names

_HEADLINES = ("overall", "probe", "cells", "denied")  # the sentences that end a run; the report has them all


@app.command("run")
def run_command(
    preset: Annotated[str | None, typer.Option(help="quick (3 minutes on two cores) or standard")] = None,
    model: Annotated[str | None, typer.Option(help="smollm2-135m, a hub id, a folder or a .gguf file")] = None,
    endpoint: Annotated[str | None, typer.Option(help="address of an OpenAI-compatible endpoint of the model")] = None,
    sampler: Annotated[
        str | None, typer.Option(help="address of a server of the same weights (vLLM) that samples; read here")
    ] = None,
    adapter: Annotated[str | None, typer.Option(help="folder of a PEFT adapter")] = None,
    organism: Annotated[str | None, typer.Option(help="a model organism, on scenarios that it never saw")] = None,
    held_out: Annotated[
        bool | None, typer.Option("--held-out", help="only scenarios that no organism learned from")
    ] = None,
    evals: Annotated[str | None, typer.Option(help="comma-separated, or all; default three that are quick")] = None,
    tier: Annotated[str | None, typer.Option(help="tiny, small (for 1-8B) or full (as in the paper)")] = None,
    conditions: Annotated[str | None, typer.Option(help="comma-separated, or all; neutral always")] = None,
    n: Annotated[int | None, typer.Option(help="scenarios per evaluation")] = None,
    seed: Annotated[int | None, typer.Option(help="of scenarios and sampling")] = None,
    out: Annotated[Path | None, typer.Option(help="the run's folder; default runs/PRESET-MODEL-seedS")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings; options override it")] = None,
    until: Annotated[
        str | None, typer.Option(help="stop after rollouts, confessions, activations, probes or faithfulness")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="processes; default one a core")] = None,
    ray: Annotated[str | None, typer.Option(help="local, or the address of a Ray cluster to work on")] = None,
    trust_remote_code: Annotated[
        bool | None, typer.Option("--trust-remote-code", help="run a hub model's code")
    ] = None,
) -> None:
    """The main job: rollouts, confessions, activations, probes, the comparison, figures and a report.

    Repeating a command continues a run that was stopped, and shows one that is whole.
    """
    from confesslens.config import make_config
    from confesslens.run import run

    options: dict[str, Any] = {
        "preset": preset,
        "model": model,
        "endpoint": endpoint,
        "sampler": sampler,
        "adapter": adapter,
        "organism": organism,
        "held_out": held_out,
        "evals": split_names(evals),
        "tier": tier,
        "conditions": split_names(conditions),
        "n": n,
        "seed": seed,
        "workers": workers,
        "ray": ray,
        "trust_remote_code": trust_remote_code,
    }
    try:
        settings = make_config(options, config)
        with Display() as display:
            command = shlex.join(["confesslens", *sys.argv[1:]])
            done = run(settings, out, until=until, progress=display.update, command=command)
    except KeyboardInterrupt:
        console.print("\nStopped. Repeat the command to continue where it was.")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        fail(error)
    if "report" not in done.manifest["stages"]:
        console.print(f"\nDone up to {until}: {done.path}. Without --until the run goes on from there.", soft_wrap=True)
        return
    _summarise(done.tables(), done.manifest, done.path)


@app.command("regrade")
def regrade_command(folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")]) -> None:
    """Grade a run's answers again with the graders of this version, and redo its probes, comparison and report."""
    from confesslens.run import regrade_run

    try:
        with Display() as display:
            done = regrade_run(folder, progress=display.update)
    except (ValueError, OSError) as error:
        fail(error)
    _summarise(done.tables(), done.manifest, done.path)


@app.command("explore")
def explore_command(folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")]) -> None:
    """Colour a run's explorer.html by its probe: a score for every word of the chains of thought and answers."""
    from confesslens.run import explore_run

    try:
        with Display() as display:
            done = explore_run(folder, progress=display.update)
    except (ValueError, OSError) as error:
        fail(error)
    console.print(f"Explorer: {done.path / 'explorer.html'}", soft_wrap=True)


@app.command("table1")
def table1_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")],
    condition: Annotated[str, typer.Option(help="one of the run's conditions")] = "tempted",
    csv: Annotated[Path | None, typer.Option(help="write the numbers to this file too")] = None,
) -> None:
    """Table 1 of the confession paper for a run: shares with 95 % intervals and n, next to the paper's figures."""
    from confesslens.cli.tables import print_table
    from confesslens.evals.conditions import NEUTRAL, check_condition
    from confesslens.faithfulness import table1
    from confesslens.figures.report.tables import show_table1
    from confesslens.folder import RunFolder

    try:
        run = RunFolder(folder)
        rates, witnesses = (run.read_table(f"results/{name}.parquet") for name in ("rates", "witnesses"))
        check_condition(condition, [name for name in rates["condition"].unique() if name != NEUTRAL])
        numbers = table1(rates, witnesses, condition)
        if csv is not None:
            numbers.to_csv(csv, index=False)
    except (ValueError, OSError) as error:
        fail(error)
    print_table(show_table1(numbers), f"{run.manifest['model']['name']}, {condition}")


@app.command("compare")
def compare_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")],
    threshold: Annotated[float, typer.Option(help="the probe fires where its score is above it")] = 0.0,
    errors: Annotated[
        Path | None,
        typer.Option(help="CSV of the probe's sensitivity and specificity on organisms, to correct the cells by"),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="folder to write every table to as CSV")] = None,
) -> None:
    """Compare the four witnesses of a run again, and print what they say; the run's own files stay as they are."""
    import pandas as pd

    from confesslens.cli.tables import print_table
    from confesslens.config import RunConfig
    from confesslens.figures.report.tables import show_tables
    from confesslens.folder import open_run
    from confesslens.stages import comparison

    try:
        run = open_run(folder)
        known = pd.read_csv(errors) if errors is not None else None
        found = comparison(run, RunConfig(**run.manifest["config"]), known, threshold)
        tables = found.tables()
        if csv is not None:
            csv.mkdir(parents=True, exist_ok=True)
            for name, numbers in tables.items():
                numbers.to_csv(csv / f"{name}.csv", index=False)
    except (ValueError, OSError) as error:
        fail(error)
    for shown in show_tables(tables):
        if shown.rows and not shown.folded:
            print_table(shown)
    for text in found.sentences["text"]:
        console.print(f"• {text}", markup=False, soft_wrap=True)
    if csv is not None:
        console.print(f"\nTables: {csv}", soft_wrap=True)


@app.command("evals")
def evals_command(
    page: Annotated[bool, typer.Option("--page", help="one scenario of each in every condition, as Markdown")] = False,
) -> None:
    """The evaluations: what each tempts a model to do, its tiers, conditions and twins."""
    from confesslens.evals import EVALUATIONS
    from confesslens.evals.page import evaluations_page

    if page:
        typer.echo(evaluations_page(list(EVALUATIONS.values())), nl=False)
        return

    table = Table(Column("evaluation", no_wrap=True), "induces", "counts as bad", "text-matched twins", show_lines=True)
    for evaluation in EVALUATIONS.values():
        table.add_row(evaluation.name, evaluation.induces, evaluation.bad, evaluation.twins or "none")
    console.print(table)
    for what in ("tiers", "conditions"):
        for names in dict.fromkeys(getattr(evaluation, what) for evaluation in EVALUATIONS.values()):
            having = [e.name for e in EVALUATIONS.values() if getattr(e, what) == names]
            of = "all" if len(having) == len(EVALUATIONS) else ", ".join(having)
            console.print(f"{what} of {of}: {', '.join(names)}", soft_wrap=True)


def _summarise(tables: dict[str, Any], manifest: dict[str, Any], folder: Path) -> None:
    console.print()
    found = tables["sentences"]
    for text in found.loc[found["key"].isin(_HEADLINES), "text"]:
        console.print(f"• {text}", markup=False)
    seconds = sum(stage.get("seconds", 0) for stage in manifest["stages"].values())
    console.print(f"\nReport: {folder / 'report.html'}  ({seconds:.0f} s of work)", soft_wrap=True)
    console.print(f"Every rollout: {folder / 'explorer.html'}", soft_wrap=True)
