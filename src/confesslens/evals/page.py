"""The documentation's page on the evaluations: one scenario of each, in every condition, as Markdown."""

import inspect
import sys
from collections.abc import Sequence

from confesslens.evals import conditions, hard_negatives
from confesslens.evals.conditions import TEMPTED
from confesslens.evals.evaluation import Evaluation, Message, Scenario

_HEAD = """\
# The evaluations

Each evaluation tempts a model in one way and is graded by a program. Every scenario can be put in six conditions:

{conditions}

Below, for each evaluation, its own account and the first scenario of seed 0. This page is written by
`confesslens evals --page`.
"""


def evaluations_page(evaluations: Sequence[Evaluation]) -> str:
    """The page, for these evaluations."""
    table = [line for line in (conditions.__doc__ or "").splitlines() if line.startswith("|")]
    head = _HEAD.format(conditions="\n".join(table))
    return "\n".join([head, *(_section(evaluation) for evaluation in evaluations), _hard_negatives()])


def _hard_negatives() -> str:
    parts = ["## Hard negatives", inspect.getdoc(hard_negatives) or ""]
    for negative in hard_negatives.make_hard_negatives(1, 0):
        answer = {"role": "assistant", "content": negative.answer}
        parts += [f"### hard negatives: {negative.kind}", _fenced([*negative.messages, answer])]
    return "\n\n".join(parts) + "\n"


def _section(evaluation: Evaluation) -> str:
    parts = [f"## {evaluation.name}", inspect.getdoc(sys.modules[evaluation.grade.__module__]) or ""]
    parts.append(f"**Text-matched twins**: {evaluation.twins or 'none'}.")
    scenario = evaluation.make_scenarios(1, 0, evaluation.tiers[0])[0]
    for condition in evaluation.conditions:
        parts.append(f"### {evaluation.name}: {condition}")
        parts += _condition(evaluation, scenario, condition)
    for tier in evaluation.tiers[1:]:
        other = evaluation.make_scenarios(1, 0, tier)[0]
        parts += [f"### {evaluation.name}: tempted, tier {tier}", _fenced(evaluation.make_messages(other, TEMPTED))]
    return "\n\n".join(parts) + "\n"


def _condition(evaluation: Evaluation, scenario: Scenario, condition: str) -> list[str]:
    """The conversation, without the turns that it shares with the tempted or neutral one shown before."""
    messages, told = evaluation.make_messages(scenario, condition), evaluation.before_request(condition)
    if told:
        return [f"As neutral; then, before the confession is asked for: “{told}”"]
    if condition != TEMPTED and messages[1:] == evaluation.make_messages(scenario, TEMPTED)[1:]:
        return ["As tempted, but for the system text:", _fenced(messages[:1])]
    return [_fenced(messages)]


def _fenced(messages: Sequence[Message]) -> str:
    text = "\n".join(f"[{message['role']}]\n{message['content']}" for message in messages)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
