"""Rollouts: prompts put to a model, its chain of thought and its answer, sampled and graded."""

from confesslens.rollouts.given import given_rollouts, hard_negative_rollouts
from confesslens.rollouts.plan import Planned, plan_rollouts
from confesslens.rollouts.rollout import COLUMNS, add_knowledge, regrade, roll_out, sample_rollouts
from confesslens.rollouts.sampler import Choice, Completion, Forced, Free, Job, sample

__all__ = [
    "COLUMNS",
    "Choice",
    "Completion",
    "Forced",
    "Free",
    "Job",
    "Planned",
    "add_knowledge",
    "given_rollouts",
    "hard_negative_rollouts",
    "plan_rollouts",
    "regrade",
    "roll_out",
    "sample",
    "sample_rollouts",
]
