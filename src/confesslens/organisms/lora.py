"""The low-rank adapters that organisms and confession training change, through PEFT."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confesslens.models import Model

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The modules of a Llama block that the adapters change."""


def add_adapter(model: Model, start: str | Path | None, rank: int, alpha: int, first_layer: int) -> Any:
    """Put a LoRA adapter that can be trained into the model's modules; returns PEFT's model around them.

    Args:
        model: a model of its own for this.
        start: folder of an adapter to go on from, whose rank and layers then hold; None for a new one.
        rank: of a new one.
        alpha: of a new one.
        first_layer: of a new one: blocks below stay as they are, which saves their backward pass.
    """
    from peft import LoraConfig, PeftModel, get_peft_model

    if start is not None:
        return PeftModel.from_pretrained(model.hf, str(start), is_trainable=True)
    layers = list(range(first_layer, model.n_layers)) if first_layer else None
    lora = LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=list(LINEAR), layers_to_transform=layers, task_type="CAUSAL_LM"
    )
    return get_peft_model(model.hf, lora)
