"""Interventions: steering, ablation and patching of the residual stream, and of the chain of thought."""

from confesslens.interventions.doses import stream_scale
from confesslens.interventions.edits import Patch, Steer, add, bridge_hooks, edited_logits, project_out
from confesslens.interventions.patching import patch, patch_pairs
from confesslens.interventions.steering import Steering, steer
from confesslens.interventions.thoughts import rethink, thought_effects
from confesslens.interventions.verdict import verdict_direction
from confesslens.rollouts.editing import edited

__all__ = [
    "Patch",
    "Steer",
    "Steering",
    "add",
    "bridge_hooks",
    "edited",
    "edited_logits",
    "patch",
    "patch_pairs",
    "project_out",
    "rethink",
    "steer",
    "stream_scale",
    "thought_effects",
    "verdict_direction",
]
