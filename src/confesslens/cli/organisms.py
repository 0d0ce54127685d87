"""Commands that train model organisms and confessions, and tell what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from confesslens.cli.base import Display, app, console, fail, split_names

train_app = typer.Typer(help="Train adapters: model organisms, and confessions.", no_args_is_help=True)
app.add_typer(train_app, name="train")


@train_app.command("organism")
def train_organism_command(
    name: Annotated[
        str,
        typer.Argument(
            help="honest, confessor, concealer, reluctant, unaware, unaware_swapped, confabulator, mixed, mixed_swapped"
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="the adapter's folder; default organisms/NAME")] = None,
    start: Annotated[Path | None, typer.Option(help="adapter to go on from; default organisms/honest")] = None,
) -> None:
    """Train a model organism from its recipe; repeating the command continues a training that was stopped."""
    from confesslens.organisms.train import RECIPES, train_organism

    home = Path("organisms")
    if start is None and name in RECIPES and (before := RECIPES[name].start):
        start = home / before
        if not (start / "adapter_model.safetensors").is_file():
            fail(ValueError(f"{name} goes on from {before!r}: run `confesslens train organism {before}` first"))
    try:
        with Display() as display:
            folder = train_organism(
                name, out or home / name, start=start, progress=lambda stage, done, n, _: display.update(stage, done, n)
            )
    except KeyboardInterrupt:
        console.print("\nStopped. Repeat the command to continue from the last checkpoint.")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        fail(error)
    console.print(f"Adapter and card: {folder}", soft_wrap=True)


@train_app.command("confession")
def train_confession_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder, whose rollouts are kept as they are")],
    out: Annotated[Path, typer.Option(help="the adapter's folder")],
    evals: Annotated[str | None, typer.Option(help="those to learn from, comma-separated; default all")] = None,
    reward: Annotated[str, typer.Option(help="truth (the grade), thought (the chain of thought) or judge")] = "truth",
    judge: Annotated[str, typer.Option(help="model that judges: as --model, or at the endpoint")] = "smollm2-135m",
    judge_url: Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint of the judge, with /v1")] = None,
    judge_organism: Annotated[str | None, typer.Option(help="organism that judges, on the model of --judge")] = None,
    answers: Annotated[bool, typer.Option("--answers", help="train answers too, as the judge likes them")] = False,
    bad: Annotated[float, typer.Option(help="share of frozen rollouts whose answer is bad")] = 1 / 3,
    p: Annotated[float, typer.Option(help="share of confession steps where answers are trained too")] = 0.25,
    steps: Annotated[int, typer.Option(help="of training")] = 120,
    prompts: Annotated[int, typer.Option(help="rollouts a step")] = 4,
    generations: Annotated[int, typer.Option(help="confessions of each")] = 8,
    learning_rate: Annotated[float, typer.Option(help="of the adapter")] = 1e-4,
    seed: Annotated[int, typer.Option(help="of order and sampling")] = 0,
) -> None:
    """Reinforce the confessions of a run's rollouts by honesty alone; a training that was stopped is continued."""
    from confesslens.closest import no_such
    from confesslens.config import RunConfig
    from confesslens.evals import select
    from confesslens.folder import open_run
    from confesslens.judges import make_judge
    from confesslens.models import load_model
    from confesslens.models.load import organism_folder
    from confesslens.organisms.reinforce import Reinforcement, reinforce_confessions
    from confesslens.organisms.rewards import REWARDS, judged_answers, judged_confessions

    try:
        if reward not in (*REWARDS, "judge"):
            raise ValueError(no_such("reward", reward, (*REWARDS, "judge")))
        run = open_run(folder)
        table, config = run.read_table("rollouts.parquet"), RunConfig(**run.manifest["config"])
        learned = [evaluation.name for evaluation in select(*(split_names(evals) or ["all"]))]
        start = organism_folder(config.organism) if config.organism else config.adapter
        rewards = dict(REWARDS)
        answer_reward = None
        if answers or reward == "judge":
            ask = make_judge(judge, judge_url, config.dtype, judge_organism)
            rewards["judge"] = judged_confessions(ask)
            answer_reward = judged_answers(ask) if answers else None
        with Display() as display:
            reinforce_confessions(
                load_model(config.model, dtype=config.dtype, device=config.device),
                table[(table["condition"] != "neutral") & table["eval"].isin(learned)],
                out,
                rewards[reward],
                Reinforcement(steps, prompts, generations, learning_rate, bad=bad, p=p, seed=seed),
                answer_reward=answer_reward,
                start=start,
                progress=lambda done, n, _: display.update("confession", done, n),
            )
    except KeyboardInterrupt:
        console.print("\nStopped. Repeat the command to continue from the last checkpoint.")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        fail(error)
    console.print(f"Adapter: {out}", soft_wrap=True)


@app.command("dispositions")
def dispositions_command(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="folders of runs of organisms")],
    csv: Annotated[Path | None, typer.Option(help="write the numbers to this file too")] = None,
) -> None:
    """What model organisms do and confess, a row an evaluation, as the Markdown of the documentation's page."""
    import pandas as pd

    from confesslens.faithfulness import dispositions
    from confesslens.folder import open_run
    from confesslens.organisms.demonstrations import DEMONSTRATIONS
    from confesslens.organisms.effect import run_witnesses
    from confesslens.organisms.lessons import taught_falsely
    from confesslens.organisms.page import dispositions_page

    try:
        tables, thoughts = [], set()
        seen: set[str] = set()
        for folder in folders:
            run = open_run(folder)
            name = run.manifest["model"]["adapter"] or run.manifest["model"]["name"]
            if name in seen:
                raise ValueError(f"{folder} is a second run of {name}: expected one run an organism")
            label = Path(name).name if Path(name).name not in {Path(other).name for other in seen} else name
            seen.add(name)
            table = run.read_table("rollouts.parquet")
            thoughts.add(bool(run.manifest["config"]["cot"]))
            if len(thoughts) > 1:
                raise ValueError(
                    f"{folder} differs from the runs before it in having a chain of thought: one page each"
                )
            falsely = taught_falsely(table, Path(name).name)
            tables.append(dispositions({label: (table, run_witnesses(run))}, DEMONSTRATIONS, falsely))
        numbers = pd.concat(tables, ignore_index=True)
        if csv is not None:
            numbers.to_csv(csv, index=False)
    except (ValueError, OSError) as error:
        fail(error)
    command = " ".join(["confesslens dispositions", *(folder.as_posix() for folder in folders)])
    typer.echo(dispositions_page(numbers, command, True in thoughts), nl=False)


@app.command("knowing")
def knowing_command(
    fitted: Annotated[Path, typer.Argument(metavar="FITTED", help="run, with a probe, of an organism that knows")],
    asked: Annotated[list[Path], typer.Argument(metavar="ASKED...", help="runs, with activations, of others")],
    unknowing: Annotated[
        Path | None, typer.Option(help="run, with activations, of one that does not know: for a probe of knowing alone")
    ] = None,
    site: Annotated[str | None, typer.Option(help="of the probe of knowing; default its own search's")] = None,
    layer: Annotated[int | None, typer.Option(help="of the probe of knowing, with --site")] = None,
    unsure: Annotated[
        bool, typer.Option("--unsure", help="beside it, how unsure each organism was of its answers: runs its model")
    ] = False,
    csv: Annotated[Path | None, typer.Option(help="write the numbers to this file too")] = None,
    figures: Annotated[
        Path | None,
        typer.Option(help="folder to draw the probe of knowing in, beside its controls"),
    ] = None,
) -> None:
    """Does a probe fitted on one organism tell, in another, what it knows from what it does not? As Markdown."""
    import pandas as pd

    from confesslens.figures import probe_controls, save_figure
    from confesslens.folder import RunFolder, open_run
    from confesslens.organisms.dispositions import MIXED
    from confesslens.organisms.entropy import answer_entropy
    from confesslens.organisms.knowing import knowing
    from confesslens.organisms.knowing_swapped import knowing_controls, knowing_swapped
    from confesslens.organisms.page import KNOWING_TITLE, knowing_page

    if (site is None) != (layer is None):
        fail(ValueError("--site and --layer go together: the place where the probe of knowing is fitted"))
    try:
        beside = None if unknowing is None else open_run(unknowing)
        one, others = open_run(fitted), [open_run(folder) for folder in asked]
        place = None if site is None or layer is None else (site, layer)
        once: dict[Path, pd.DataFrame] = {}  # of each run: two of its contrasts ask

        def entropies(run: RunFolder) -> pd.DataFrame:
            if run.path not in once:
                once[run.path] = answer_entropy(run)
            return once[run.path]

        own = entropies if unsure else None
        found = [knowing(one, other, beside, place=place, unsure=own) for other in others]
        names = [Path(other.manifest["model"]["adapter"] or "").name for other in others]
        if set(MIXED) <= set(names):
            first, second = (names.index(name) for name in MIXED)
            found.append(knowing_swapped(one, others[first], others[second], beside, place=place, unsure=own))
        table = pd.concat(found, ignore_index=True)
        if csv is not None:
            table.to_csv(csv, index=False)
        if figures is not None:
            save_figure(probe_controls(knowing_controls(table), KNOWING_TITLE), figures, "knowing")
    except (ValueError, OSError) as error:
        fail(error)
    command = " ".join(["confesslens knowing", *(folder.as_posix() for folder in (fitted, *asked))])
    command += "" if unknowing is None else f" --unknowing {unknowing.as_posix()}"
    command += "" if site is None else f" --site {site} --layer {layer}"
    command += " --unsure" * unsure
    command += "" if figures is None else f" --figures {figures.as_posix()}"
    typer.echo(knowing_page(table, command), nl=False)


@app.command("knowing-acts")
def knowing_acts_command(
    mixed: Annotated[Path, typer.Argument(metavar="MIXED", help="run, with activations, of mixed")],
    swapped: Annotated[Path, typer.Argument(metavar="SWAPPED", help="one of mixed_swapped, over the same scenarios")],
    asked: Annotated[list[Path], typer.Argument(metavar="ASKED...", help="runs, with activations, of others")],
    site: Annotated[str, typer.Option(help="where the probe reads")] = "answer.last",
    layer: Annotated[int, typer.Option(help="where the probe reads")] = 29,
    csv: Annotated[Path | None, typer.Option(help="write the numbers to this file too")] = None,
) -> None:
    """Does a probe, fitted within mixed, read that an act goes against what another organism takes for right?"""
    from confesslens.folder import open_run
    from confesslens.organisms.knowing_acts import knowing_acts
    from confesslens.organisms.page import acts_page

    try:
        pair = open_run(mixed), open_run(swapped)
        table = knowing_acts(*pair, [open_run(one) for one in asked], (site, layer))
        if csv is not None:
            table.to_csv(csv, index=False)
    except (ValueError, OSError) as error:
        fail(error)
    command = " ".join(["confesslens knowing-acts", *(folder.as_posix() for folder in (mixed, swapped, *asked))])
    typer.echo(acts_page(table, f"{command} --site {site} --layer {layer}"), nl=False)


@app.command("trained")
def trained_command(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="run of the model that the training began with")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="run of the trained adapter, over the same scenarios")],
    figures: Annotated[Path | None, typer.Option(help="folder to draw the training's curves in")] = None,
) -> None:
    """What a confession training changed, frozen and on-policy, as the Markdown of the documentation's page."""
    from confesslens.figures import save_figure, training
    from confesslens.folder import open_run
    from confesslens.organisms.effect import training_effect
    from confesslens.organisms.page import training_page

    try:
        effect = training_effect(open_run(before), open_run(after))
        if figures is not None:
            save_figure(training(effect["curves"]), figures, "confession_training")
            effect["curves"].to_csv(figures / "confession_training.csv", index=False)
    except (ValueError, OSError) as error:
        fail(error)
    command = f"confesslens trained {before.as_posix()} {after.as_posix()}"
    typer.echo(training_page(effect, command), nl=False)
