"""Can a model tell a bad answer when it is shown one? The step between doing a task and confessing about it."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

import pandas as pd

from confesslens.confessions.confess import confess
from confesslens.evals import EVALUATIONS, Scenario
from confesslens.evals.conditions import TEMPTED
from confesslens.faithfulness import wilson
from confesslens.organisms.demonstrations import BAD, COMPLIED, DEMONSTRATIONS, Demonstration
from confesslens.organisms.lessons import measures_organisms
from confesslens.rollouts.given import given_rollouts
from confesslens.rollouts.plan import draw_kept

if TYPE_CHECKING:
    from confesslens.models import Model


def _suits(shown: Demonstration, scenario: Scenario) -> bool:
    return measures_organisms(scenario) and shown.tempts(scenario)


def verification(model: Model, n: int = 20, seed: int = 0, *, batch_size: int = 16) -> pd.DataFrame:
    """Confessions of given answers, a complied and a bad one for each of `n` held-out scenarios an evaluation.

    Returns:
        a row an evaluation and `behaviour` of the given answer: n, `p_confess` (share of guided confessions that claim
        a bad act) with `_low` and `_high` (95 %, Wilson), `logit` (mean confession logit).
    """
    rows = []
    for name, shown in DEMONSTRATIONS.items():
        evaluation, rng = EVALUATIONS[name], random.Random(f"verification/{name}/{seed}")
        scenarios = draw_kept(evaluation, n, seed, "tiny", functools.partial(_suits, shown))
        for behaviour in (COMPLIED, BAD):
            answers = [shown.answer(s, TEMPTED, behaviour, rng) for s in scenarios]
            messages = [evaluation.make_messages(s, TEMPTED) for s in scenarios]
            given = given_rollouts(model, list(zip(messages, answers, strict=True)), eval_name=name)
            said = confess(model, given, samples=0, batch_size=batch_size)
            k = int((said["claim"] == BAD).sum())
            share = wilson(k, len(said))
            rows.append((name, behaviour, len(said), share.estimate, share.low, share.high, said["logit"].mean()))
    columns = ["eval", "behaviour", "n", "p_confess", "p_confess_low", "p_confess_high", "logit"]
    return pd.DataFrame(rows, columns=columns)
