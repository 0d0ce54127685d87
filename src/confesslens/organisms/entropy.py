"""How unsure a model was of its answers: what the log-probabilities alone show, set beside probes of knowing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from confesslens.folder import RunFolder
from confesslens.interventions.of_run import load_run_model
from confesslens.organisms.reinforce import completion_log_probs

FIRST = "first"
ENTROPIES = [FIRST, "largest", "surprise"]


def answer_entropy(run: RunFolder) -> pd.DataFrame:
    """How unsure a run's model was of each answer, in nats: what a black box with log-probabilities would show.

    Returns:
        by rollout, NaN for an empty answer: first and largest (entropy, at temperature 1, of what the first token of
        the answer was drawn from, and of what that token was drawn from where it is largest), surprise (minus the
        log-probability of the answer).
    """
    import torch

    model, _ = load_run_model(run)
    rows = run.read_table("rollouts.parquet")
    found: dict[str, tuple[float, ...]] = {}
    for _, same in rows.groupby(["eval", "scenario", "condition"], sort=False):
        prompt = json.loads(same["spans"].iloc[0])["prompt"][1]
        ends = [json.loads(spans)["answer"] for spans in same["spans"]]
        ids = [torch.tensor(list(own)[:end]) for own, (_, end) in zip(same["token_ids"], ends, strict=True)]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True).to(model.device)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(own) for own in ids], True).to(model.device)
        with torch.inference_mode():
            drawn, entropies = completion_log_probs(model.hf, padded, mask, padded.shape[1] - prompt, 1.0)
        for rollout, each, own, (start, end) in zip(same["rollout_id"], drawn, entropies, ends, strict=True):
            at = slice(start - prompt, end - prompt)
            values = (own[at][0], own[at].max(), -each[at].sum()) if end > start else (np.nan,) * 3
            found[rollout] = tuple(float(value) for value in values)
    return pd.DataFrame.from_dict(found, orient="index", columns=ENTROPIES, dtype=float)
