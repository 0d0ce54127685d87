"""What is wrong with a data set, before a probe is fitted to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from confesslens.probes.bootstrap import Interval, auroc_interval
from confesslens.probes.cv import MIN_SCENARIOS, Split, contrast_weights, rarer_scenarios, scenario_folds
from confesslens.probes.metrics import mixed_evals

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing found.

    Attributes:
        name: of the kind of finding, such as "length" or "duplicates_across_folds".
        severity: "error" (a probe's number would be wrong, or cannot be had), "warning" (the number may have another
            cause than the activations) or "note" (to be known).
        message: one sentence with the figures.
        rows: [m] indices of the rows concerned.
    """

    name: str
    severity: Severity
    message: str
    rows: NDArray[np.intp] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.severity} {self.name}: {self.message}"


def lint(
    labels: ArrayLike,
    groups: ArrayLike,
    texts: Sequence[str] | None = None,
    folds: ArrayLike | Sequence[Split] | None = None,
    first_tokens: ArrayLike | None = None,
    evals: ArrayLike | None = None,
    margin: float = 0.1,
    few: int = 10,
    least_words: int = 5,
    n_boot: int = 1000,
    seed: int = 0,
) -> list[Finding]:
    """Look for what lets a probe score without reading what it should, and for data that cannot carry a number.

    - `length`: the AUROC of the text's length in characters, inside evaluations, with its scenario-clustered interval:
      a warning where the whole interval is outside 0.5 +- `margin`, a note where it is outside 0.5. Asked of all
      evaluations together (95 % interval) and of each (Bonferroni's level).
    - `first_token`: the same for the AUROC of the log-odds of the bad act given the first token, learned on the other
      folds by scenario; above 0.5 only. The letter of an answer, or "Sorry", can be all that a probe reads.
    - `duplicates_across_folds` (error), `near_duplicates_across_folds` (warning): the same text in two folds, as it
      is, or up to case and white space. Without `folds`: `duplicates_across_scenarios` and
      `near_duplicates_across_scenarios` (warnings), for folds by scenario may part them. Texts of fewer than
      `least_words` words recur by chance and are left out.
    - `scenario_across_folds` (error): rows of one scenario in two folds.
    - `one_class` (error): all labels are the same. `few_of_class`: the rarer class has fewer than 4 scenarios, in
      evaluations with both classes (error), or fewer than `few` (warning: percentile intervals are then too short).
    - `one_class_eval` (warning): an evaluation of one class adds nothing inside evaluations, and lets a probe that
      pools them read the evaluation.
    - `one_label_groups`: scenarios of several rows that all have one label: a note, or a warning when no scenario has
      both, for then nothing tells the label from the scenario.

    Args:
        labels: [n] true for the bad act.
        groups: [n] scenarios.
        texts: [n] the text that the read site could see, such as the answer.
        folds: [n] the fold in which each row is tested, or (train, test) pairs of row indices.
        first_tokens: [n] first token of each text, as id or string; the first word of `texts` when None.
        evals: [n] evaluation names; one evaluation when None.
        margin: distance of an AUROC from 0.5 from which it is a warning.
        few: scenarios of the rarer class below which it is a warning.
        least_words: words from which texts are compared.
        n_boot: draws of each interval.
        seed: of the draws and folds.

    Returns:
        The findings, errors first; none where all is well.

    Raises:
        ValueError: lengths that do not fit together, labels that are not two-valued, or folds that test a row twice.
    """
    label = _labels(labels)
    group, name = np.asarray(groups), np.full(len(label), "") if evals is None else np.asarray(evals).astype(str)
    fold = None if folds is None else _fold_of(folds, len(label))
    text = None if texts is None else [t if isinstance(t, str) else "" for t in texts]
    token = None if first_tokens is None else np.asarray(first_tokens).astype(str)
    for what, given in (("groups", group), ("evals", name), ("texts", text), ("first_tokens", token), ("folds", fold)):
        if given is not None and len(given) != len(label):
            raise ValueError(f"{what} need one entry a row, got {len(given)} for {len(label)} labels")
    if token is None and text is not None:
        token = np.array([(t.split(maxsplit=1) or [""])[0] for t in text])
    found = [*_classes(label, group, name, few), *_one_label_groups(label, group)]
    if fold is not None:
        found += _torn_scenarios(group, fold)
    if text is not None:
        found += _duplicates(text, group, fold, least_words)
        length = np.array([len(t) for t in text], dtype=float)
        found += _associations("length", "the text's length", label, length, name, group, margin, n_boot, seed)
    if token is not None and rarer_scenarios(label, group, name) >= 2:
        odds = _token_log_odds(token, label, group, name, seed)
        found += _associations("first_token", "the first token", label, odds, name, group, margin, n_boot, seed)
    return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))


def _labels(labels: ArrayLike) -> NDArray[np.bool_]:
    given = np.asarray(labels)
    if given.ndim != 1 or not len(given) or not np.isin(given, [0, 1]).all():
        raise ValueError("labels must be [n] booleans, true for the bad act; drop rows of behaviour 'neither' first")
    return given.astype(bool)


def _fold_of(folds: ArrayLike | Sequence[Split], n: int) -> NDArray:
    """[n] the fold in which each row is tested; -1 for rows that none tests."""
    given: Any = folds
    if not (isinstance(given, list | tuple) and len(given) and isinstance(given[0], tuple) and len(given[0]) == 2):
        return np.asarray(given)
    out = np.full(n, -1)
    for i, (_, test) in enumerate(given):
        twice = np.asarray(test)[out[test] >= 0]
        if len(twice):
            raise ValueError(f"folds test row {int(twice[0])} twice; expected once")
        out[test] = i
    return out


def _classes(label: NDArray, group: NDArray, name: NDArray, few: int) -> Iterator[Finding]:
    rows = np.arange(len(label))
    if label.all() or not label.any():
        yield Finding("one_class", "error", f"all {len(label)} rows are {'bad' if label[0] else 'complied'}", rows)
        return
    mixed = mixed_evals(label, name)
    for each in sorted({str(e) for e in name} - set(mixed)):
        inside = rows[name == each]
        which = "bad" if label[inside[0]] else "complied"
        yield Finding("one_class_eval", "warning", f"all {len(inside)} rows of {each!r} are {which}", inside)
    count = rarer_scenarios(label, group, name)
    if count < max(few, MIN_SCENARIOS):
        inside = np.isin(name, mixed)
        bad, complied = (len(np.unique(group[inside & of])) for of in (label, ~label))
        rarer = label if bad <= complied else ~label
        message = f"{bad} scenarios show the bad act and {complied} compliance, in evaluations that have both"
        yield Finding("few_of_class", "error" if count < MIN_SCENARIOS else "warning", message, rows[inside & rarer])


def _one_label_groups(label: NDArray, group: NDArray) -> Iterator[Finding]:
    table = pd.DataFrame({"group": group, "label": label}).groupby("group")["label"].agg(["size", "nunique"])
    several = table[table["size"] > 1]
    alike = several[several["nunique"] == 1]
    if len(alike) and label.any() and not label.all():
        rows = np.flatnonzero(np.isin(group, alike.index))
        message = f"{len(alike)} of {len(several)} scenarios with several rows have one label only"
        yield Finding("one_label_groups", "warning" if len(alike) == len(several) else "note", message, rows)


def _torn_scenarios(group: NDArray, fold: NDArray) -> Iterator[Finding]:
    torn = _in_several(pd.Series(group), fold)
    if torn.any():
        message = f"{len(np.unique(group[torn]))} scenarios have rows in several folds: split by scenario"
        yield Finding("scenario_across_folds", "error", message, np.flatnonzero(torn))


def _duplicates(text: list[str], group: NDArray, fold: NDArray | None, least_words: int) -> Iterator[Finding]:
    place, where = (group, "scenarios") if fold is None else (fold, "folds")
    split = [t.split() for t in text]
    long = np.array([len(words) >= least_words for words in split])
    exact = _in_several(pd.Series(text), place, long)
    near = _in_several(pd.Series([" ".join(words).casefold() for words in split]), place, long) & ~exact
    for name, rows, how in (("duplicates", exact, "the same text as"), ("near_duplicates", near, "nearly the text of")):
        if rows.any():
            severity: Severity = "error" if fold is not None and name == "duplicates" else "warning"
            message = f"{int(rows.sum())} rows have {how} a row in another of the {where}"
            yield Finding(f"{name}_across_{where}", severity, message, np.flatnonzero(rows))


def _in_several(key: pd.Series, place: NDArray, keep: NDArray | None = None) -> NDArray[np.bool_]:
    """[n] rows whose key lies in several places, among the rows to keep."""
    rows = np.ones(len(key), dtype=bool) if keep is None else keep
    out = np.zeros(len(key), dtype=bool)
    out[rows] = (pd.Series(place[rows]).groupby(key[rows].to_numpy()).transform("nunique") > 1).to_numpy(bool)
    return out


def _token_log_odds(token: NDArray, label: NDArray, group: NDArray, name: NDArray, seed: int) -> NDArray[np.float64]:
    """[n] log-odds of the bad act given evaluation and first token, from the other folds; 0 for one not seen."""
    key = pd.Series(name).str.cat(pd.Series(token), sep="\0")
    out = np.zeros(len(label))
    for train, test in scenario_folds(label, group, name, seed=seed):
        weight = contrast_weights(label[train], name[train])
        counts = pd.DataFrame({"bad": weight * label[train], "complied": weight * ~label[train]})
        counts = counts.groupby(key[train].to_numpy()).sum() + 0.5
        out[test] = key[test].map(np.log(counts["bad"] / counts["complied"])).fillna(0.0)
    return out


def _associations(
    kind: str,
    what: str,
    label: NDArray,
    score: NDArray,
    name: NDArray,
    group: NDArray,
    margin: float,
    n_boot: int,
    seed: int,
) -> Iterator[Finding]:
    """The association over all evaluations, then in each, where it is more than chance."""
    mixed = mixed_evals(label, name)
    places: Iterable[tuple[str, NDArray, float]] = [
        ("", np.isin(name, mixed), 0.95),
        *((each, name == each, 1 - 0.05 / len(mixed)) for each in mixed if len(mixed) > 1),
    ]
    for each, inside, level in places:
        if not inside.any():
            continue
        area = auroc_interval(label[inside], score[inside], name[inside], group[inside], n_boot, seed, level=level)
        severity = _severity(area, margin, below=kind == "length")
        if severity:
            scope = f" in {each!r}" if each else " inside evaluations"
            message = f"{what} tells the labels apart{scope}: AUROC {area}"
            yield Finding(kind, severity, message, np.flatnonzero(inside))


def _severity(area: Interval, margin: float, below: bool) -> Severity | None:
    # A score learned on other folds is below 0.5 by construction where there is nothing to learn: above only.
    distance = max(area.low - 0.5, 0.5 - area.high if below else -1.0)
    return "warning" if distance > margin else "note" if distance > 0 else None
