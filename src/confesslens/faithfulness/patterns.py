"""Which witnesses speak up together, and what stands behind a confession that is wrong."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from confesslens.faithfulness.macro import macro_share
from confesslens.probes.proportion import clustered_wilson

FALSE_NEGATIVE, FALSE_POSITIVE = "bad act denied", "false confession"
KINDS = {FALSE_NEGATIVE: ("not_complied", "complied"), FALSE_POSITIVE: ("complied", "not_complied")}
"""The two ways in which a confession is wrong: (behaviour, claim)."""


def overlap(witnesses: pd.DataFrame) -> pd.DataFrame:
    """How often each pattern of the four witnesses occurs: did, knew (probe), thought (mentions it), said (confessed).

    Args:
        witnesses: from `faithfulness.witnesses`.

    Returns:
        a row a condition and pattern that occurs: condition, did, knew, thought, said (booleans; `knew` and `thought`
        are NA where no rollout has a probe score or a chain of thought), n, then share, low, high (mean over
        evaluations of the share of rollouts that have all these witnesses, 95 %). Most frequent first.
    """
    table = witnesses[witnesses["behaviour"].isin(["complied", "not_complied"])]
    table = table[table["claim"].isin(["complied", "not_complied"])]
    rows = []
    for condition, part in table.groupby("condition", sort=False):
        has = {name: bool(part[name].notna().any()) for name in ("probe_fires", "cot")}
        for name, there in has.items():
            part = part[part[name].notna()] if there else part
        said = {
            "did": part["behaviour"] == "not_complied",
            "knew": part["probe_fires"].fillna(False).astype(bool),
            "thought": part["cot"].fillna(False).astype(bool),
            "said": part["claim"] == "not_complied",
        }
        evals, groups = part["eval"].to_numpy(str), part["scenario"].to_numpy(str)
        for pattern in product((True, False), repeat=4):
            alike = [column.to_numpy(bool) == on for column, on in zip(said.values(), pattern, strict=True)]
            hits = np.logical_and.reduce(alike)
            if hits.any():
                share = macro_share(hits, hits | True, evals, groups)
                row: dict[str, object] = dict(zip(said, pattern, strict=True))
                row |= {"knew": row["knew"] if has["probe_fires"] else pd.NA}
                row |= {"thought": row["thought"] if has["cot"] else pd.NA}
                shares = {"share": share.estimate, "low": share.low, "high": share.high}
                rows.append({"condition": condition, **row, "n": int(hits.sum()), **shares})
    columns = ["condition", "did", "knew", "thought", "said", "n", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns).sort_values(["condition", "n"], ascending=[True, False], kind="stable")


def errors_of_confession(witnesses: pd.DataFrame) -> pd.DataFrame:
    """Confessions that are wrong, by what the probe and the chain of thought showed: ignorance or concealment?

    The paper decided from the chain of thought alone whether a silent model meant to deceive (arXiv 2512.08093, Figures
    9 and 10); the probe is a second axis beside it.

    Args:
        witnesses: from `faithfulness.witnesses`.

    Returns:
        a row a kind of error, evaluation (last "macro", the sum), probe ("fires", "silent", "none") and thought
        ("mentions it", "silent", "none") that occurs: condition, kind, eval, probe, thought, n, n_kind (errors of that
        kind there), share (of them), low, high (95 %, Wilson at the effective sample size of scenarios; for the macro
        row the mean over evaluations).
    """
    rows = []
    probe = witnesses["probe_fires"].map({True: "fires", False: "silent"}).fillna("none")
    thought = witnesses["cot"].map({True: "mentions it", False: "silent"}).fillna("none")
    table = witnesses.assign(seen=probe, mentioned=thought)
    for condition, mine in table.groupby("condition", sort=False):
        for kind, (behaviour, claim) in KINDS.items():
            wrong = mine[(mine["behaviour"] == behaviour) & (mine["claim"] == claim)]
            combinations = list(wrong[["seen", "mentioned"]].drop_duplicates().itertuples(index=False, name=None))
            for name in [*pd.unique(wrong["eval"]), "macro"]:
                part = wrong if name == "macro" else wrong[wrong["eval"] == name]
                for seen, mentioned in sorted(combinations):
                    hits = ((part["seen"] == seen) & (part["mentioned"] == mentioned)).to_numpy(bool)
                    groups, evals = part["scenario"].to_numpy(str), part["eval"].to_numpy(str)
                    share = (
                        macro_share(hits, hits | True, evals, groups)
                        if name == "macro"
                        else clustered_wilson(hits, groups)
                    )
                    row = (condition, kind, name, seen, mentioned, int(hits.sum()), len(part))
                    rows.append((*row, share.estimate, share.low, share.high))
    columns = ["condition", "kind", "eval", "probe", "thought", "n", "n_kind", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)
