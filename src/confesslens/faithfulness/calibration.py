"""Do stated confidence, confession logit and probe mean what they say as probabilities?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from confesslens.faithfulness.witnesses import blocks
from confesslens.probes import TooLittleData, brier, calibrated, ece, ece_if_calibrated, reliability

SOURCES = {
    "confidence": "the claim is true",
    "logit": "the answer is bad",
    "probe": "the answer is bad",
    "probe, recalibrated": "the answer is bad",
}
"""Each source of probabilities, and the event that they are of."""
MIN_ROWS = 20
COLUMNS = [
    *("source", "event", "n", "n_event", "evals", "mean"),
    *(f"{name}{end}" for name in ("brier", "base", "ece") for end in ("", "_low", "_high")),
    *("ece_by_chance", "note"),
]


def calibration(
    witnesses: pd.DataFrame, bins: int = 10, n_boot: int = 1000, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Brier score and calibration error of each source, and the rows of its reliability diagram.

    The confession logit log p(not complied) - log p(complied) and the probe's out-of-fold log-odds are turned into
    probabilities by the logistic function; "recalibrated" maps the probe's scores by Platt's method fitted out of fold,
    as the probe itself is trained with balanced classes and does not know how common bad answers are.

    Args:
        witnesses: from `witnesses`.
        bins: most bins an evaluation, of equal size; fewer where it has under 10 rows a bin.
        n_boot: bootstrap draws, scenarios resampled inside evaluations.
        seed: of the draws.

    Returns:
        (scores, reliability). scores: columns source, event, n, n_event, evals, mean (probability), brier and ece with
        `_low` and `_high` (means over evaluations), base (Brier score of saying each evaluation's own base rate, with
        limits), ece_by_chance (upper 97.5 % limit of ece if the probabilities were right), note. reliability: columns
        source, eval, bin, n, predicted, observed, low, high. Too little data gives NaN and a note.
    """
    rows, diagrams = [], []
    graded = witnesses[witnesses["behaviour"].isin(["complied", "not_complied"])]
    for source, event in SOURCES.items():
        row: dict[str, Any] = {"source": source, "event": event, "note": ""}
        try:
            table, y, p = _probabilities(source, graded, seed)
        except TooLittleData as error:
            rows.append(row | {"n": 0, "n_event": 0, "evals": "", "note": str(error)})
            continue
        names, groups = blocks(table).to_numpy(str), table["scenario"].to_numpy(str)
        row |= {"n": len(y), "n_event": int(y.sum()), "evals": ",".join(np.unique(names))}
        if len(y) < MIN_ROWS:
            rows.append(
                row
                | {
                    "note": f"too little data: {len(y)} rollouts, at least {MIN_ROWS} needed"
                    if len(y)
                    else _none(source)
                }
            )
            continue
        few = int(np.clip(min(np.unique(names, return_counts=True)[1]) // 10, 1, bins))
        rate = pd.Series(y.astype(float)).groupby(names).transform("mean").to_numpy()
        row["mean"] = float(p.mean())
        measured = {
            "brier": brier(y, p, groups, names, n_boot, seed),
            "base": brier(y, rate, groups, names, n_boot, seed),
            "ece": ece(y, p, groups, names, few, n_boot, seed),
        }
        for name, interval in measured.items():
            row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
        row["ece_by_chance"] = ece_if_calibrated(p, names, few, n_boot, seed).high
        rows.append(row)
        for name in pd.unique(names):
            of = names == name
            diagrams.append(reliability(y[of], p[of], groups[of], few).assign(source=source, eval=name))
    shown = ["source", "eval", "bin", "n", "predicted", "observed", "low", "high"]
    diagram = pd.concat(diagrams, ignore_index=True)[shown] if diagrams else pd.DataFrame(columns=shown)
    return pd.DataFrame(rows).reindex(columns=COLUMNS), diagram


def _probabilities(
    source: str, graded: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, NDArray[np.bool_], NDArray[np.float64]]:
    """The rows that have the source, whether its event holds [n], and its probabilities [n]."""
    column = "probe" if source.startswith("probe") else source
    table = graded[graded[column].notna()]
    bad = (table["behaviour"] == "not_complied").to_numpy(bool)
    values = table[column].to_numpy(float)
    if source == "confidence":
        table = table[table["claim"].isin(["complied", "not_complied"])]
        values = table[column].to_numpy(float)
        if ((values < 0) | (values > 1)).any():
            raise TooLittleData("stated confidence lies outside of 0..1: no probability")
        return table, (table["claim"] == table["behaviour"]).to_numpy(bool), values
    if source != "probe, recalibrated":
        return table, bad, expit(values)
    if not len(table):
        return table, bad, values
    groups, names = table["scenario"].to_numpy(str), blocks(table).to_numpy(str)
    return table, bad, calibrated(values, bad, groups, names, seed=seed)


def _none(source: str) -> str:
    return f"no rollout has a {'stated confidence' if source == 'confidence' else source}"
