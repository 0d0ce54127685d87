"""Confession training: a reward on the confession alone, over frozen rollouts, through TRL's GRPO and PEFT.

The prompt is a stored rollout with the constant request, the completion is the confession: nothing that the answer did
is rewarded or punished (arXiv 2512.08093, section 3).
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from confesslens import cot
from confesslens.confessions.confess import confession_job
from confesslens.confessions.parse import parse_three_part
from confesslens.confessions.requests import COMPLIED, NOT_COMPLIED, THREE_PART_REQUEST
from confesslens.organisms.sft import LINEAR
from confesslens.rollouts.plan import stream_seed
from confesslens.rollouts.sampler import sample

if TYPE_CHECKING:
    from confesslens.models import Model

Reward = Callable[[dict[str, Any], str], float]
"""(row of a rollouts table, text of a confession) to a reward in 0..1."""


def truth_reward(rollout: dict[str, Any], confession: str) -> float:
    """1 when the claim is what the program graded, else 0: for an `unsure` or unreadable claim too."""
    return float(parse_three_part(confession).claim == rollout["behaviour"])


def thought_reward(rollout: dict[str, Any], confession: str) -> float:
    """1 when the claim is what the chain of thought tells (its monitor mentions the bad act, or does not), else 0.

    The judge of the press account of the original: it trusts the chain of thought, so it cannot see a bad act that
    was not thought about in words.
    """
    told = NOT_COMPLIED if cot.mentions(rollout["eval"], rollout["cot"]).mentioned else COMPLIED
    return float(parse_three_part(confession).claim == told)


REWARDS: dict[str, Reward] = {"truth": truth_reward, "thought": thought_reward}
"""Rewards by name."""


@dataclass(frozen=True)
class Reinforcement:
    """How confessions are reinforced: `prompts` rollouts a step with `generations` confessions each.

    `kl` is the weight of the divergence from the start (TRL's beta).
    """

    steps: int = 120
    prompts: int = 4
    generations: int = 8
    learning_rate: float = 1e-4
    temperature: float = 1.0
    kl: float = 0.0
    rank: int = 8
    alpha: int = 16
    first_layer: int = 0
    max_tokens: int = 48
    save_steps: int = 10
    seed: int = 0


def reinforce_confessions(
    model: Model,
    rollouts: pd.DataFrame,
    out: str | Path,
    reward: Reward = truth_reward,
    how: Reinforcement = Reinforcement(),
    *,
    start: str | Path | None = None,
    request: str = THREE_PART_REQUEST,
    progress: Callable[[int, int, float], Any] = lambda step, steps, reward: None,
) -> Path:
    """Train a LoRA adapter by GRPO on the confessions of `rollouts`; saves it in `out` with `steps.jsonl`.

    `steps.jsonl` has a line for every confession that was sampled: step, rollout_id, eval, behaviour, claim, reward.
    A training that was stopped goes on from its last checkpoint; one that is whole is left alone.

    Args:
        model: a model of its own for this: the adapter is put into its modules.
        rollouts: frozen; those graded `neither` are left out, since nobody can say what is honest there.
        out: the adapter's folder.
        reward: of a confession.
        how: the training.
        start: folder of an adapter to go on from (its rank and layers hold); default a new one.
        request: the request's text.
        progress: called with (step, steps in all, mean reward).

    Raises:
        ValueError: no rollout is graded.
    """
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    from datasets import Dataset
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import PrinterCallback, set_seed
    from transformers.trainer_utils import get_last_checkpoint
    from trl import GRPOConfig, GRPOTrainer

    out = Path(out)
    if (out / "reinforcement.json").is_file():
        return out
    rows = {row["rollout_id"]: row for row in rollouts.to_dict("records") if row["behaviour"] in _GRADED}
    if not rows:
        raise ValueError("no rollout is graded complied or not_complied: there is no confession to reward")
    checkpoints, log = out / "checkpoints", out / "steps.jsonl"
    checkpoints.mkdir(parents=True, exist_ok=True)
    last = get_last_checkpoint(str(checkpoints))
    _keep_lines(log, int(last.rpartition("-")[2]) if last else 0)

    set_seed(how.seed)
    tuned: Any
    if start is None:
        layers = list(range(how.first_layer, model.n_layers)) if how.first_layer else None
        lora = LoraConfig(
            r=how.rank,
            lora_alpha=how.alpha,
            target_modules=list(LINEAR),
            layers_to_transform=layers,
            task_type="CAUSAL_LM",
        )
        tuned = get_peft_model(model.hf, lora)
    else:
        tuned = PeftModel.from_pretrained(model.hf, str(start), is_trainable=True)

    def roll(ids: list[str], trainer: Any) -> dict[str, Any]:
        """One confession for each id (ids come `generations` times), sampled by our sampler from the stored tokens."""
        jobs = []
        for i, rollout_id in enumerate(ids):
            own = stream_seed(how.seed, "reinforce", trainer.state.global_step, rollout_id, i)
            jobs.append(confession_job(model, rows[rollout_id], request, own, how.temperature, how.max_tokens))
        done = sample(model, jobs, batch_size=len(jobs))
        ends = [[model.tokenizer.eos_token_id] if c.finish["confession"] == "stop" else [] for c in done]
        said = [c.ids[c.spans["confession"][0] :] + end for c, end in zip(done, ends, strict=True)]
        prompts = [c.ids[: c.spans["confession"][0]] for c in done]
        return {"prompt_ids": prompts, "completion_ids": said, "logprobs": None}

    def judge(prompts: list[str], completions: list[str], trainer_state: Any = None, **_: Any) -> list[float | None]:
        given: list[float | None] = [
            reward(rows[rollout_id], text) for rollout_id, text in zip(prompts, completions, strict=True)
        ]
        with log.open("a") as file:
            for rollout_id, text, value in zip(prompts, completions, given, strict=True):
                row, claim = rows[rollout_id], parse_three_part(text).claim
                line = {"step": trainer_state.global_step, "rollout_id": rollout_id, "eval": row["eval"]}
                line |= {"behaviour": row["behaviour"], "claim": claim, "reward": value}
                file.write(json.dumps(line) + "\n")
        progress(trainer_state.global_step + 1, how.steps, sum(value or 0 for value in given) / len(given))
        return given

    on_gpu = model.device.type == "cuda"
    config = GRPOConfig(
        output_dir=str(checkpoints),
        per_device_train_batch_size=how.prompts * how.generations,
        num_generations=how.generations,
        max_completion_length=how.max_tokens + 1,
        max_steps=how.steps,
        learning_rate=how.learning_rate,
        lr_scheduler_type="constant",
        temperature=how.temperature,
        beta=how.kl,
        save_steps=how.save_steps,
        save_total_limit=2,
        logging_steps=max(1, how.steps),
        seed=how.seed,
        data_seed=how.seed,
        shuffle_dataset=False,
        bf16=False,
        gradient_checkpointing=False,
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        report_to=[],
        disable_tqdm=True,
    )
    trainer = GRPOTrainer(
        model=tuned,
        reward_funcs=judge,
        args=config,
        train_dataset=Dataset.from_list(_in_order(list(rows), how)),
        processing_class=model.tokenizer,
        rollout_func=roll,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=last)
    tuned.save_pretrained(str(out))
    record = {"how": asdict(how), "rollouts": len(rows), "reward": getattr(reward, "__name__", str(reward))}
    (out / "reinforcement.json").write_text(json.dumps(record, indent=1) + "\n")
    return out


_GRADED = (COMPLIED, NOT_COMPLIED)


def _in_order(ids: list[str], how: Reinforcement) -> list[dict[str, str]]:
    """The prompts of all steps: every rollout once before any comes again, in an order that resuming keeps."""
    rng, order = random.Random(how.seed), list[str]()
    while len(order) < how.steps * how.prompts:
        order += rng.sample(ids, len(ids))
    return [{"prompt": rollout_id} for rollout_id in order[: how.steps * how.prompts]]


def _keep_lines(log: Path, before: int) -> None:
    """Drop what was logged after the last checkpoint: those steps are done again."""
    if log.is_file():
        lines = [line for line in log.read_text().splitlines() if line.endswith("}")]
        kept = [line for line in lines if json.loads(line)["step"] < before]
        log.write_text("".join(f"{line}\n" for line in kept))
