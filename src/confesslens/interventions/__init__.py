"""Interventions: steering, ablation and patching of the residual stream, and of the chain of thought."""

from confesslens.interventions.edits import Patch, Steer, add, bridge_hooks, edited_logits, project_out
from confesslens.interventions.thoughts import rethink, thought_effects
from confesslens.rollouts.editing import edited

__all__ = [
    "Patch",
    "Steer",
    "add",
    "bridge_hooks",
    "edited",
    "edited_logits",
    "project_out",
    "rethink",
    "thought_effects",
]
