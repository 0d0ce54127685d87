"""Monitors over the chain of thought: does the CoT mention the bad act or a plan for it?"""

from confesslens.cot.lexical import Mention, mentions

__all__ = ["Mention", "mentions"]
