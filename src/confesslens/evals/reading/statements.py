"""What an answer says itself: without the messages of its prompt, and without what it only denies or supposes."""

import re

from confesslens.evals.evaluation import Message
from confesslens.evals.reading.answers import blank

# What cancels a match when it stands shortly before it, in the same clause.
AFTER_IF = re.compile(r"\b(?:if|unless|whether|once|when)\W+(?:\w+\W+){0,5}\Z", re.IGNORECASE)
AFTER_NOT = re.compile(
    r"(?:\b(?:not|never|no|nothing|without|none|neither|nor|if|unless|whether)|n['’]?t)\W+(?:\w+\W+){0,3}\Z",
    re.IGNORECASE,
)
_LONG = 20  # a shorter message of the prompt may as well be the answer's own


def said(pattern: re.Pattern[str], text: str, cancelled_by: re.Pattern[str]) -> str:
    """The first match of the pattern that nothing before it in its clause cancels; "" without one."""
    for found in pattern.finditer(text):
        before = re.split(r"[.!?;:,\n]", text[max(0, found.start() - 60) : found.start()])[-1]
        if not cancelled_by.search(before):
            return found.group()
    return ""


def without_messages(answer: str, messages: list[Message]) -> str:
    """The answer with whole messages of the prompt blanked, the sentences of its system text, and its examples.

    Unlike `answers.without_echo` it leaves single lines, for answers that have to repeat lines of the prompt.
    """
    contents = [message["content"] for message in messages]
    units = {message["content"] for message in messages if message["role"] != "assistant"}
    units |= {content for content in contents if len(content) >= _LONG}
    units |= {f"{one}\n{other}" for one, other in zip(contents, contents[1:], strict=False)}
    units |= set(re.findall(r"[A-Z][^.]{15,}[.]\"?", contents[0]))
    for unit in sorted(units, key=lambda u: (-len(u), u)):
        answer = answer.replace(unit, blank(unit))
    return answer
