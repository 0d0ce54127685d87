"""The command that makes released figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from confesslens.cli.base import Display, app, console, fail


@app.command("figure")
def figure_command(
    name: Annotated[str | None, typer.Argument(help="a figure, or all; without one they are listed")] = None,
    preset: Annotated[str | None, typer.Option(help="quick (a small version) or standard (as released)")] = None,
    model: Annotated[str | None, typer.Option(help="another model, as `confesslens run --model`")] = None,
    out: Annotated[Path | None, typer.Option(help="default figures; with --preset quick, runs/figures-quick")] = None,
    work: Annotated[Path, typer.Option(help="folder of the runs that figures share")] = Path("runs"),
) -> None:
    """Make a figure of the paper's or ours from its recipe: data, PNG, SVG and caption in OUT/NAME.

    A recipe.yaml that is there is followed: change its `model:` and repeat the command. --preset begins it anew.
    """
    from confesslens.experiments import EXPERIMENTS, default_recipe, make_figure, read_recipe
    from confesslens.experiments.make import RECIPE, find_experiment

    if name is None:
        table = Table("figure", "shows", box=SIMPLE)
        for experiment in EXPERIMENTS.values():
            table.add_row(experiment.name, experiment.shows)
        console.print(table)
        return
    home = out or Path("runs/figures-quick" if preset == "quick" else "figures")
    failed = []
    try:
        wanted = list(EXPERIMENTS) if name == "all" else [find_experiment(name).name]
        for figure in wanted:
            console.print(f"[bold]{figure}[/bold]")
            try:
                if preset is None and model is None and (home / figure / RECIPE).is_file():
                    recipe = read_recipe(home / figure / RECIPE)
                else:
                    fixed = name == "all" and EXPERIMENTS[figure].model_free
                    recipe = default_recipe(figure, preset or "standard", None if fixed else model)
                again = f"confesslens figure {figure}"
                with Display() as display:
                    folder = make_figure(recipe, home, work, progress=display.update, command=again)
                console.print(f"{folder / f'{figure}.png'}", soft_wrap=True)
            except ValueError as error:
                if name != "all":
                    raise
                failed.append(figure)
                console.print(f"not made: {error}", markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        console.print("\nStopped. Repeat the command to continue where it was.")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        fail(error)
    if failed:
        fail(ValueError(f"not made: {', '.join(failed)} (why is said above)"))
