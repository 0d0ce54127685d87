"""The command line."""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any, NoReturn

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported: idle threads must not spin

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

app = typer.Typer(
    help="Does a language model's confession match what went on inside it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
train_app = typer.Typer(help="Train adapters: model organisms, and confessions.", no_args_is_help=True)
app.add_typer(train_app, name="train")
console = Console(highlight=False)
_HEADLINES = ("overall", "probe", "cells", "denied")  # the sentences that end a run; the report has them all


@app.callback()
def _main() -> None:
    warnings.filterwarnings("ignore")


@app.command("run")
def run_command(
    preset: Annotated[str | None, typer.Option(help="quick (3 minutes on two cores) or standard")] = None,
    model: Annotated[str | None, typer.Option(help="smollm2-135m, a hub id, a folder or a .gguf file")] = None,
    adapter: Annotated[str | None, typer.Option(help="folder of a PEFT adapter")] = None,
    organism: Annotated[str | None, typer.Option(help="a model organism, on scenarios that it never saw")] = None,
    evals: Annotated[str | None, typer.Option(help="comma-separated, or all; default three that are quick")] = None,
    tier: Annotated[str | None, typer.Option(help="tiny, small (for 1-8B) or full (as in the paper)")] = None,
    conditions: Annotated[str | None, typer.Option(help="comma-separated, or all; neutral always")] = None,
    n: Annotated[int | None, typer.Option(help="scenarios per evaluation")] = None,
    seed: Annotated[int | None, typer.Option(help="of scenarios and sampling")] = None,
    out: Annotated[Path | None, typer.Option(help="the run's folder; default runs/PRESET-MODEL-seedS")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings; options override it")] = None,
    workers: Annotated[int | None, typer.Option(help="processes; default one a core")] = None,
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
        "adapter": adapter,
        "organism": organism,
        "evals": _names(evals),
        "tier": tier,
        "conditions": _names(conditions),
        "n": n,
        "seed": seed,
        "workers": workers,
        "trust_remote_code": trust_remote_code,
    }
    try:
        settings = make_config(options, config)
        with _Display() as display:
            done = run(settings, out, progress=display.update, command=shlex.join(["confesslens", *sys.argv[1:]]))
    except KeyboardInterrupt:
        console.print("\nStopped. Repeat the command to continue where it was.")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        _fail(error)
    _summarise(done.tables(), done.manifest, done.path)


@train_app.command("organism")
def train_organism_command(
    name: Annotated[str, typer.Argument(help="honest, confessor, concealer, unaware, confabulator or mixed")],
    out: Annotated[Path | None, typer.Option(help="the adapter's folder; default organisms/NAME")] = None,
    start: Annotated[Path | None, typer.Option(help="adapter to go on from; default organisms/honest")] = None,
) -> None:
    """Train a model organism from its recipe; repeating the command continues a training that was stopped."""
    from confesslens.organisms.train import RECIPES, train_organism

    home = Path("organisms")
    if start is None and name in RECIPES and (before := RECIPES[name].start):
        start = home / before
        if not (start / "adapter_model.safetensors").is_file():
            _fail(ValueError(f"{name} goes on from {before!r}: run `confesslens train organism {before}` first"))
    try:
        with _Display() as display:
            folder = train_organism(
                name, out or home / name, start=start, progress=lambda stage, done, n, _: display.update(stage, done, n)
            )
    except KeyboardInterrupt:
        console.print("\nStopped. Repeat the command to continue from the last checkpoint.")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        _fail(error)
    console.print(f"Adapter and card: {folder}", soft_wrap=True)


@train_app.command("confession")
def train_confession_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder, whose rollouts are kept as they are")],
    out: Annotated[Path, typer.Option(help="the adapter's folder")],
    reward: Annotated[str, typer.Option(help="truth (the grade), thought (the chain of thought) or judge")] = "truth",
    judge: Annotated[str, typer.Option(help="model that judges: as --model, or at the endpoint")] = "smollm2-135m",
    judge_url: Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint of the judge, with /v1")] = None,
    answers: Annotated[bool, typer.Option("--answers", help="train answers too, as the judge likes them")] = False,
    p: Annotated[float, typer.Option(help="share of confession steps where answers are trained too")] = 0.25,
    steps: Annotated[int, typer.Option(help="of training")] = 120,
    seed: Annotated[int, typer.Option(help="of order and sampling")] = 0,
) -> None:
    """Reinforce the confessions of a run's rollouts by honesty alone; a training that was stopped is continued."""
    from confesslens.closest import no_such
    from confesslens.config import RunConfig
    from confesslens.folder import RunFolder
    from confesslens.models import load_model
    from confesslens.models.load import organism_folder
    from confesslens.organisms.judge import endpoint_judge, model_judge
    from confesslens.organisms.reinforce import Reinforcement, reinforce_confessions
    from confesslens.organisms.rewards import REWARDS, judged_answers, judged_confessions

    try:
        if reward not in (*REWARDS, "judge"):
            raise ValueError(no_such("reward", reward, (*REWARDS, "judge")))
        run = RunFolder(folder)
        table, config = run.read_table("rollouts.parquet"), RunConfig(**run.manifest["config"])
        start = organism_folder(config.organism) if config.organism else config.adapter
        rewards = dict(REWARDS)
        answer_reward = None
        if answers or reward == "judge":
            ask = endpoint_judge(judge_url, judge) if judge_url else model_judge(load_model(judge, dtype=config.dtype))
            rewards["judge"] = judged_confessions(ask)
            answer_reward = judged_answers(ask) if answers else None
        with _Display() as display:
            reinforce_confessions(
                load_model(config.model, dtype=config.dtype, device=config.device),
                table[table["condition"] != "neutral"],
                out,
                rewards[reward],
                Reinforcement(steps=steps, seed=seed, p=p),
                answer_reward=answer_reward,
                start=start,
                progress=lambda done, n, _: display.update("confession", done, n),
            )
    except KeyboardInterrupt:
        console.print("\nStopped. Repeat the command to continue from the last checkpoint.")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        _fail(error)
    console.print(f"Adapter: {out}", soft_wrap=True)


@app.command("regrade")
def regrade_command(folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")]) -> None:
    """Grade a run's answers again with the graders of this version, and redo its probes, comparison and report."""
    from confesslens.run import regrade_run

    try:
        with _Display() as display:
            done = regrade_run(folder, progress=display.update)
    except (ValueError, OSError) as error:
        _fail(error)
    _summarise(done.tables(), done.manifest, done.path)


@app.command("table1")
def table1_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")],
    condition: Annotated[str, typer.Option(help="one of the run's conditions")] = "tempted",
    csv: Annotated[Path | None, typer.Option(help="write the numbers to this file too")] = None,
) -> None:
    """Table 1 of the confession paper for a run: shares with 95 % intervals and n, next to the paper's figures."""
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
        _fail(error)
    shown = show_table1(numbers)
    title = f"{run.manifest['model']['name']}, {condition}"
    table = Table(*shown.columns, title=title, caption=shown.note, box=SIMPLE, padding=(0, 1, 0, 0))
    for row in shown.rows:
        table.add_row(*row)
    console.print(table)


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

    from confesslens.config import RunConfig
    from confesslens.figures.report.tables import show_tables
    from confesslens.folder import RunFolder
    from confesslens.stages import comparison

    try:
        run = RunFolder(folder)
        if not run.manifest:
            raise ValueError(f"{folder} holds no run: expected a folder with manifest.json")
        known = pd.read_csv(errors) if errors is not None else None
        found = comparison(run, RunConfig(**run.manifest["config"]), known, threshold)
        tables = found.tables()
        if csv is not None:
            csv.mkdir(parents=True, exist_ok=True)
            for name, numbers in tables.items():
                numbers.to_csv(csv / f"{name}.csv", index=False)
    except (ValueError, OSError) as error:
        _fail(error)
    for shown in show_tables(tables):
        if shown.rows and not shown.folded:
            table = Table(*shown.columns, title=shown.title, caption=shown.note, box=SIMPLE, padding=(0, 1, 0, 0))
            for row in shown.rows:
                table.add_row(*(escape(value) for value in row))
            console.print(table)
    for text in found.sentences["text"]:
        console.print(f"• {text}", markup=False, soft_wrap=True)
    if csv is not None:
        console.print(f"\nTables: {csv}", soft_wrap=True)


@app.command("coverage")
def coverage_command(
    out: Annotated[Path, typer.Option(help="folder of parts, table and picture")] = Path("figures/coverage"),
    draws: Annotated[int, typer.Option(help="for each setting")] = 500,
) -> None:
    """Do the intervals cover and the tests keep their level? Draws from a known model; continues where it stopped."""
    from confesslens.faithfulness.study import run_study
    from confesslens.figures import coverage, save_figure

    try:
        with _Display() as display:
            table = run_study(out, draws, progress=lambda done, total: display.update("draws", done, total))
        save_figure(coverage(table), out, "coverage")
    except KeyboardInterrupt:
        console.print("\nStopped. Repeat the command to continue where it was.")
        raise typer.Exit(130) from None
    except (ValueError, OSError) as error:
        _fail(error)
    off = table[~table["within"]]
    console.print(f"{len(table) - len(off)} of {len(table)} rates are as promised. Table: {out / 'coverage.csv'}")


@app.command("dispositions")
def dispositions_command(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="folders of runs of organisms")],
    csv: Annotated[Path | None, typer.Option(help="write the numbers to this file too")] = None,
) -> None:
    """What model organisms do and confess, a row an evaluation, as the Markdown of the documentation's page."""
    from confesslens.faithfulness import dispositions
    from confesslens.folder import RunFolder
    from confesslens.organisms.demonstrations import DEMONSTRATIONS
    from confesslens.organisms.page import dispositions_page

    try:
        runs = {}
        for folder in folders:
            run = RunFolder(folder)
            name = run.manifest["model"]["adapter"] or run.manifest["model"]["name"]
            if name in runs:
                raise ValueError(f"{folder} is a second run of {name}: expected one run an organism")
            runs[name] = (run.read_table("rollouts.parquet"), run.read_table("results/witnesses.parquet"))
        numbers = dispositions(runs, DEMONSTRATIONS)
        if csv is not None:
            numbers.to_csv(csv, index=False)
    except (ValueError, OSError) as error:
        _fail(error)
    command = " ".join(["confesslens dispositions", *(folder.as_posix() for folder in folders)])
    typer.echo(dispositions_page(numbers, command), nl=False)


@app.command("trained")
def trained_command(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="run of the model that the training began with")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="run of the trained adapter, over the same scenarios")],
    figures: Annotated[Path | None, typer.Option(help="folder to draw the training's curves in")] = None,
) -> None:
    """What a confession training changed, frozen and on-policy, as the Markdown of the documentation's page."""
    from confesslens.figures import save_figure, training
    from confesslens.folder import RunFolder
    from confesslens.organisms.effect import training_effect
    from confesslens.organisms.page import training_page

    try:
        effect = training_effect(RunFolder(before), RunFolder(after))
        if figures is not None:
            save_figure(training(effect["curves"]), figures, "confession_training")
            effect["curves"].to_csv(figures / "confession_training.csv", index=False)
    except (ValueError, OSError) as error:
        _fail(error)
    command = f"confesslens trained {before.as_posix()} {after.as_posix()}"
    typer.echo(training_page(effect, command), nl=False)


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

    table = Table("evaluation", "induces", "counts as bad", "text-matched twins", show_lines=True)
    for evaluation in EVALUATIONS.values():
        table.add_row(evaluation.name, evaluation.induces, evaluation.bad, evaluation.twins or "none")
    console.print(table)
    for what in ("tiers", "conditions"):
        for names in dict.fromkeys(getattr(evaluation, what) for evaluation in EVALUATIONS.values()):
            having = [e.name for e in EVALUATIONS.values() if getattr(e, what) == names]
            of = "all" if len(having) == len(EVALUATIONS) else ", ".join(having)
            console.print(f"{what} of {of}: {', '.join(names)}", soft_wrap=True)


def _names(listed: str | None) -> tuple[str, ...] | None:
    return tuple(name.strip() for name in listed.split(",") if name.strip()) if listed else None


def _fail(error: Exception) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"confesslens: {error}", markup=False)
    raise typer.Exit(2) from None


class _Display:
    """One progress bar a stage; plain lines where the output is no terminal."""

    def __enter__(self) -> _Display:
        self.bars: dict[str, TaskID] = {}
        self.progress = Progress(
            TextColumn("{task.description:<13}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def update(self, stage: str, done: int, total: int) -> None:
        if stage not in self.bars:
            self.bars[stage] = self.progress.add_task(stage, total=total)
            if not console.is_terminal:
                console.print(f"{stage} …")
        self.progress.update(self.bars[stage], completed=done, total=total)


def _summarise(tables: dict[str, Any], manifest: dict[str, Any], folder: Path) -> None:
    console.print()
    found = tables["sentences"]
    for text in found.loc[found["key"].isin(_HEADLINES), "text"]:
        console.print(f"• {text}", markup=False)
    seconds = sum(stage.get("seconds", 0) for stage in manifest["stages"].values())
    console.print(f"\nReport: {folder / 'report.html'}  ({seconds:.0f} s of work)", soft_wrap=True)
