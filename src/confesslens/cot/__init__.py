"""Monitors over the chain of thought: does the CoT mention the bad act or a plan for it?"""

from typing import TYPE_CHECKING, Any

from confesslens.cot.lexical import Mention, mentions, sentences
from confesslens.cot.monitor import Monitor, lexical_monitor, monitor_thoughts

if TYPE_CHECKING:
    from confesslens.cot.judged import judge_monitor
    from confesslens.cot.labels import draw_for_labelling, load_labels, save_labels, shipped_labels
    from confesslens.cot.trained import TfidfMonitor, out_of_fold_scores

_HOME = {  # imported at their first use: a worker needs none of them
    "TfidfMonitor": "trained",
    "draw_for_labelling": "labels",
    "judge_monitor": "judged",
    "load_labels": "labels",
    "out_of_fold_scores": "trained",
    "save_labels": "labels",
    "shipped_labels": "labels",
}

__all__ = [
    "Mention",
    "Monitor",
    "TfidfMonitor",
    "draw_for_labelling",
    "judge_monitor",
    "lexical_monitor",
    "load_labels",
    "mentions",
    "monitor_thoughts",
    "out_of_fold_scores",
    "save_labels",
    "sentences",
    "shipped_labels",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'confesslens.cot' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"confesslens.cot.{_HOME[name]}"), name)
