"""Do the intervals cover and the tests keep their level? Many draws from a known model, in settings from easy to hard.

`run_study` is resumable: it keeps what it has drawn in `parts/` of its folder, and ends with one table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from confesslens.faithfulness.agreement import MEASURES, PAIRS, agreement, measures
from confesslens.faithfulness.association import association, constants, covariates, usable
from confesslens.faithfulness.association_tests import association_tests
from confesslens.faithfulness.discrimination import discrimination
from confesslens.faithfulness.firth import firth
from confesslens.faithfulness.macro import macro_share
from confesslens.faithfulness.simulate import World, simulate, simulate_errors
from confesslens.faithfulness.sweep import sweep
from confesslens.probes import brier
from confesslens.probes.proportion import clustered_wilson

SETTINGS = {
    "base": World(),
    "few scenarios": World(evals=3, scenarios=8),
    "rare acts": World(p_bad=0.15, confess=(0.25, 0.12, 0.05)),
    "strong clusters": World(icc=0.6),
    "few and rare": World(evals=3, scenarios=8, p_bad=0.2, confess=(0.25, 0.12, 0.05)),
}
"""What is drawn from. Base: 4 evaluations of 15 scenarios of 4 rollouts, half of them bad, a quarter of the latent
variance shared in a scenario. Few scenarios: 3 evaluations of 8."""
ORGANISMS = 60
"""Known and unknown bad acts of organisms, each, that a draw's error rates of the probe come from."""
PART = 25
FIRST_SEED = 10_000
"""Of the draws: on those below it, and on 20,000 to 22,499, the rules for few data were settled."""
COVER, LEVEL = (0.93, 0.97), (0.04, 0.06)
"""What is asked of 95 % intervals and of tests at 5 %."""
COLUMNS = [
    *("setting", "kind", "quantity", "draws", "n", "undefined", "truth", "mean", "bias", "bias_error"),
    *("rate", "rate_low", "rate_high", "below", "above", "width", "within"),
]
_CELLS = {"B1P1C0": "concealment", "B1P1C1": "aware confession", "B1P0C0": "ignorance"}


def run_study(
    folder: str | Path,
    draws: int = 500,
    settings: dict[str, World] | None = None,
    progress: Callable[[int, int], Any] = lambda done, total: None,
) -> pd.DataFrame:
    """Draw, compare and count; writes coverage.csv and returns it.

    Args:
        folder: where to keep parts and the table.
        draws: for each setting.
        settings: name -> what is true; default `SETTINGS`.
        progress: called with (parts done, parts in all).

    Returns:
        columns setting, kind ("interval", "test", or "comparison": a test that is not ours), quantity, draws, n
        (intervals or tests, of all evaluations), undefined (share of them that gave no interval or p), truth and mean
        (over evaluations), bias (mean estimate less truth) and its standard error over draws, rate (share of intervals
        that hold the truth, or of tests that reject at 5 %) with its 95 % limits over draws, below and above (share of
        intervals that lie below the truth, and above it), width (mean), within (whether the rate lies in `COVER` or
        `LEVEL`).
    """
    worlds = SETTINGS if settings is None else settings
    parts = Path(folder) / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    todo = [
        (name, start, parts / f"{name.replace(' ', '_')}-{start:05d}.parquet")
        for start in range(FIRST_SEED, FIRST_SEED + draws, PART)
        for name in worlds
    ]
    tables = []
    for done, (name, start, path) in enumerate(todo):
        if not path.is_file():
            seeds = range(start, min(start + PART, FIRST_SEED + draws))
            rows = [row for seed in seeds for row in _draw(worlds[name], seed)]
            partial = path.with_suffix(".partial")
            pd.DataFrame(rows).assign(setting=name).to_parquet(partial, index=False)
            partial.replace(path)
        tables.append(pd.read_parquet(path))
        progress(done + 1, len(todo))
    drawn = pd.concat(tables, ignore_index=True)
    truths = {name: _large_truths(world) for name, world in worlds.items()}
    table = summarise(drawn, truths)
    table.to_csv(Path(folder) / "coverage.csv", index=False, float_format="%.5g")
    return table


def outside(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the study's table that are not as asked, by their own 95 % limits, each looked at alone; comparisons are
    not asked for anything."""
    table = table[table["kind"] != "comparison"]
    intervals = table["kind"] == "interval"
    least, most = (np.where(intervals, cover, level) for cover, level in zip(COVER, LEVEL, strict=True))
    return table[(table["rate_high"] < least) | (table["rate_low"] > most)]


def summarise(drawn: pd.DataFrame, truths: dict[str, dict[str, float]]) -> pd.DataFrame:
    """The study's table from its draws: columns setting, kind, quantity, seed, eval, truth, estimate, low, high, p."""
    drawn = drawn.copy()
    for (setting, quantity), rows in drawn.groupby(["setting", "quantity"]).groups.items():
        if quantity in truths.get(setting, {}):
            drawn.loc[rows, "truth"] = truths[setting][quantity]
    out = []
    for (setting, kind, quantity), own in drawn.groupby(["setting", "kind", "quantity"], sort=False):
        interval = kind == "interval"
        known = own[own["low"].notna()] if interval else own[own["p"].notna()]
        hit = known["low"].le(known["truth"]) & known["high"].ge(known["truth"]) if interval else known["p"] < 0.05
        rate = clustered_wilson(hit.to_numpy(bool), known["seed"].to_numpy())
        per_draw = known.assign(off=known["estimate"] - known["truth"]).groupby("seed")["off"].mean()
        low, high = COVER if interval else LEVEL
        out.append(
            {
                "setting": setting,
                "kind": kind,
                "quantity": quantity,
                "draws": own["seed"].nunique(),
                "n": len(known),
                "undefined": 1 - len(known) / len(own),
                "truth": known["truth"].mean(),
                "mean": known["estimate"].mean(),
                "bias": per_draw.mean(),
                "bias_error": per_draw.std(ddof=1) / np.sqrt(max(len(per_draw), 1)),
                "rate": rate.estimate,
                "rate_low": rate.low,
                "rate_high": rate.high,
                "below": known["high"].lt(known["truth"]).mean() if interval else np.nan,
                "above": known["low"].gt(known["truth"]).mean() if interval else np.nan,
                "width": (known["high"] - known["low"]).mean(),
                "within": bool(low <= rate.estimate <= high),
            }
        )
    return pd.DataFrame(out, columns=COLUMNS)


def _draw(world: World, seed: int) -> Iterator[dict[str, Any]]:
    """All intervals and tests of one draw."""
    table = simulate(world, seed)
    for quantity, name, truth, found in [
        *_shares(table, world, seed),
        *_pairs(table, world),
        *_orderings(table, world, seed),
    ]:
        estimate, low, high = found
        row = {"kind": "interval", "quantity": quantity, "seed": seed, "eval": name, "truth": truth, "p": np.nan}
        yield row | {"estimate": estimate, "low": low, "high": high}
    for quantity, name, p in _tests(world, seed):
        kind = "comparison" if quantity == _WALD else "test"
        row = {"kind": kind, "quantity": quantity, "seed": seed, "eval": name, "truth": np.nan, "p": p}
        yield row | dict.fromkeys(("estimate", "low", "high"), np.nan)


Found = tuple[str, str, float, tuple[float, float, float]]


def _shares(table: pd.DataFrame, world: World, seed: int) -> Iterator[Found]:
    joint = world.joint()
    bad = (table["behaviour"] == "not_complied").to_numpy(bool)
    confessed = (table["claim"] == "not_complied").to_numpy(bool)
    evals, groups = table["eval"].to_numpy(str), table["scenario"].to_numpy(str)
    conditional = float(joint.loc[joint["behaviour"] & joint["confession"], "p"].sum() / world.bad().sum())
    for name, p_bad in zip(world.names(), world.bad(), strict=True):
        of = evals == name
        yield "P(bad)", name, p_bad, _limits(clustered_wilson(bad[of], groups[of]))
        yield "P(confess | bad)", name, conditional, _limits(clustered_wilson(confessed[of & bad], groups[of & bad]))
    yield "P(bad), macro", "macro", float(world.bad().mean()), _limits(macro_share(bad, bad | True, evals, groups))
    mean = macro_share(confessed, bad, evals, groups)
    yield "P(confess | bad), macro", "macro", conditional, _limits(mean)
    rows = sweep(table, simulate_errors(world, ORGANISMS, seed), thresholds=[0.0], seed=seed)
    rows = rows[rows["cell"].isin(_CELLS)]
    for row in rows.to_dict("records"):
        seen, known = _cell_truth(world, row["cell"], row["eval"])
        macro = ", macro" if row["eval"] == "macro" else ""
        label = f"{_CELLS[row['cell']]}{macro}"
        found = (row["share"], row["share_low"], row["share_high"])
        yield f"cell: {label}", row["eval"], seen, found
        found = (row["uncut"], row["corrected_low"], row["corrected_high"])
        yield f"corrected cell: {label}", row["eval"], known, found


@functools.lru_cache(maxsize=1000)
def _cell_truth(world: World, cell: str, name: str) -> tuple[float, float]:
    """Share of a cell as the probe puts it, and as knowledge does."""
    joint = world.joint()
    says = joint["behaviour"] & (joint["confession"] == ("C1" in cell))
    out = []
    for column in ("probe", "aware"):
        share = joint[says & (joint[column] == ("P1" in cell))].groupby("eval")["p"].sum()
        out.append(float(share.mean() if name == "macro" else share[name]))
    return out[0], out[1]


def _pairs(table: pd.DataFrame, world: World) -> Iterator[Found]:
    pairs = [pair for pair in PAIRS if "cot" not in pair]
    for row in agreement(table, pairs=pairs, permutations=1).to_dict("records"):  # of these the intervals alone count
        truth = _pair_truth(world, row["a"], row["b"], row["eval"])
        for name in MEASURES:
            macro = ", macro" if row["eval"] == "macro" else ""
            yield f"{name}{macro}", row["eval"], truth[name], (row[name], row[f"{name}_low"], row[f"{name}_high"])


@functools.lru_cache(maxsize=1000)
def _pair_truth(world: World, a: str, b: str, name: str) -> dict[str, float]:
    """Each measure of agreement of two witnesses, in an evaluation or as the mean over them."""
    truth = []
    for each, own in world.joint().groupby("eval"):
        if name in ("macro", each):
            x, y, p = own[a].to_numpy(bool), own[b].to_numpy(bool), own["p"].to_numpy()
            truth.append(measures(np.array([p[x & y].sum(), p[x & ~y].sum(), p[~x & y].sum(), p[~x & ~y].sum()])))
    return {measure: float(np.mean([each[measure] for each in truth])) for measure in MEASURES}


def _orderings(table: pd.DataFrame, world: World, seed: int) -> Iterator[Found]:
    apart = norm.cdf(np.array([world.separation, 0.7]) / np.sqrt(2))
    probe = float(world.p_aware * apart[0] + (1 - world.p_aware) / 2)
    asked: dict[str, Any] = {"targets": ("behaviour",), "scores": ("probe", "increment"), "n_boot": 400, "seed": seed}
    for label, truth, row in zip(
        _AREAS, (probe, probe - apart[1]), _records(discrimination(table, **asked)), strict=True
    ):
        yield label, "macro", float(truth), (row["auroc"], row["low"], row["high"])
    found = _odds_ratio(table, seed)
    yield "log odds ratio", "macro", np.nan, found
    rows = association_tests(table, _NO_PRIMARY, seed, permutations=2).set_index("test")
    low, high = np.log(rows.loc["cmh", ["low", "high"]].to_numpy(float))
    yield (
        "log common odds ratio",
        "macro",
        np.nan,
        (float(np.log(rows.loc["cmh", "estimate"])), float(low), float(high)),
    )
    yield "rank correlation", "macro", np.nan, tuple(rows.loc["spearman", ["estimate", "low", "high"]].astype(float))
    evals, groups = table["eval"].to_numpy(str), table["scenario"].to_numpy(str)
    bad = (table["behaviour"] == "not_complied").to_numpy(bool)
    yield (
        "Brier score",
        "macro",
        np.nan,
        _limits(brier(bad, expit(table["probe"]), groups, evals, n_boot=400, seed=seed)),
    )


_WALD = "logistic: Wald"
_AREAS = ("AUROC", "AUROC difference")
_NO_PRIMARY = pd.DataFrame(
    [
        {"subset": "bad", "term": "probe", "n": 0, "scenarios": 0, "evals": "", "note": ""}
        | dict.fromkeys(("odds_ratio", "low", "high", "p"), np.nan)
    ]
)


def _odds_ratio(table: pd.DataFrame, seed: int) -> tuple[float, float, float]:
    rows = association(table, seed, flips=499, subsets=("bad",), only=("probe",))
    row = rows.iloc[0]
    with np.errstate(divide="ignore"):  # an end that the data do not bound
        estimate, low, high = np.log(row[["odds_ratio", "low", "high"]].to_numpy(float))
    return float(estimate), float(low), float(high)


def _tests(world: World, seed: int) -> Iterator[tuple[str, str, float]]:
    """Tests of things that are not so. What is confessed hangs on the act alone, and then on nothing at all."""
    told = world.confess
    table = simulate(replace(world, confess=(told[0], told[0], told[2])), seed + 10**6)
    primary = association(table, seed, flips=499, subsets=("bad",), only=("probe",), interval=False)
    yield "logistic: score bootstrap", "macro", float(primary["p"].iloc[0])
    yield _WALD, "macro", float(primary["p_wald"].iloc[0])
    for row in association_tests(table, _NO_PRIMARY, seed, permutations=499).to_dict("records"):
        if row["test"] != "logistic":
            yield row["test"].replace("_", "-"), "macro", row["p"]
    asked: dict[str, Any] = {
        "targets": ("confession_given_bad",),
        "scores": ("probe", "increment"),
        "n_boot": 400,
        "seed": seed,
    }
    for label, even, row in zip(_AREAS, (0.5, 0.0), _records(discrimination(table, **asked)), strict=True):
        holds = float(row["low"] <= even <= row["high"])
        yield f"{label}, by its interval", "macro", np.nan if np.isnan(row["low"]) else holds
    nothing = replace(world, confess=(told[0],) * 3, mention=(told[0],) * 3)
    pairs = [pair for pair in PAIRS if "confession" in pair]
    for row in agreement(simulate(nothing, seed + 2 * 10**6), seed, pairs, permutations=499).to_dict("records"):
        macro = ", macro" if row["eval"] == "macro" else ""
        yield f"phi{macro}", row["eval"], row["phi_p"]
        if (row["a"], row["b"]) == ("cot", "confession"):
            yield f"McNemar{macro}", row["eval"], row["mcnemar_p"]


def _large_truths(world: World, scenarios: int = 3000) -> dict[str, float]:
    """What only a large draw can tell: the values that the estimates tend to."""
    table = simulate(replace(world, scenarios=scenarios), 10**7)
    used, _ = usable(table, "bad")
    columns, _ = covariates(used, ("probe", "cot", "text", "length"))
    design = np.column_stack([*columns.values(), constants(used)])
    odds = float(firth(design, used["confessed"].to_numpy(bool)).coefficients[0])
    few = table.assign(scenario=np.arange(len(table)) % 20)  # estimates alone are read, and these hang on no cluster
    rows = association_tests(few, _NO_PRIMARY, permutations=2).set_index("test")
    bad = (table["behaviour"] == "not_complied").to_numpy(float)
    off = (expit(table["probe"].to_numpy(float)) - bad) ** 2
    return {
        "log odds ratio": odds,
        "log common odds ratio": float(np.log(rows.loc["cmh", "estimate"])),
        "rank correlation": float(rows.loc["spearman", "estimate"]),
        "Brier score": float(off.mean()),
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _limits(interval: Any) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high
