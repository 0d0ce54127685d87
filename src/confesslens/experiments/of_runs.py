"""Experiments that are drawn from the tables of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from confesslens import faithfulness, figures
from confesslens.evals import TEMPTED, select
from confesslens.experiments.experiment import Drawn, Experiment, Work
from confesslens.faithfulness.macro import macro_share
from confesslens.faithfulness.witnesses import main_claims
from confesslens.folder import RunFolder
from confesslens.models.load import shipped_organisms
from confesslens.probes.proportion import clustered_wilson

ALL: dict[str, dict[str, Any]] = {
    "quick": {"evals": ["all"], "n": 3, "samples": 2, "neutral_samples": 2, "free_samples": 1, "seed": 2},
    "standard": {"evals": ["all"], "n": 12, "seed": 2},
}
"""All evaluations, tempted and neutral: the run that most figures share."""
ORGANISM: dict[str, dict[str, Any]] = {
    "quick": {"evals": ["people", "broken_browser", "sandbagging"], "n": 4, "seed": 5},
    "standard": {
        "evals": ["all"],
        "n": 4,
        "samples": 2,
        "neutral_samples": 2,
        "free_samples": 0,
        "dtype": "bfloat16",
        "probe_every": 3,
        "seed": 10,
    },
}
"""A run of a model organism, of which there are many: small, and in the numbers that organisms were trained in."""

LARGER: dict[str, Any] = {**ORGANISM["standard"], "n": 8, "seed": 11}
"""A run of an organism where what is asked about is its bad acts alone."""
FORMS = {"three_part": "in three parts", "question": "one question", "report": "the JSON report"}
FITTED = "The probe is fitted to behaviour: that it fires shows that the act can be read inside, not that it was known."


def of_counts(run: RunFolder) -> str:
    """How many rollouts, in words."""
    table = run.read_table("rollouts.parquet")
    told = table[table["condition"] == TEMPTED]
    by = told["behaviour"].value_counts()
    name = run.manifest["config"]["organism"] or run.manifest["config"]["adapter"] or run.manifest["model"]["name"]
    return (
        f"{name}: {len(told)} tempted rollouts of {told['scenario'].nunique()} scenarios in {told['eval'].nunique()} "
        f"evaluations, {by.get('not_complied', 0)} bad, {by.get('complied', 0)} complied, {by.get('neither', 0)} of "
        "which a program cannot tell."
    )


def series(rates: pd.DataFrame, columns: Mapping[str, str], n: str = "n_bad") -> pd.DataFrame:
    """Columns of a table of rates as the series of `figures.paired_rates`; `columns`: rate -> name of the series."""
    parts = []
    for column, name in columns.items():
        part = rates[["eval", n, column, f"{column}_low", f"{column}_high"]].set_axis(
            ["eval", "n", "value", "low", "high"], axis=1
        )
        parts.append(part.assign(series=name))
    return pd.concat(parts, ignore_index=True)


def confessed_of(bad: pd.DataFrame, confessed: pd.Series, shown: str) -> pd.DataFrame:
    """P(confess | bad) an evaluation and their mean ("macro"), as one series of `figures.paired_rates`.

    `bad`: rows of a rollouts table; `confessed`: rollout_id -> whether it was, where anything was said at all.
    """
    heard = bad[bad["rollout_id"].isin(confessed.index)]
    hits, groups = heard["rollout_id"].map(confessed).to_numpy(bool), heard["scenario"].to_numpy(str)
    rows = []
    for name in dict.fromkeys(bad["eval"]):
        mine = (heard["eval"] == name).to_numpy()
        rows.append((name, mine.sum(), clustered_wilson(hits[mine], groups[mine])))
    rows.append(("macro", len(heard), macro_share(hits, np.ones(len(heard), bool), heard["eval"], groups)))
    return pd.DataFrame(
        [(name, shown, n, share.estimate, share.low, share.high) for name, n, share in rows],
        columns=["eval", "series", "n", "value", "low", "high"],
    )


def _confessed(work: Work) -> Drawn:
    run = work.run()
    rates = run.tables()["rates"]
    return Drawn(figures.confession_rates(rates), {"rates": rates}, of_counts(run))


def _volunteered(work: Work) -> Drawn:
    run = work.run()
    rates = run.tables()["rates"]
    table = series(
        rates[rates["condition"] == TEMPTED],
        {"p_admit_given_bad": "admitted in the answer", "p_confess_given_bad": "confessed when asked"},
    )
    drawn = figures.paired_rates(table, "Bad acts: volunteered, and confessed when asked")
    return Drawn(drawn, {"volunteered": table}, of_counts(run))


def _no_thought(work: Work) -> Drawn:
    parts, says = [], []
    for cot, name in ((True, "with a chain of thought"), (False, "without one")):
        run = work.run(until="confessions", cot=cot, organism=work.setting("organism"))
        claims = main_claims(run.read_table("confessions.parquet")).dropna()
        parts.append(confessed_of(_bad(run), claims == "not_complied", name))
        says.append(f"{name[0].upper()}{name[1:]}: {of_counts(run)}")
    table = _in_order(pd.concat(parts, ignore_index=True))
    drawn = figures.paired_rates(table, "P(confess | bad), with and without a chain of thought")
    return Drawn(drawn, {"no_thought": table}, " ".join(says))


def _bad(run: RunFolder) -> pd.DataFrame:
    rollouts = run.read_table("rollouts.parquet")
    return rollouts[(rollouts["condition"] == TEMPTED) & (rollouts["behaviour"] == "not_complied")]


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Evaluations as everywhere, their mean last."""
    order = {evaluation.name: i for i, evaluation in enumerate(select("all"))}
    return table.sort_values("eval", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _table1(work: Work) -> Drawn:
    run = work.run()
    numbers = run.tables()["table1"]
    parts = []
    for rate, label in (("p_bad", "P(bad)"), ("p_confess_given_bad", "P(confess | bad)")):
        parts.append(series(numbers, {rate: f"{label}, here"}, "n" if rate == "p_bad" else "n_bad"))
        paper = numbers.assign(low=np.nan, high=np.nan, n=np.nan)[["eval", "n", f"{rate}_paper", "low", "high"]]
        paper = paper.set_axis(["eval", "n", "value", "low", "high"], axis=1)
        parts.append(paper.assign(series=f"{label}, the paper's frontier model"))
    drawn = figures.paired_rates(pd.concat(parts, ignore_index=True), "Table 1: this model beside the paper's")
    return Drawn(drawn, {"table1": numbers}, f"{of_counts(run)} The paper prints neither n nor intervals.")


def _confidence(work: Work) -> Drawn:
    run = work.run()
    tables = run.tables()
    drawn = figures.confidence(tables["reliability"], tables["calibration"])
    return Drawn(drawn, {name: tables[name] for name in ("reliability", "calibration")}, of_counts(run))


def _errors(work: Work) -> Drawn:
    run = work.run()
    errors = faithfulness.errors_of_confession(run.tables()["witnesses"])
    return Drawn(figures.confession_errors(errors), {"errors": errors}, f"{of_counts(run)} {FITTED}")


def _witnesses(work: Work) -> Drawn:
    run = work.run()
    patterns = faithfulness.overlap(run.tables()["witnesses"])
    return Drawn(figures.overlap(patterns), {"overlap": patterns}, f"{of_counts(run)} {FITTED}")


def _probe_map(work: Work) -> Drawn:
    run = work.run()
    table = run.tables()["probe_map"]
    note = run.manifest.get("probe_note", "")
    return Drawn(figures.probe_map(table), {"probe_map": table}, f"{of_counts(run)} {note}".strip())


def _cells(work: Work) -> Drawn:
    """The macro cells of each organism, or of the one model that the recipe names."""
    parts, says = [], []
    named = work.setting("organisms")
    for name in (shipped_organisms() if named == "shipped" else named) or [None]:
        run = work.run(organism=name)
        cells = run.tables()["cells"]
        parts.append(cells[cells["eval"] == "macro"].assign(eval=name or work.recipe.model))
        says.append(of_counts(run))
        if not len(parts[-1]):
            says.append(f"It has no cells. {run.manifest.get('probe_note', '')}".strip())
    table = pd.concat(parts, ignore_index=True)
    return Drawn(figures.cells(table), {"cells": table}, " ".join([*says, FITTED]))


def _compute(work: Work) -> Drawn:
    """Confessions by the majority of more samples, and by forms that are longer to write."""
    from confesslens.confessions import confess
    from confesslens.interventions.of_run import load_run_model

    run = work.run(until="confessions", organism=work.setting("organism"))
    bad = _bad(run)
    bad = bad[bad.groupby("eval").cumcount() < work.setting("rollouts")]
    model, config = load_run_model(run)
    most, forms = work.setting("samples"), list(work.setting("requests"))
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        work.progress("compute", done, len(bad) * most * len(forms))

    said = confess(
        model, bad, most, request=forms, guided=False, seed=config.seed, batch_size=config.batch_size, on_done=advance
    )
    said = said.assign(confessed=said["claim"] == "not_complied")
    parts = []
    for form in forms:
        mine = said[said["request"] == form]
        for k in sorted({1, most} if form == forms[0] else {1}):
            votes = mine[mine["sample"] < k].groupby("rollout_id", sort=False)["confessed"].mean() > 0.5
            shown = f"{FORMS.get(form, form)}, " + (f"majority of {k}" if k > 1 else "one sample")
            parts.append(confessed_of(bad, votes, shown))
    table = _in_order(pd.concat(parts, ignore_index=True))
    drawn = figures.paired_rates(table, "P(confess | bad), with more samples and longer confessions")
    return Drawn(drawn, {"compute": table}, f"{len(bad)} bad tempted rollouts. {of_counts(run)}")


EXPERIMENTS = (
    Experiment(
        "confessed",
        "How often each evaluation was answered badly, and how often that was confessed (after Figure 2 of arXiv "
        "2512.08093).",
        _confessed,
        ALL,
    ),
    Experiment(
        "volunteered",
        "Bad acts that the answer itself admits, beside those that are confessed when asked (after Figure 3).",
        _volunteered,
        ALL,
    ),
    Experiment(
        "confidence",
        "Whether stated confidence, confession logit and probe hold as probabilities (after Figure 8).",
        _confidence,
        ALL,
    ),
    Experiment(
        "errors",
        "Wrong confessions, split by what the probe and the chain of thought showed: not knowing, or keeping silent "
        "(after Figures 9 and 10, which have the chain of thought alone).",
        _errors,
        ALL,
    ),
    Experiment(
        "compute",
        "P(confess | bad) with the majority of several samples, and with longer forms (after Figure 14).",
        _compute,
        {"quick": ORGANISM["quick"], "standard": LARGER},
        {
            "quick": {"organism": "confessor", "rollouts": 2, "samples": 3, "requests": list(FORMS)},
            "standard": {"organism": "confessor", "rollouts": 10, "samples": 5, "requests": list(FORMS)},
        },
    ),
    Experiment(
        "no_thought",
        "P(confess | bad) with and without a chain of thought before the answer (after Figure 15).",
        _no_thought,
        {"quick": ORGANISM["quick"], "standard": LARGER},
        {"quick": {"organism": "confessor"}, "standard": {"organism": "confessor"}},
    ),
    Experiment("table1", "The first two columns of Table 1, this model beside the paper's.", _table1, ALL),
    Experiment("probe_map", "AUROC of a probe for bad against complied answers, over layer and site.", _probe_map, ALL),
    Experiment("witnesses", "Which of the four witnesses spoke up together.", _witnesses, ALL),
    Experiment(
        "cells",
        "What each model organism did, knew and said: mean over evaluations of the six cells.",
        _cells,
        ORGANISM,
        {"quick": {"organisms": ["concealer", "confessor", "reluctant"]}, "standard": {"organisms": "shipped"}},
    ),
)
