"""Supervised fine-tuning of a LoRA adapter on token ids, through TRL and PEFT."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confesslens.folder import keep_settings
from confesslens.organisms.lora import add_adapter
from confesslens.organisms.pack import weights_hash

if TYPE_CHECKING:
    import torch

    from confesslens.models import Model


_WIDTH = 8  # batches whose examples are sorted by length: more would part the evaluations, whose lengths differ


@dataclass(frozen=True)
class Example:
    """A transcript's token ids, and how much each counts in the loss (0: context that is not learned)."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.weights) or not any(self.weights) or min(self.weights) < 0:
            raise ValueError(f"an example of {len(self.ids)} ids needs as many weights, one above 0: {self.weights}")


@dataclass(frozen=True)
class Tuning:
    """How an adapter is trained.

    `first_layer`: blocks below it stay as they are, which saves their backward pass. `together`: so many examples that
    follow each other are worked out together, and what they begin with alike is worked out once; several such groups
    make a batch.
    """

    rank: int = 8
    alpha: int = 16
    first_layer: int = 0
    learning_rate: float = 3e-4
    batch_size: int = 8
    together: int = 1
    epochs: int = 1
    warmup_steps: int = 20
    save_steps: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        if self.batch_size % self.together:
            raise ValueError(f"a batch of {self.batch_size} cannot hold whole groups of {self.together} examples")


def fine_tune(
    model: Model,
    examples: Sequence[Example],
    out: str | Path,
    tuning: Tuning = Tuning(),
    *,
    start: str | Path | None = None,
    progress: Callable[[int, int, float], Any] = lambda step, steps, loss: None,
) -> Path:
    """Train a LoRA adapter on `examples` and save it in `out` as PEFT does, with `losses.json`; returns `out`.

    A training that was stopped goes on from its last checkpoint, in `out/checkpoints`, to the same adapter; one that
    is whole is left alone.

    Args:
        model: a model of its own for this: the adapter is put into its modules.
        examples: what to learn; the seed decides on the order.
        out: the adapter's folder; `losses.json` in it has [step, loss] each.
        tuning: how.
        start: folder of an adapter to go on from (its rank and layers hold); default a new one.
        progress: called with (step, steps in all, loss).

    Raises:
        ValueError: `out` holds a training on other examples, by another `tuning` or from another `start`.
    """
    from datasets import Dataset
    from transformers import PrinterCallback, TrainerCallback, set_seed
    from transformers.trainer_utils import get_last_checkpoint
    from trl import SFTConfig, SFTTrainer

    out = Path(out)
    digest = hashlib.sha256(repr(list(examples)).encode()).hexdigest()
    before = "" if start is None else weights_hash(start)
    settings = {"tuning": asdict(tuning), "examples": len(examples), "hash": digest, "start": before}
    keep_settings(out / "settings.json", settings)
    if (out / "losses.json").is_file():
        return out
    checkpoints = out / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)

    class Trainer(SFTTrainer):  # type: ignore[misc]
        def compute_loss(self, model: Any, inputs: dict[str, Any], *_: Any, **__: Any) -> torch.Tensor:
            """`weighted_loss`: TRL's own has no weights, and works out a gradient of the frozen head."""
            return weighted_loss(model.get_base_model(), **inputs)

    class Report(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            if logs and "loss" in logs:
                progress(state.global_step, state.max_steps, logs["loss"])

    set_seed(tuning.seed)
    tuned = add_adapter(model, start, tuning.rank, tuning.alpha, tuning.first_layer)
    ordered = _in_order(examples, tuning)
    data = Dataset.from_dict({"input_ids": [e.ids for e in ordered], "weights": [e.weights for e in ordered]})
    size = tuning.together if tuning.together > 1 else tuning.batch_size
    on_gpu = model.device.type == "cuda"
    config = SFTConfig(
        output_dir=str(checkpoints),
        per_device_train_batch_size=size,
        gradient_accumulation_steps=tuning.batch_size // size,
        learning_rate=tuning.learning_rate,
        num_train_epochs=1,
        warmup_steps=tuning.warmup_steps,
        lr_scheduler_type="cosine",
        train_sampling_strategy="sequential",
        logging_steps=5,
        logging_first_step=True,
        save_steps=tuning.save_steps,
        save_total_limit=2,
        seed=tuning.seed,
        data_seed=tuning.seed,
        max_length=None,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        gradient_checkpointing=False,
        bf16=False,  # the weights have the model's dtype, the adapter's are float32
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        report_to=[],
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=tuned,
        args=config,
        train_dataset=data,
        processing_class=model.tokenizer,
        data_collator=_collate,
        callbacks=[Report()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.model_accepts_loss_kwargs = False  # the loss is a mean, also over the groups of a batch
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(checkpoints)))
    tuned.save_pretrained(str(out))
    losses = [(entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    (out / "losses.json").write_text(json.dumps(losses) + "\n")
    return out


def weighted_loss(
    model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy of the next tokens, the mean by weight; what all rows begin with is worked out once.

    Args:
        model: the transformers module with its head.
        input_ids: [row, token], padded on the right.
        attention_mask: [row, token], 0 at padding.
        weights: [row, token] what each token counts.
    """
    import torch

    shared = _shared_context(input_ids, weights)
    past = None
    if shared and len(input_ids) > 1:
        past = model.base_model(input_ids=input_ids[:1, :shared], use_cache=True).past_key_values
        past.batch_repeat_interleave(len(input_ids))
    else:
        shared = 0
    hidden = model.base_model(
        input_ids=input_ids[:, shared:], attention_mask=attention_mask, past_key_values=past, use_cache=past is not None
    ).last_hidden_state[:, :-1]
    targets, weights = input_ids[:, shared + 1 :], weights[:, shared + 1 :]
    kept = weights > 0
    logits = model.get_output_embeddings()(hidden[kept]).float()
    each = torch.nn.functional.cross_entropy(logits, targets[kept], reduction="none")
    return (each * weights[kept]).sum() / weights.sum()


def _shared_context(input_ids: torch.Tensor, weights: torch.Tensor) -> int:
    """How many first tokens all rows share, short of the one that the first learned token is predicted from."""
    same = (input_ids == input_ids[:1]).all(0) & (weights == 0).all(0)
    return max(0, int(same.int().cumprod(0).sum()) - 1)


def _in_order(examples: Sequence[Example], tuning: Tuning) -> list[Example]:
    """All epochs, one after the other: groups are shuffled, but in batches of like length, so that less is padding.

    The order is made here because a length-grouping sampler does not resume where it was.
    """
    rng, size, ordered = random.Random(tuning.seed), tuning.batch_size, []
    group = tuning.together
    groups = [list(examples[i : i + group]) for i in range(0, len(examples), group)]
    wide = _WIDTH * size // group  # groups that are sorted by length
    for _ in range(tuning.epochs):
        shuffled = rng.sample(groups, len(groups))
        near = [
            sorted(shuffled[i : i + wide], key=lambda g: max(len(e.ids) for e in g))
            for i in range(0, len(shuffled), wide)
        ]
        flat = [[example for g in part for example in g] for part in near]
        batches = [part[i : i + size] for part in flat for i in range(0, len(part), size)]
        rng.shuffle(batches)
        ordered += [example for batch in sorted(batches, key=lambda b: len(b) < size) for example in batch]
    return ordered


def _collate(records: list[dict[str, list[Any]]]) -> dict[str, Any]:
    """A batch padded on the right; padding is masked and weighs nothing."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    ids = pad_sequence([torch.tensor(record["input_ids"]) for record in records], batch_first=True)
    mask = pad_sequence([torch.ones(len(record["input_ids"]), dtype=torch.long) for record in records], True)
    weights = pad_sequence([torch.tensor(record["weights"], dtype=torch.float32) for record in records], True)
    return {"input_ids": ids, "attention_mask": mask, "weights": weights}
