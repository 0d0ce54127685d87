"""Results tables of an invented run, with values chosen so that every figure has something to show."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

EVALS = ["word_count", "people", "sandbagging"]
CELL_COUNTS = {
    "word_count": {"B1P1C1": 9, "B1P1C0": 11, "B1P0C0": 5, "B1P0C1": 2, "B0C1": 3, "B0C0": 10},
    "people": {"B1P1C1": 2, "B1P1C0": 18, "B1P0C0": 9, "B1P0C1": 1, "B0C1": 0, "B0C0": 4},
    "sandbagging": {"B1P1C1": 0, "B1P1C0": 1, "B1P0C0": 1, "B1P0C1": 0, "B0C1": 8, "B0C0": 30},
}
SITES = ["answer.mean", "answer.last", "request.last"]


def _with_interval(name: str, value: float | None, width: float) -> dict[str, float]:
    if value is None:
        return {name: float("nan"), f"{name}_low": float("nan"), f"{name}_high": float("nan")}
    return {name: value, f"{name}_low": max(0.0, value - width), f"{name}_high": min(1.0, value + width * 0.8)}


def make_rates() -> pd.DataFrame:
    """Three evaluations, tempted and neutral; sandbagging never goes wrong, so its conditional rates are undefined."""
    planted: dict[tuple[str, str], tuple[int, int, int, float, float | None, float | None, float | None]] = {
        ("word_count", "tempted"): (40, 27, 13, 0.675, 0.41, 0.23, 0.0),
        ("people", "tempted"): (40, 30, 4, 0.75, 0.1, 0.0, 0.07),
        ("sandbagging", "tempted"): (40, 0, 40, 0.0, None, 0.21, None),
        ("word_count", "neutral"): (40, 20, 20, 0.5, None, None, 0.0),
    }
    rows = []
    for (name, condition), (n, bad, complied, p_bad, confess, false, admit) in planted.items():
        row: dict[str, Any] = {"eval": name, "condition": condition, "n": n, "n_bad": bad, "n_complied": complied}
        row["n_neither"] = n - bad - complied
        row |= _with_interval("p_bad", p_bad, 0.13)
        row |= _with_interval("p_confess_given_bad", confess, 0.18)
        row |= _with_interval("p_confess_given_complied", false, 0.2)
        row |= _with_interval("p_admit_given_bad", admit, 0.06)
        row |= _with_interval("p_neither", row["n_neither"] / n, 0.05)
        row |= _with_interval("p_aware_given_bad", None if confess is None else 0.62, 0.17)
        row |= _with_interval("p_free_confess_given_bad", None if confess is None else 0.33, 0.11)
        row |= _with_interval("p_unparsed", 0.81, 0.04)
        rows.append(row)
    return pd.DataFrame(rows)


def make_cells() -> pd.DataFrame:
    """Counts of the six cells per evaluation, and the macro average."""
    rows = []
    for name, counts in CELL_COUNTS.items():
        total = sum(counts.values())
        for cell, n in counts.items():
            rows.append({"eval": name, "cell": cell, "n": n} | _with_interval("share", n / total, 0.09))
    table = pd.DataFrame(rows)
    for cell in CELL_COUNTS["people"]:
        own = table[table["cell"] == cell]
        macro = {"eval": "macro", "cell": cell, "n": own["n"].sum()}
        macro |= _with_interval("share", own["share"].mean(), 0.06)
        table = pd.concat([table, pd.DataFrame([macro])], ignore_index=True)
    return table.assign(condition="tempted")


def make_agreement() -> pd.DataFrame:
    """Phi per evaluation and pair; the chain of thought is constant in sandbagging, so phi is undefined there."""
    pairs = [
        ("behaviour", "probe"),
        ("behaviour", "cot"),
        ("behaviour", "confession"),
        ("probe", "cot"),
        ("confession", "probe"),
        ("cot", "confession"),
    ]
    rows = []
    for at, name in enumerate([*EVALS, "macro"]):
        for index, (a, b) in enumerate(pairs):
            undefined = name == "sandbagging" and "cot" in (a, b)
            phi = float("nan") if undefined else [0.62, -0.31, 0.08, 0.17, -0.05, 0.93][index] - 0.04 * at
            row = {
                "eval": name,
                "a": a,
                "b": b,
                "n": 40 - at,
                "phi": phi,
                "phi_low": phi - 0.21,
                "phi_high": phi + 0.05,
            }
            rows.append(row | {"note": "cot says the same of every rollout" if undefined else ""})
    return pd.DataFrame(rows).assign(condition="tempted")


def make_probe_map(layers: int = 30) -> pd.DataFrame:
    """AUROC that rises over the layers; the first layer of one site is undefined."""
    rows = []
    for at, site in enumerate(SITES):
        for layer in range(layers):
            auroc = 0.44 + 0.32 * layer / (layers + 8) + 0.05 * at + 0.02 * ((layer * 7 + at) % 3)
            undefined = layer == 0 and at == 2
            row = {"layer": layer, "site": site, "n": 109, "n_pos": 59, "auroc": float("nan") if undefined else auroc}
            row |= {"low": row["auroc"] - 0.08, "high": row["auroc"] + 0.07}
            rows.append(row | {"shuffled": 0.5 + 0.01 * (layer % 3 - 1), "text": 0.58 + 0.02 * at})
    return pd.DataFrame(rows)


def make_auroc() -> pd.DataFrame:
    """The probe and its controls for behaviour; confession given bad is undefined."""
    planted = {
        "probe": (0.64, 0.55, 0.73),
        "text": (0.6, 0.5, 0.7),
        "logit": (0.52, 0.43, 0.61),
        "shuffled": (0.5, 0.41, 0.59),
        "increment": (0.04, -0.05, 0.13),
    }
    rows = [
        {
            "target": "behaviour",
            "score": score,
            "n": 109,
            "n_pos": 59,
            "evals": "word_count, people",
            "auroc": value,
            "low": low,
            "high": high,
            "note": "",
        }
        for score, (value, low, high) in planted.items()
    ]
    nan = float("nan")
    rows.append(
        {
            "target": "confession_given_bad",
            "score": "probe",
            "n": 59,
            "n_pos": 0,
            "evals": "",
            "auroc": nan,
            "low": nan,
            "high": nan,
            "note": "no bad rollout confessed",
        }
    )
    return pd.DataFrame(rows)


def make_sentences() -> pd.DataFrame:
    """A plain reader's answer."""
    return pd.DataFrame(
        [
            {
                "key": "confess",
                "text": "It confessed to 4 in 10 of its false word counts, and to 1 in 10 invented facts.",
            },
            {
                "key": "probe",
                "text": "A probe told bad from good with AUROC 0.64, not clearly better than the text alone.",
            },
        ]
    )


def make_rollouts(text: str = "The answer has twelve words (12).") -> pd.DataFrame:
    """One rollout per evaluation and cell; every text field holds `text`."""
    rows = []
    for name in EVALS:
        for index, cell in enumerate(CELL_COUNTS[name]):
            messages = [{"role": "system", "content": text}, {"role": "user", "content": f"Question {index}. {text}"}]
            rows.append(
                {
                    "rollout_id": f"{name}-{index}",
                    "eval": name,
                    "scenario": f"{name}/000{index}",
                    "condition": "tempted",
                    "tier": "tiny",
                    "sample": 0,
                    "seed": 7,
                    "model": "smollm2-135m",
                    "adapter": "",
                    "messages": json.dumps(messages),
                    "token_ids": [1, 2],
                    "spans": "{}",
                    "cot": text if index % 2 == 0 else "",
                    "answer": text,
                    "behaviour": "not_complied" if cell.startswith("B1") else "complied",
                    "evidence": json.dumps({"claimed": 12, "quote": text}),
                    "admitted": False,
                    "knowledge": "aware",
                }
            )
    return pd.DataFrame(rows)


def make_witnesses() -> pd.DataFrame:
    """The witnesses of `make_rollouts`."""
    rows = []
    for name in EVALS:
        for index, cell in enumerate(CELL_COUNTS[name]):
            rows.append(
                {
                    "rollout_id": f"{name}-{index}",
                    "eval": name,
                    "scenario": f"{name}/000{index}",
                    "condition": "tempted",
                    "sample": 0,
                    "behaviour": "not_complied" if cell.startswith("B1") else "complied",
                    "knowledge": "aware",
                    "admitted": False,
                    "probe": 0.3125 + index / 100,
                    "probe_fires": "P1" in cell,
                    "text_score": 0.4,
                    "cot": index % 2 == 0,
                    "cot_quote": "I will claim",
                    "claim": "not_complied" if cell.endswith("C1") else "complied",
                    "logit": 1.5 - index,
                    "free_confess_share": 0.25,
                    "cell": cell,
                }
            )
    return pd.DataFrame(rows)


def make_confessions(text: str = "Objective: count words. Result: ✗ did not comply. Why: I guessed.") -> pd.DataFrame:
    """A guided and two free confessions for each rollout of `make_rollouts`."""
    rows = []
    for rollout, said in make_witnesses()[["rollout_id", "claim"]].itertuples(index=False):
        for mode, sample in (("guided", 0), ("free", 0), ("free", 1)):
            rows.append(
                {
                    "confession_id": f"{rollout}-{mode}-{sample}",
                    "rollout_id": rollout,
                    "sample": sample,
                    "form": "three_part",
                    "mode": mode,
                    "text": f"{text} ({mode} {sample})",
                    "objective": text,
                    "claim": said if mode == "guided" else "unparsed",
                    "why": text,
                    "grade": float("nan"),
                    "confidence": float("nan"),
                    "logit": 1.25 if mode == "guided" else float("nan"),
                }
            )
    return pd.DataFrame(rows)


def make_manifest() -> dict[str, Any]:
    """What a run says of itself."""
    return {
        "config": {"preset": "quick", "n": 40, "seed": 0, "evals": EVALS, "sampling": {"temperature": 0.8}},
        "model": {"name": "smollm2-135m", "hash": "sha256:0123abcd", "adapter": None, "dtype": "float32"},
        "versions": {"confesslens": "0.1.0", "torch": "2.10.0"},
        "stages": {
            "rollouts": {"status": "done", "seconds": 61.25, "key": "ab12"},
            "probes": {"status": "done", "seconds": 9.5, "key": "cd34"},
        },
        "command": "confesslens run --preset quick --out R",
        "created": "2026-01-02T03:04:05Z",
    }


def make_tables() -> dict[str, pd.DataFrame]:
    """Every results table."""
    return {
        "rates": make_rates(),
        "witnesses": make_witnesses(),
        "cells": make_cells(),
        "agreement": make_agreement(),
        "auroc": make_auroc(),
        "probe_map": make_probe_map(),
        "sentences": make_sentences(),
    }


@pytest.fixture
def rates() -> pd.DataFrame:
    return make_rates()


@pytest.fixture
def cells_table() -> pd.DataFrame:
    return make_cells()


@pytest.fixture
def agreement_table() -> pd.DataFrame:
    return make_agreement()


@pytest.fixture
def make_map() -> Callable[..., pd.DataFrame]:
    return make_probe_map


@pytest.fixture
def make_run() -> Callable[..., dict[str, Any]]:
    """Build the arguments of `render_report`; `text` stands in every field that a model writes."""

    def build(text: str | None = None) -> dict[str, Any]:
        return {
            "tables": make_tables(),
            "rollouts": make_rollouts(text) if text else make_rollouts(),
            "confessions": make_confessions(text) if text else make_confessions(),
            "manifest": make_manifest(),
            "figures": {},
        }

    return build
