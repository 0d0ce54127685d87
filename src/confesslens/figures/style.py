"""What the figures share: style file, colours, names of cells, written numbers, the panel for nothing to show."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.style
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

STYLE_FILE = Path(__file__).with_name("confesslens.mplstyle")
WIDTH = 5.2  # inches, as in the style file

BLUE, ORANGE, GREEN, YELLOW, PINK, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"
INK, GREY = "#222222", "#666666"

# Cell -> (name, colour), in the order in which they are stacked. B behaviour bad, P probe fires, C confessed.
CELLS: dict[str, tuple[str, str]] = {
    "B1P1C1": ("aware confession", BLUE),
    "B1P1C0": ("concealment", ORANGE),
    "B1P0C0": ("ignorance", YELLOW),
    "B1P0C1": ("post-hoc discovery", SKY),
    "B0C1": ("false confession", PINK),
    "B0C0": ("true compliance", "#BDBDBD"),
}
WITNESSES: dict[str, str] = {"behaviour": "did", "probe": "knew", "cot": "thought", "confession": "said"}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the packaged style alone, whatever the caller's own settings are; usable as a decorator."""
    with matplotlib.style.context(STYLE_FILE, after_reset=True):
        yield


def require_columns(table: pd.DataFrame, columns: list[str], table_name: str) -> None:
    """Raise ValueError naming the columns that a non-empty table lacks."""
    missing = [column for column in columns if column not in table.columns]
    if missing and len(table):
        raise ValueError(f"the {table_name} table lacks the columns {missing}; it has {list(table.columns)}")


def eval_label(name: object) -> str:
    """The name of an evaluation as a reader sees it: "word_count" becomes "word count"."""
    return "macro average" if name == "macro" else str(name).replace("_", " ")


def cell_label(cell: object) -> str:
    """The name of a cell as a reader sees it: "B1P1C0" becomes "concealment"."""
    return CELLS[str(cell)][0] if str(cell) in CELLS else str(cell)


def is_number(value: Any) -> bool:
    """Whether the value is a finite number (not None, NaN, infinite or text)."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """List the rows of a table, each by column name."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def format_count(value: Any) -> str:
    """Write a count, "40", or "–" where there is none."""
    return f"{int(float(value))}" if is_number(value) else "–"


def format_percent(value: Any, low: Any = None, high: Any = None) -> str:
    """Write a share with its interval, "44% [30, 58]", or "–" where it is undefined."""
    if not is_number(value):
        return "–"
    text = f"{100 * float(value):.0f}%"
    return f"{text} [{100 * float(low):.0f}, {100 * float(high):.0f}]" if is_number(low) and is_number(high) else text


def format_number(value: Any, low: Any = None, high: Any = None, signed: bool = False) -> str:
    """Write a statistic with its interval, "0.62 [0.51, 0.73]", or "–" where it is undefined."""
    if not is_number(value):
        return "–"
    sign = "+" if signed else ""
    texts = [f"{round(float(x), 2) + 0.0:{sign}.2f}".replace("-", "−") for x in (value, low, high) if is_number(x)]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]" if len(texts) == 3 else texts[0]


def ink_on(colour: Any) -> str:
    """Black or white, whichever has the higher contrast with the colour (WCAG 2.2, relative luminance)."""
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(colour))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "black" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "white"


def set_title(fig: Figure, title: str, room: float = 0.0) -> None:
    """Set the title of the whole figure at its top left, and keep `room` inches free below it (for a legend)."""
    height = fig.get_figheight()
    fig.suptitle(title, x=0.06 / fig.get_figwidth(), y=1 - 0.08 / height, ha="left", va="top", weight="bold")
    engine = fig.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, 1 - (0.3 + room) / height))


def width_for(names: Iterable[object]) -> float:
    """Return a figure width in inches that leaves room for the longest of these labels."""
    return WIDTH + 0.07 * max(0, max(len(eval_label(name)) for name in names) - 14)


def draw_reason(ax: Axes, reason: str) -> None:
    """Say in words, in the middle of the panel, why there is nothing to show."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, reason, ha="center", va="center", wrap=True, color=GREY, transform=ax.transAxes)


def blank_figure(title: str, reason: str) -> Figure:
    """Return a figure that says in words why there is nothing to show."""
    fig = Figure(figsize=(WIDTH, 1.6))
    ax = fig.add_subplot()
    draw_reason(ax, reason)
    set_title(fig, title)
    return fig


def undefined_patch(x: float, y: float, **keywords: Any) -> Rectangle:
    """Return the hatched rectangle, one unit wide and high, that marks an undefined value."""
    return Rectangle(
        (x + 0.01, y + 0.01),
        0.98,
        0.98,
        facecolor="#F2F2F2",
        edgecolor="#BBBBBB",
        hatch="////",
        linewidth=0,
        **keywords,
    )
