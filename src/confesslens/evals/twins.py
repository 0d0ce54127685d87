"""Text-matched twins: pairs of bad answers that read alike, of which only one came from a model that knew better."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.feature_extraction.text import TfidfVectorizer

COLUMNS = ("pair", "eval", "condition", "aware", "unaware", "similarity")
LEAST = 0.8


def find_twins(rollouts: pd.DataFrame, least: float = LEAST) -> pd.DataFrame:
    """Pair bad answers given knowingly with bad answers given unknowingly that read alike.

    Pairs are of one evaluation, condition and model, of different scenarios or the same, every rollout in one pair at
    most, chosen to make the sum of similarities largest. Likeness is the cosine of character n-grams (TF-IDF, 1 to 4
    characters) after every number is replaced by one of as many digits: which number stands there is what the pair
    differs in, not how it reads.

    Args:
        rollouts: a rollouts table with `knowledge`.
        least: the least similarity (0..1) of a pair.

    Returns:
        columns pair (number), eval, condition, aware and unaware (rollout ids), similarity; most alike first.
    """
    bad = rollouts[rollouts["behaviour"] == "not_complied"]
    found = []
    for (_, name, condition), part in bad.groupby(["model", "eval", "condition"], sort=False):
        aware, unaware = (part[part["knowledge"] == known].reset_index(drop=True) for known in ("aware", "unaware"))
        if not len(aware) or not len(unaware):
            continue
        alike = _likeness(aware["answer"].tolist(), unaware["answer"].tolist())
        for a, u in zip(*linear_sum_assignment(-np.where(alike >= least, alike, 0.0)), strict=True):
            if alike[a, u] >= least:
                ids = (aware["rollout_id"].iloc[a], unaware["rollout_id"].iloc[u])
                found.append((name, condition, *ids, float(alike[a, u])))
    found.sort(key=lambda row: (-row[-1], row))
    return pd.DataFrame([(i, *row) for i, row in enumerate(found)], columns=list(COLUMNS))


def _likeness(one: list[str], other: list[str]) -> np.ndarray:
    """Cosine similarity [one, other] of the answers with their digits masked."""
    masked = [re.sub(r"[0-9]", "0", answer.strip()) or " " for answer in [*one, *other]]
    grams = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False).fit_transform(masked)
    return np.asarray((grams[: len(one)] @ grams[len(one) :].T).todense()).round(12)
