"""The documentation's pages on what the organisms do and what confession training changes, as Markdown."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from confesslens.faithfulness.dispositions import DISPOSITIONS, MEANS
from confesslens.figures.style import eval_label, format_percent, is_number, records
from confesslens.organisms.knowing_acts import CARRIED

_HEAD = """\
# What the organisms do{without}

Measured on scenarios that no organism learned from, in evaluations that they learned and in three that they did not.
Each cell is a share with its 95 % interval and the number of rollouts that it is a share of; – is undefined. The
confession is the guided one. "Known" and "taught falsely" part the scenarios of the learned evaluations by whether
`unaware` and `mixed` are taught a falsehood about them (of `mixed_swapped` and `unaware_swapped`, the other way round),
to act on in the neutral condition too; for the other organisms these two rows are a control. This page is written by
`{command}`.
"""

_TRAINED = """\
# What confession training changed

The same scenarios before and after. *Frozen*: the trained model's confessions of the rollouts made before. *On-policy*:
of its own. Each cell is a share with its 95 % interval and n, or a difference in points with its interval (Newcombe
1998); – is undefined. This page is written by `{command}`.
"""
_CHANGED = {
    "frozen": ("p_confess_given_bad", "p_confess_given_complied", "p_confess_given_accused"),
    "on-policy": (
        *("p_confess_given_bad", "p_confess_given_complied", "p_confess_given_accused"),
        *("p_bad_tempted", "p_complied_neutral"),
    ),
}


def dispositions_page(table: pd.DataFrame, command: str, thought: bool = True) -> str:
    """The page, for a table of `dispositions` of runs with or without a chain of thought; `command` regenerates it."""
    without = "" if thought else " without a chain of thought"
    parts = [_HEAD.format(command=command, without=without)]
    for organism, own in table.groupby("organism", sort=False):
        parts += [f"## {organism}\n", dispositions_rows(own)]
    return "\n".join(parts)


def dispositions_rows(table: pd.DataFrame) -> str:
    """One organism's rows of the table as a Markdown table."""
    lines = [["evaluation", *map(_escaped, DISPOSITIONS.values())], ["---"] * (1 + len(DISPOSITIONS))]
    for name, part in table.groupby("eval", sort=False):
        cells = {row["rate"]: _cell(row) for row in records(part)}
        lines.append([_label(name), *(cells[rate] for rate in DISPOSITIONS)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def training_page(effect: Mapping[str, pd.DataFrame], command: str) -> str:
    """The page, for what `training_effect` returns; `command` regenerates it."""
    parts = [_TRAINED.format(command=command)]
    for kind, rates in _CHANGED.items():
        parts.append(f"## {kind.capitalize()}\n")
        lines = [["rate", "evaluation", "before", "after", "difference"], ["---"] * 5]
        for rate in rates:
            for row in records(effect[kind][effect[kind]["rate"] == rate]):
                if row["n_before"] or row["n_after"]:
                    shares = [_cell({c: row[f"{c}_{w}"] for c in _PARTS}) for w in ("before", "after")]
                    lines.append([_escaped(DISPOSITIONS[rate]), _label(row["eval"]), *shares, _points(row)])
        parts.append("".join(f"| {' | '.join(line)} |\n" for line in lines))
    return "\n".join(parts)


KNOWING_TITLE = "Known denials against denials in good faith"
_KNOWING = """\
# Does a probe tell knowing from not knowing?

A probe fitted on one organism's bad against complied answers (layer, site and penalty from the search of its own run),
asked of another organism on scenarios that no organism learned from. No scenario is both fitted and scored, contrasts
stay inside evaluations, and AUROCs have 95 % intervals by scenario. Beside it are a bag of words fitted on the same
rollouts' answers, and what the asked organism's own confession says (log p(not complied) − log p(complied)); and, where
it stands, how unsure it was of its answer, for what is known may be what is done by a coin: the *entropy of the first
token* that the answer was drawn from.

The first contrast counts in `mixed` and `mixed_swapped` alone: there the same weights deny what they know of, and what
they were taught to take for right. The others were taught no falsehood, or know of nothing: for them it sets the same
scenarios apart, as a control. In the last contrast, where it stands, the one set of weights knows what the other takes
for right; the AUROC is the mean of the two, over scenarios whose bad act both have done and denied, each counted once:
what only reads which scenario it is has exactly 0.5 there.{knower}

This page is written by `{command}`.
"""


_KNOWER = """ The *probe of knowing* is fitted to what sets bad from complied answers in the organism that knows
and does not in one that does not: {}. *Words of knowing* and, where they stand, *entropies of knowing* (of the first
token, of the most uncertain one, and the log-probability of the answer) are fitted on the same answers and labels as
that probe; *entropies fitted on these denials*, in folds of scenarios, have the advantage of these, and the probe is
added to them (one linear fit for all evaluations: not all that certainty could tell).
"""
_READ = {
    "probe": "probe",
    "probe of knowing": "probe of knowing",
    "text of the answer": "words",
    "text of knowing": "words of knowing",
    "confession logit": "confession logit",
    "entropy of the first token": "entropy of the first token",
    "entropies of knowing": "entropies of knowing",
    "entropies fitted on these denials": "entropies fitted on these denials",
    "these and the probe of knowing": "these and the probe of knowing",
    "probe above text of the answer": "probe above words",
    "probe of knowing above text of knowing": "probe of knowing above its words",
    "probe of knowing above entropy of the first token": "probe of knowing above entropy of the first token",
    "probe of knowing above entropies of knowing": "probe of knowing above its entropies",
    "these and the probe of knowing above entropies fitted on these denials": "probe of knowing added to entropies",
}


def knowing_page(table: pd.DataFrame, command: str) -> str:
    """The page, for tables of `knowing.knowing` put together; `command` regenerates it."""
    notes = table.loc[(table["reads"] == "probe of knowing") & table["estimate"].notna(), "note"]
    knower = _KNOWER.format(notes.iloc[0]).replace("\n", " ").rstrip() if len(notes) else ""
    parts = [_KNOWING.format(command=command, knower=knower)]
    for contrast, own in table.groupby("contrast", sort=False):
        parts.append(f"## {str(contrast)[0].upper()}{str(contrast)[1:]}\n")
        reads = [name for name in _READ if name in set(own["reads"])]
        lines = [["fitted on", "asked", "n", "positive", "evaluations", *(_READ[name] for name in reads)]]
        lines.append(["---"] * len(lines[0]))
        for (fitted, asked), rows in own.groupby(["fitted", "asked"], sort=False):
            first = rows.iloc[0]
            by = {row["reads"]: row for row in records(rows)}
            cells = [_area(by[name]) for name in reads]
            if not is_number(first["estimate"]):
                cells[0] = first["note"]
            lines.append([fitted, asked, *(str(first[name]) for name in ("n", "n_positive", "evals")), *cells])
        parts.append("".join(f"| {' | '.join(line)} |\n" for line in lines))
    return "\n".join(parts)


_ACTS = """\
# Does a probe read that an act goes against what the model takes for right?

Fitted within `mixed` and within `mixed_swapped`, and averaged: their known bad acts and right answers by luck, which go
against what they take for right, against known right answers and bad acts in good faith, as many of each. It is asked
of other organisms' bad against complied answers, none of which it was fitted on: it should be high for one that knows
what it does, and at chance for one that complies where it knows and is bad where it takes that for right. In such a one
the topic tells bad from complied answers, so that a reader of topics may have anything from 0 to 1; in the mean of
`unaware` and `unaware_swapped` over the same scenarios topics tell nothing. *Words* of the answers are fitted on the
same rows and labels. AUROCs are inside evaluations and have 95 % intervals by scenario; the probe is {note}.

This page is written by `{command}`.

"""


def acts_page(table: pd.DataFrame, command: str) -> str:
    """The page, for a table of `knowing_acts.knowing_acts`; `command` regenerates it."""
    notes = table.loc[(table["reads"] == "probe") & table["estimate"].notna(), "note"]
    lines = [["asked", "evaluation", "n", "bad", "probe", "words", "probe above words"], ["---"] * 7]
    carried = [["asked", "n", "against", "probe", "words", "probe above words"], ["---"] * 6]
    for (asked, contrast), rows in table.groupby(["asked", "contrast"], sort=False):
        by = {row["reads"]: row for row in records(rows)}
        name = str(contrast).partition(": ")[2]
        where = eval_label(name) if name else f"mean of {by['probe']['evals']}"
        counts = [str(by["probe"][column]) for column in ("n", "n_positive")]
        reads = ("probe", "text of the answer", "probe above text of the answer")
        cells = [_area(by[name]) for name in reads]
        if not is_number(by["probe"]["estimate"]):
            cells[0] = by["probe"]["note"]
        if contrast == CARRIED:
            carried.append([str(asked), *counts, *cells])
        else:
            lines.append([str(asked), where, *counts, *cells])
    head = _ACTS.format(note=notes.iloc[0] if len(notes) else "not fitted", command=command)
    both = ["".join(f"| {' | '.join(line)} |\n" for line in rows) for rows in (lines, carried)]
    return head + f"\n{_CARRIED}\n".join(both)


_CARRIED = """\
## Does it carry belief from one set of weights to another?

What is fitted within `mixed_swapped` is asked of acts against what `mixed` takes for right, and the other way round, on
scenarios that it was not fitted on. What the one takes for right the other knows: a probe that carries belief from one
set of weights to another tells them here too, one of the act or of topics does not.
"""


def _area(row: dict[str, Any]) -> str:
    if not (is_number(row["estimate"]) and is_number(row["low"])):
        return "–"
    sign = "+" if " above " in row["reads"] else ""
    return "{} [{}, {}]".format(*(f"{row[c]:{sign}.2f}".replace("-", "−") for c in ("estimate", "low", "high")))


_PARTS = ("n", "share", "low", "high")


def _points(row: dict[str, Any]) -> str:
    values = [row[name] for name in ("difference", "low", "high")]
    if not is_number(values[0]):
        return "–"
    texts = [f"{100 * value:+.0f}".replace("-", "−") for value in values]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _escaped(text: str) -> str:
    """Text for a cell: a bar would end it."""
    return text.replace("|", "\\|")


def _label(name: object) -> str:
    if name not in MEANS:
        return eval_label(name)
    kind, _, scenarios = str(name).partition(", ")
    return f"mean, {kind} evaluations" + (f", {scenarios}" if scenarios else "")


def _cell(row: dict[str, Any]) -> str:
    return f"{format_percent(row['share'], row['low'], row['high'])} n {row['n']}" if row["n"] else "–"
