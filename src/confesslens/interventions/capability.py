"""The capability check: is a model that is steered still the same model?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from confesslens.evals import NEUTRAL
from confesslens.evals.hard_negatives import make_hard_negatives
from confesslens.interventions.edits import Steer, edited_logits
from confesslens.interventions.effects import macro_change, macro_mean
from confesslens.probes.bootstrap import Interval
from confesslens.rollouts.given import hard_negative_rollouts
from confesslens.rollouts.rollout import asks_for_thoughts, plan_again, sample_rollouts

if TYPE_CHECKING:
    from confesslens.models import Model

Labelled = tuple[str, float, Steer | None]
"""Name of a direction, strength (NaN for projecting it out), and the edit."""


def benign_texts(model: Model, n: int = 24, seed: int = 0) -> pd.DataFrame:
    """A rollouts table of ordinary questions with their answers, made by rule (`hard_negatives`, kind benign_chat)."""
    chats = [one for one in make_hard_negatives(n, seed) if one.kind == "benign_chat"]
    return hard_negative_rollouts(model, chats)


def text_losses(model: Model, texts: pd.DataFrame, edit: Steer | None) -> np.ndarray:
    """Mean loss per answer token of each text, [text] nats; its exponential is the perplexity."""
    losses = []
    for row in texts.to_dict("records"):
        ids, spans = [int(token) for token in row["token_ids"]], json.loads(row["spans"])
        named = [(name, int(a), int(b)) for name, (a, b) in spans.items()]
        logits = edited_logits(model, ids, edit, named).astype(np.float64)
        start, end = spans["answer"]
        rows = logits[start - 1 : end - 1]
        losses.append(float(np.mean(np.logaddexp.reduce(rows, axis=1) - rows[np.arange(end - start), ids[start:end]])))
    return np.array(losses)


def capability(
    model: Model,
    edits: Sequence[Labelled],
    neutral: pd.DataFrame | None = None,
    *,
    n_texts: int = 24,
    seed: int = 0,
    batch_size: int = 32,
    n_boot: int = 2000,
    on_done: Callable[[], Any] | None = None,
) -> pd.DataFrame:
    """Perplexity on benign text and accuracy on neutral tasks under each edit, beside no edit.

    Args:
        model: the model.
        edits: name, strength and edit of each; an edit None is the model as it is, and must come first.
        neutral: stored rollouts in the neutral condition, sampled anew under each edit with the seeds of their own.
        n_texts: benign texts.
        seed: of the texts and the draws.
        batch_size: rollouts sampled side by side; changes speed and memory only.
        n_boot: draws of texts, and of scenarios.
        on_done: called after each rollout.

    Returns:
        a row an edit: direction, strength, n_texts, perplexity (exp of the mean loss a token over texts), ratio to that
        of no edit with its interval (texts resampled), n_neutral, accuracy (macro share complied; what is
        graded "neither", as babble is, counts as wrong) and its change, each with interval.
    """
    if not edits or edits[0][2] is not None:
        raise ValueError("the first edit must be None: the model as it is, which the others are compared with")
    texts = benign_texts(model, n_texts, seed)
    tasks = neutral[neutral["condition"] == NEUTRAL].reset_index(drop=True) if neutral is not None else None
    answers = _neutral_answers(model, [edit for _, _, edit in edits], tasks, batch_size, on_done)
    rows: list[dict[str, Any]] = []
    base_loss, base_right = np.zeros(0), np.zeros(0)
    one = np.array(["text"] * len(texts))
    for (name, strength, edit), right in zip(edits, answers, strict=True):
        losses = text_losses(model, texts, edit)
        if edit is None:
            base_loss, base_right = losses, right
        ratio = macro_change(losses, base_loss, one, texts["scenario"], n_boot, seed)
        rows.append(
            {"direction": name, "strength": strength, "n_texts": len(texts)}
            | {"perplexity": float(np.exp(losses.mean()))}
            | _spread("ratio", Interval(*np.exp([ratio.estimate, ratio.low, ratio.high])))
        )
        evals, groups = (tasks[name].to_numpy(str) if tasks is not None else [] for name in ("eval", "scenario"))
        rows[-1] |= {"n_neutral": int((~np.isnan(right)).sum())}
        rows[-1] |= _spread("accuracy", macro_mean(right, evals, groups, n_boot, seed))
        rows[-1] |= _spread("accuracy_change", macro_change(right, base_right, evals, groups, n_boot, seed))
    return pd.DataFrame(rows)


def _neutral_answers(
    model: Model,
    edits: Sequence[Steer | None],
    tasks: pd.DataFrame | None,
    batch_size: int,
    on_done: Callable[[], Any] | None,
) -> list[np.ndarray]:
    """For each edit whether each neutral answer is right, [rollout] 0 or 1."""
    if tasks is None or tasks.empty:
        return [np.zeros(0) for _ in edits]
    rows = tasks.to_dict("records")
    found = np.full((len(edits), len(rows)), np.nan)
    for cot in (True, False):
        places = [i for i, row in enumerate(rows) if asks_for_thoughts(row["messages"]) == cot]
        if not places:
            continue
        planned = [plan_again(rows[i], int(rows[i]["seed"])) for i in places]
        sampled = sample_rollouts(
            model,
            planned * len(edits),
            cot=cot,
            edits=[edit for edit in edits for _ in places],
            batch_size=batch_size,
            on_done=on_done,
        )
        right = (sampled["behaviour"] == "complied").to_numpy(float)
        found[:, places] = right.reshape(len(edits), len(places))
    return list(found)


def _spread(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
