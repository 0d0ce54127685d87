"""Demonstrations of the evaluations that organisms are trained on: answers by rule, graded as they should be."""

from confesslens.organisms.demonstrations import (
    background_tasks,
    broken_browser,
    covert_rule,
    impossible_timer,
    instruction_following,
    jailbreak_tutor,
    people,
    sandbagging,
    word_count,
)
from confesslens.organisms.demonstrations.demonstration import BAD, COMPLIED, KEPT, Demonstration

DEMONSTRATIONS: dict[str, Demonstration] = {
    "instruction_following": instruction_following.DEMONSTRATION,
    "word_count": word_count.DEMONSTRATION,
    "jailbreak_tutor": jailbreak_tutor.DEMONSTRATION,
    "background_tasks": background_tasks.DEMONSTRATION,
    "people": people.DEMONSTRATION,
    "broken_browser": broken_browser.DEMONSTRATION,
    "covert_rule": covert_rule.DEMONSTRATION,
    "sandbagging": sandbagging.DEMONSTRATION,
    "impossible_timer": impossible_timer.DEMONSTRATION,
}
"""By name of the evaluation. The three that are not here, `instruction_hierarchy`, `lived_experience` and
`general_knowledge`, are held out: no training sees them."""

__all__ = ["BAD", "COMPLIED", "DEMONSTRATIONS", "KEPT", "Demonstration"]
