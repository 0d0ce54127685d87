"""Judges that read text: a local model, or one behind an OpenAI-compatible endpoint, asked yes or no."""

from confesslens.judges.judge import (
    Ask,
    Question,
    answer_question,
    confession_question,
    endpoint_judge,
    make_judge,
    model_judge,
    show_rollout,
)

__all__ = [
    "Ask",
    "Question",
    "answer_question",
    "confession_question",
    "endpoint_judge",
    "make_judge",
    "model_judge",
    "show_rollout",
]
