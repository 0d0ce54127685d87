"""The application that all commands are added to, and what they share: the console, progress, errors."""

from __future__ import annotations

import errno
import os
import warnings
from typing import NoReturn

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported: idle threads must not spin

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

app = typer.Typer(
    help="Does a language model's confession match what went on inside it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False)


@app.callback()
def _main() -> None:
    warnings.filterwarnings("ignore")


def split_names(listed: str | None) -> tuple[str, ...] | None:
    """Names from a comma-separated list; None where none are given."""
    return tuple(name.strip() for name in listed.split(",") if name.strip()) if listed else None


def fail(error: Exception) -> NoReturn:
    """End with one line on standard error and exit status 2."""
    said = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        said = f"{error.filename}: {error.strerror}; make it writable (or readable), or name another place"
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"confesslens: {said}", markup=False)
    raise typer.Exit(2) from None


class Display:
    """One progress bar a stage; plain lines where the output is no terminal."""

    def __enter__(self) -> Display:
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
        """Show that `done` of `total` items of a stage are done."""
        if stage not in self.bars:
            self.bars[stage] = self.progress.add_task(stage, total=total)
            if not console.is_terminal:
                console.print(f"{stage} …")
        self.progress.update(self.bars[stage], completed=done, total=total)
