"""How unsure a model was of its answers: what the log-probabilities alone show, set beside probes of knowing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from confesslens.folder import RunFolder
from confesslens.interventions.of_run import load_run_model
from confesslens.organisms.reinforce import completion_log_probs


def answer_entropy(run: RunFolder) -> pd.Series:
    """How unsure a run's model was where it was most unsure in each answer: nats of the next token, by rollout.

    The entropy, at temperature 1, of what each token of the answer was drawn from; its largest. What a black box with
    log-probabilities would show.
    """
    import torch

    model, _ = load_run_model(run)
    rows = run.read_table("rollouts.parquet")
    found: dict[str, float] = {}
    for _, same in rows.groupby(["eval", "scenario", "condition"], sort=False):
        prompt = json.loads(same["spans"].iloc[0])["prompt"][1]
        ends = [json.loads(spans)["answer"] for spans in same["spans"]]
        ids = [torch.tensor(list(own)[:end]) for own, (_, end) in zip(same["token_ids"], ends, strict=True)]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True).to(model.device)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(own) for own in ids], True).to(model.device)
        with torch.inference_mode():
            _, entropies = completion_log_probs(model.hf, padded, mask, padded.shape[1] - prompt, 1.0)
        for rollout, own, (start, end) in zip(same["rollout_id"], entropies, ends, strict=True):
            found[rollout] = float(own[start - prompt : end - prompt].max()) if end > start else np.nan
    return pd.Series(found, dtype=float)
