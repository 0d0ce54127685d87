"""Commands on a whole run beside its stages: steering, changing thoughts, other requests, labelling."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from confesslens.cli.base import Display, app, console, fail, split_names

Run = Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")]


@app.command("steer")
def steer_command(
    folder: Run,
    probe: Annotated[Path | None, typer.Option(help="a probe's folder; default RUN/probes/behaviour")] = None,
    out: Annotated[Path | None, typer.Option(help="where to write; default RUN/steering")] = None,
    strengths: Annotated[
        str, typer.Option(help="comma-separated multiples of the stream's norm")
    ] = "-0.15,-0.075,0.075,0.15",
    other: Annotated[list[Path] | None, typer.Option(help="probe of another concept; default answer length")] = None,
    n: Annotated[int | None, typer.Option(min=1, help="scenarios per evaluation; default all")] = None,
    random: Annotated[int, typer.Option(min=0, help="equal-norm random directions")] = 5,
    answers: Annotated[bool, typer.Option(help="steer answers too, besides confessions")] = True,
    seed: Annotated[int, typer.Option(help="of random directions and draws")] = 0,
) -> None:
    """Is what the probe reads what the confession uses? Doses of its direction, with controls and evidence level."""
    from confesslens.interventions.of_run import steer_run, transcripts_to_do

    try:
        levels = [float(text) for text in split_names(strengths) or ()]
        total = transcripts_to_do(folder, n, len(levels), random, len(other or ()), answers)
        with Display() as display:
            done = 0

            def advance() -> None:
                nonlocal done
                done += 1
                display.update("steering", min(done, total), total)

            steered, target = steer_run(
                folder,
                probe,
                out,
                strengths=levels,
                others=other or (),
                n=n,
                n_random=random,
                answer=answers,
                seed=seed,
                on_done=advance,
            )
    except (ValueError, OSError) as error:
        fail(error)
    console.print()
    for sentence in steered.evidence["sentence"]:
        console.print(f"• {sentence}", markup=False)
    console.print(f"\nTables and figure: {target}", soft_wrap=True)


@app.command("rethink")
def rethink_command(
    folder: Run,
    changes: Annotated[str, typer.Option(help="comma-separated: cut, honest, filler")] = "cut,honest,filler",
    out: Annotated[Path | None, typer.Option(help="table to write; default RUN/steering/thoughts.parquet")] = None,
    seed: Annotated[int, typer.Option(help="of the answers")] = 0,
) -> None:
    """What a changed chain of thought does to the answer and the confession of a run's rollouts."""
    from confesslens.evals import NEUTRAL
    from confesslens.folder import RunFolder
    from confesslens.interventions import thought_effects
    from confesslens.interventions.of_run import load_run_model

    try:
        run = RunFolder(folder)
        model, config = load_run_model(run)
        rollouts = run.read_table("rollouts.parquet")
        asked = rollouts[rollouts["condition"] != NEUTRAL]
        found = thought_effects(model, asked, split_names(changes) or (), seed=seed, batch_size=config.batch_size)
        _write(found, out or run.path / "steering" / "thoughts.parquet")
    except (ValueError, OSError) as error:
        fail(error)
    _print(found)


@app.command("wordings")
def wordings_command(
    folder: Run,
    requests: Annotated[str, typer.Option(help="comma-separated names, or all")] = "all",
    out: Annotated[Path | None, typer.Option(help="table to write; default RUN/steering/wordings.parquet")] = None,
) -> None:
    """How much the claim depends on how the confession is asked for: guided confessions by several requests."""
    from confesslens.confessions import REQUESTS, confess
    from confesslens.evals import NEUTRAL
    from confesslens.faithfulness import wording_dependence
    from confesslens.folder import RunFolder
    from confesslens.interventions.of_run import load_run_model

    try:
        run = RunFolder(folder)
        model, config = load_run_model(run)
        rollouts = run.read_table("rollouts.parquet")
        asked = rollouts[rollouts["condition"] != NEUTRAL]
        names = (
            list(REQUESTS) if requests == "all" else list(dict.fromkeys(["three_part", *(split_names(requests) or ())]))
        )
        said = confess(model, asked, samples=0, request=names, batch_size=config.batch_size)
        found = wording_dependence(asked, said)
        _write(found, out or run.path / "steering" / "wordings.parquet")
    except (ValueError, OSError) as error:
        fail(error)
    _print(found)


@app.command("label")
def label_command(
    folder: Run,
    out: Annotated[Path, typer.Option(help="file of JSON lines to label")],
    n: Annotated[int, typer.Option(min=1, help="chains of thought to draw")] = 200,
    seed: Annotated[int, typer.Option(help="of the drawing")] = 0,
) -> None:
    """Draw chains of thought of a run for labelling by hand: does each mention the bad act or a plan for it?"""
    from confesslens.cot import draw_for_labelling, save_labels
    from confesslens.evals import NEUTRAL
    from confesslens.folder import RunFolder

    try:
        if out.exists():
            raise ValueError(f"{out} is there already: labels in it would be lost, choose another --out")
        rollouts = RunFolder(folder).read_table("rollouts.parquet")
        drawn = draw_for_labelling(rollouts[rollouts["condition"] != NEUTRAL], n, seed)
        save_labels(drawn, out)
    except (ValueError, OSError) as error:
        fail(error)
    console.print(f"{len(drawn)} chains of thought to label: {out}", soft_wrap=True)


def _write(table: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)


def _print(found: Any) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    shown = Table(*map(str, found.columns), box=SIMPLE, padding=(0, 1, 0, 0))
    for row in found.itertuples(index=False):
        shown.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row))
    console.print(shown)
