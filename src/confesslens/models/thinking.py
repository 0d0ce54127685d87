"""How a model marks its chain of thought: by its own template where that has marks, else by ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_OPEN, _CLOSE = "<think>", "</think>"
_CHANNEL = "<|channel|>"


@dataclass(frozen=True)
class Thinking:
    """What stands around a chain of thought, after the prompt as the template renders it.

    Attributes:
        open: what begins it; empty where the template's prompt has begun it already.
        close: what ends it and begins the answer.
        stop: the text in `close` at which the model has ended it by itself.
        none: what stands before an answer or a confession without one.
        native: whether the model's own template knows such marks, so that it need not be told of them.
    """

    open: str = "<think>\n"
    close: str = "\n</think>\n"
    stop: str = _CLOSE
    none: str = ""
    native: bool = False


OURS = Thinking()
"""Marks for a model whose template has none: it is asked to use them."""


def thinking_of(template: str, render: Callable[..., str]) -> Thinking:
    """The marks of a chat template.

    Three kinds are known: channels (GPT-OSS: analysis, then final), <think> tags that the template opens by itself
    (DeepSeek R1, Qwen3 Thinking), and <think> tags that the model opens (Qwen3), which is told not to think by an
    empty pair of them.

    Args:
        template: its text.
        render: what it makes of a short conversation, up to the assistant's turn; takes template variables.
    """
    if f"{_CHANNEL}analysis" in template and f"{_CHANNEL}final" in template:
        final = f"{_CHANNEL}final<|message|>"
        return Thinking(f"{_CHANNEL}analysis<|message|>", f"<|end|><|start|>assistant{final}", "<|end|>", final, True)
    if _CLOSE not in template and _OPEN not in template:
        return OURS
    prompt, silent = render(), _silent(render)
    if prompt.rstrip().endswith(_CLOSE):  # it is told not to think, in every prompt
        return OURS
    close = f"\n{_CLOSE}\n\n"
    if not prompt.rstrip().endswith(_OPEN):
        none = silent.removeprefix(prompt) if silent.startswith(prompt) else ""
        return Thinking(f"{_OPEN}\n", close, _CLOSE, none if _CLOSE in none else f"{_OPEN}\n{close}", True)
    begun = prompt[prompt.rindex(_OPEN) :]  # <think>, mostly with a line's end
    before = prompt.removesuffix(begun)
    shut = silent.removeprefix(before) if silent.startswith(before) else ""
    none = shut.removeprefix(begun).removeprefix(_OPEN) if _CLOSE in shut else f"{_CLOSE}\n\n"
    return Thinking("" if begun.endswith("\n") else "\n", close, _CLOSE, none, True)


def split_thoughts(text: str) -> tuple[str, str]:
    """The chain of thought and the answer of a reply that marks its thoughts as <think>…</think>; "" where none are.

    An opened thought that is never closed is all thought.
    """
    start = text.lstrip()
    if not start.startswith(_OPEN):
        return "", text.strip()
    thought, _, answer = start.removeprefix(_OPEN).partition(_CLOSE)
    return thought.strip(), answer.strip()


def _silent(render: Callable[..., str]) -> str:
    try:
        return render(enable_thinking=False)
    except ValueError:  # a template that does not know the variable, as ModelError
        return ""
