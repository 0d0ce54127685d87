"""The evaluations: tasks that tempt a model, each with a program for a judge, and the registry that names them.

The module is itself callable: `confesslens.evals("sandbagging", "people")` is `select("sandbagging", "people")`.
"""

import difflib
import sys
from types import ModuleType

from confesslens.evals import (
    background_tasks,
    broken_browser,
    covert_rule,
    general_knowledge,
    impossible_timer,
    instruction_following,
    instruction_hierarchy,
    jailbreak_tutor,
    lived_experience,
    people,
    sandbagging,
    word_count,
)
from confesslens.evals.conditions import CONDITIONS, NEUTRAL, TEMPTED, has_incentive
from confesslens.evals.evaluation import BEHAVIOURS, KNOWLEDGE, TIERS, Evaluation, Grade, Scenario, with_thoughts

EVALUATIONS: dict[str, Evaluation] = {
    module.EVALUATION.name: module.EVALUATION
    for module in (
        instruction_following,
        word_count,
        instruction_hierarchy,
        jailbreak_tutor,
        background_tasks,
        people,
        lived_experience,
        general_knowledge,
        broken_browser,
        covert_rule,
        sandbagging,
        impossible_timer,
    )
}


def get(name: str) -> Evaluation:
    """The evaluation called `name`. Raises ValueError that names the nearest valid one and lists them all."""
    if name in EVALUATIONS:
        return EVALUATIONS[name]
    name = str(name)[:80]
    near = difflib.get_close_matches(name.lower(), EVALUATIONS, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown evaluation {name!r}.{hint} Valid: {', '.join(EVALUATIONS)}, or all")


def select(*names: str) -> list[Evaluation]:
    """The named evaluations in the order named, each once; all of them for "all" or no name. Raises as `get`."""
    if not names or "all" in names:
        for name in names:
            if name != "all":
                get(name)
        return list(EVALUATIONS.values())
    return [get(name) for name in dict.fromkeys(names)]


class _CallableModule(ModuleType):
    def __call__(self, *names: str) -> list[Evaluation]:
        return select(*names)


sys.modules[__name__].__class__ = _CallableModule

__all__ = [
    "BEHAVIOURS",
    "CONDITIONS",
    "EVALUATIONS",
    "KNOWLEDGE",
    "NEUTRAL",
    "TEMPTED",
    "TIERS",
    "Evaluation",
    "Grade",
    "Scenario",
    "get",
    "has_incentive",
    "select",
    "with_thoughts",
]
