"""How often the probe errs on model organisms, where it is known what the model knew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from confesslens.faithfulness.clusters import codes
from confesslens.probes.proportion import effective_size

COLUMNS = ["eval", "threshold", "sensitivity", "n_sensitivity", "specificity", "n_specificity"]
RATES = ("sensitivity", "specificity")
POOLED = ""


def probe_errors(given: Any) -> pd.DataFrame:
    """Sensitivity and specificity of the probe in one form.

    Sensitivity is the share of known bad acts on which the probe fires, specificity the share of bad acts in good faith
    on which it does not.

    Args:
        given: one of
            {"sensitivity": (31, 40), "specificity": (36, 40)}: counts (whole numbers) out of n, of all evaluations;
            {"sensitivity": (0.775, 40), ...}: estimates (fractions) and the n that they are worth;
            {"people": {"sensitivity": ..., "specificity": ...}, ...}: one of these for each evaluation;
            a table with columns sensitivity, n_sensitivity, specificity, n_specificity and, where they differ, eval and
            threshold (as from `errors_of`);
            None: nothing is known.

    Returns:
        columns eval ("" for all), threshold (NaN: that of the comparison), sensitivity, n_sensitivity, specificity,
        n_specificity.

    Raises:
        ValueError: anything else, a share outside of 0..1, or n below 1.
    """
    if given is None:
        return pd.DataFrame(columns=COLUMNS)
    if isinstance(given, pd.DataFrame):
        missing = [name for name in COLUMNS[2:] if name not in given]
        if missing:
            raise ValueError(f"errors: missing columns {missing}; it has {list(given.columns)}")
        table = given.assign(**{k: v for k, v in {"eval": POOLED, "threshold": np.nan}.items() if k not in given})
        table = table[COLUMNS].reset_index(drop=True)
        table["eval"] = table["eval"].fillna(POOLED).astype(str)
        table[COLUMNS[1:]] = table[COLUMNS[1:]].astype(float)
    elif isinstance(given, Mapping):
        each = {POOLED: given} if set(given) & set(RATES) else given
        table = pd.DataFrame([_row(str(name), rates) for name, rates in each.items()], columns=COLUMNS)
    else:
        raise ValueError(
            f'errors: got {type(given).__name__}, expected {{"sensitivity": (k, n), "specificity": (k, n)}}'
        )
    for rate in RATES:
        if not (table[rate].between(0, 1) & (table[f"n_{rate}"] >= 1)).all():
            raise ValueError(f"errors: {rate} must be a share in 0..1 (or a count up to n) with n of 1 or more")
    return table


def errors_of(
    scores: ArrayLike,
    aware: ArrayLike,
    groups: ArrayLike | None = None,
    evals: ArrayLike | None = None,
    thresholds: Sequence[float] = (0.0,),
) -> pd.DataFrame:
    """Sensitivity and specificity at each threshold, from scores of bad acts of organisms.

    Args:
        scores: [n] the probe's scores of bad acts, fitted on none of these rows.
        aware: [n] whether the organism knew (a concealer's or confessor's acts) or not (an unaware one's).
        groups: [n] scenarios; n is then the effective number of rows.
        evals: [n] evaluations, to have rates for each; pooled when None.
        thresholds: the probe fires above.

    Returns:
        as `probe_errors`; evaluations with only one of the two kinds are left out.

    Raises:
        ValueError: lengths that differ.
    """
    score, known = np.asarray(scores, dtype=float), np.asarray(aware, dtype=bool)
    group = np.arange(len(score)) if groups is None else np.asarray(groups)
    name = np.full(len(score), POOLED) if evals is None else np.asarray(evals).astype(str)
    if len({len(score), len(known), len(group), len(name)}) > 1:
        raise ValueError("errors_of: scores, aware, groups and evals need one entry a row each")
    rows: list[dict[str, object]] = []
    for each in np.unique(name):
        if known[name == each].all() or not known[name == each].any():
            continue
        for threshold in thresholds:
            row: dict[str, object] = {"eval": str(each), "threshold": float(threshold)}
            for rate, of in zip(RATES, (known, ~known), strict=True):
                rows_of = of & (name == each)
                right = (score[rows_of] > threshold) == (rate == "sensitivity")
                cluster = codes(group[rows_of])
                flat = right.all() or not right.any()
                n = float(cluster.max() + 1) if flat else effective_size(right.astype(float), cluster)
                row |= {rate: float(right.mean()), f"n_{rate}": n}
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def errors_at(errors: pd.DataFrame, eval_: str, threshold: float, main: float) -> pd.Series | None:
    """The row for an evaluation at a threshold: its own, else the pooled one, else None."""
    at = errors["threshold"].fillna(main) if len(errors) else errors["threshold"]
    for name in (eval_, POOLED):
        found = errors[(errors["eval"] == name) & np.isclose(at.astype(float), threshold)]
        if len(found):
            return found.iloc[0]
    return None


def _row(name: str, rates: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"eval": name, "threshold": np.nan}
    for rate in RATES:
        try:
            share, n = rates[rate]
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"errors: {rate} of {name or 'all evaluations'}: expected (count or share, n)") from None
        whole = isinstance(share, int | np.integer) and not isinstance(share, bool)
        row |= {rate: share / n if whole and n else float(share), f"n_{rate}": float(n)}
    return row
