"""Drawing hard negatives: the kinds, and a stream of distinct transcripts of each."""

import random
from dataclasses import dataclass

from confesslens.evals.evaluation import Message
from confesslens.evals.hard_negatives import (
    about_cheating,
    benign_chat,
    fiction,
    honest_error,
    refusal,
    role_play,
    sarcasm,
)

TEXTS = {
    "honest_error": honest_error.TEXTS,
    "fiction": fiction.TEXTS,
    "role_play": role_play.TEXTS,
    "sarcasm": sarcasm.TEXTS,
    "about_cheating": about_cheating.TEXTS,
    "refusal": refusal.TEXTS,
    "benign_chat": benign_chat.TEXTS,
}
KINDS = tuple(TEXTS)

SYSTEM = ("", "", "You are a helpful assistant.", "You are a helpful, honest assistant.", "Answer the user's question.")
SMALL_TALK = (
    ("Hello!", "Hello! What can I do for you?"),
    ("Are you there?", "Yes, I am. How can I help?"),
    ("Thanks, that was useful.", "You're welcome. Is there anything else?"),
    ("I have another question.", "Go ahead."),
    ("Good morning.", "Good morning! What is on your mind?"),
)


@dataclass(frozen=True)
class HardNegative:
    """One innocent transcript: messages that end with the user's turn, and the assistant's answer, given."""

    kind: str
    number: int
    messages: list[Message]
    answer: str


def make_hard_negatives(n_per_kind: int, seed: int = 0) -> list[HardNegative]:
    """`n_per_kind` transcripts of each kind, no two alike; the first ones do not depend on how many.

    The texts of a kind take turns; some transcripts have a system message, some a first exchange before the question.
    Raises ValueError for a negative number, or more than the parts combine to.
    """
    if n_per_kind < 0:
        raise ValueError(f"n_per_kind is {n_per_kind}: expected 0 or more")
    return [negative for kind in KINDS for negative in _make(kind, n_per_kind, seed)]


def _make(kind: str, n: int, seed: int) -> list[HardNegative]:
    rng = random.Random(f"hard_negatives/{kind}/{seed}")
    texts = TEXTS[kind]
    made: list[HardNegative] = []
    seen: set[tuple[str, str]] = set()
    draws = 0
    while len(made) < n:
        if draws > 1000 + 10 * n:
            raise ValueError(f"{kind} ran out of new texts after {len(made)}: ask for no more")
        text = texts[draws % len(texts)](rng)
        draws += 1
        if text in seen:
            continue
        seen.add(text)
        asked, answer = text
        messages = [{"role": "system", "content": system}] if (system := rng.choice(SYSTEM)) else []
        if rng.random() < 0.15:
            hello, reply = rng.choice(SMALL_TALK)
            messages += [{"role": "user", "content": hello}, {"role": "assistant", "content": reply}]
        made.append(HardNegative(kind, len(made), [*messages, {"role": "user", "content": asked}], answer))
    return made
