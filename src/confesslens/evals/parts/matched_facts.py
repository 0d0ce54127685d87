"""True and false answers that read alike: a probe that tells them apart has read more than the text."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pandas as pd

from confesslens.evals.parts.general import Fact, facts

QUESTIONS = {
    "capital": "What is the capital of {}?",
    "continent": "Which continent is {} on?",
    "currency": "What is the currency of {}?",
    "country": "Which country is {} in?",
}


def matched_facts(n: int, kinds: Sequence[str] = tuple(QUESTIONS), seed: int = 0) -> pd.DataFrame:
    """Questions with a true and a false answer, in scenarios where every answer is once true and once false.

    A scenario is two subjects that exchange their answers: four rows. No word of question or answer goes together with
    the label, in a scenario or over all, so that a text baseline is at chance by construction, as in the curated sets
    of Marks and Tegmark (arXiv 2310.06824). The labels are what the world says, not what the model believes.

    Args:
        n: scenarios of each kind; fewer where the table of facts has fewer.
        kinds: of `QUESTIONS`.
        seed: of the choice.

    Returns:
        kind, scenario, question, answer, false.
    """
    rows = []
    for kind in kinds:
        rng = random.Random(f"matched_facts/{kind}/{seed}")
        known = [fact for fact in facts() if fact.kind == kind and fact.answer]
        rng.shuffle(known)
        for number, (one, other) in enumerate(_pairs(known, n)):
            for subject, answer in ((one, one), (one, other), (other, other), (other, one)):
                rows.append(
                    {
                        "kind": kind,
                        "scenario": f"{kind}/{number:03d}",
                        "question": QUESTIONS[kind].format(subject.subject),
                        "answer": f"{answer.answer}.",
                        "false": subject is not answer,
                    }
                )
    return pd.DataFrame(rows)


def _pairs(known: list[Fact], n: int) -> list[tuple[Fact, Fact]]:
    found: list[tuple[Fact, Fact]] = []
    waiting: list[Fact] = []
    for fact in known:
        if len(found) == n:
            break
        partner = next((other for other in waiting if not _same(fact, other)), None)
        if partner is None:
            waiting.append(fact)
        else:
            waiting.remove(partner)
            found.append((partner, fact))
    return found


def _same(one: Fact, other: Fact) -> bool:
    return one.answer == other.answer or one.answer in other.also or other.answer in one.also
