"""Confession training: a reward on the confession alone, through TRL's GRPO and PEFT.

The prompt is a rollout with the constant request, the completion is the confession: nothing that the answer did is
rewarded or punished (arXiv 2512.08093, section 3). Ordinary training of the answer, on a reward of its own, may run
beside it, step by step; the confessions are then of rollouts as the model makes them at that step.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from confesslens.confessions.confess import confession_job
from confesslens.confessions.parse import parse_three_part
from confesslens.confessions.requests import COMPLIED, NOT_COMPLIED, THREE_PART_REQUEST
from confesslens.folder import keep_settings
from confesslens.organisms.lora import add_adapter
from confesslens.organisms.pack import WEIGHTS, weights_hash
from confesslens.organisms.rewards import Reward, truth_reward
from confesslens.rollouts.plan import stream_seed
from confesslens.rollouts.rollout import plan_again, sample_rollouts
from confesslens.rollouts.sampler import sample

if TYPE_CHECKING:
    import torch

    from confesslens.models import Model


@dataclass(frozen=True)
class Reinforcement:
    """How confessions are reinforced: `prompts` rollouts a step with `generations` confessions (or answers) each.

    `bad` is the share of frozen rollouts whose answer is bad. At a half nothing is won or lost by confessing where bad
    and complied answers look alike, and what is learned elsewhere spreads there; at a third, denying is right there.
    `p` is the share of the steps that train the confession where the others train the answer (0.25 in arXiv 2512.08093;
    0 is the control without confessions). `kl` is the weight of the divergence from the start (TRL's beta).
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
    bad: float = 1 / 3
    p: float = 0.25
    save_steps: int = 10
    seed: int = 0


def reinforce_confessions(
    model: Model,
    rollouts: pd.DataFrame,
    out: str | Path,
    reward: Reward = truth_reward,
    how: Reinforcement = Reinforcement(),
    *,
    answer_reward: Reward | None = None,
    start: str | Path | None = None,
    request: str = THREE_PART_REQUEST,
    progress: Callable[[int, int, float], Any] = lambda step, steps, reward: None,
) -> Path:
    """Train a LoRA adapter by GRPO on the confessions of `rollouts`; saves it in `out` with `steps.jsonl`.

    Without `answer_reward` the rollouts are frozen: every step asks for confessions of what is stored. With it a share
    `1 - how.p` of the steps trains the answer (and its chain of thought) in the rollouts' scenarios, and a confession
    step samples one rollout of each of its scenarios anew and asks for confessions of that.

    `steps.jsonl` has a line for everything that was sampled for a reward: step, kind ("confession" or "answer"),
    rollout_id, eval, behaviour (of the answer), claim, reward. A training that was stopped goes on from its last
    checkpoint, and so does one that is whole where more steps are asked for.

    Args:
        model: a model of its own for this: the adapter is put into its modules.
        rollouts: those graded `neither` are left out where they are frozen, since nobody can say what is honest there.
        out: the adapter's folder.
        reward: of a confession.
        how: the training.
        answer_reward: of an answer, or None to train confessions alone.
        start: folder of an adapter to go on from (its rank and layers hold); default a new one.
        request: the request's text.
        progress: called with (step, steps in all, mean reward).

    Raises:
        ValueError: no rollout is graded, or `out` holds a training with other settings or more steps.
    """
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    from datasets import Dataset
    from transformers import PrinterCallback, set_seed
    from transformers.trainer_utils import get_last_checkpoint
    from trl import GRPOConfig, GRPOTrainer

    out = Path(out)
    usable = rollouts if answer_reward is not None else rollouts[rollouts["behaviour"].isin(_GRADED)]
    rows: dict[str, dict[str, Any]] = {str(row["rollout_id"]): row for row in usable.to_dict("records")}
    if not rows:
        raise ValueError("no rollout is graded complied or not_complied: there is no confession to reward")
    names = [getattr(f, "__name__", str(f)) for f in (reward, answer_reward)]
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    kept = {name: value for name, value in asdict(how).items() if name != "steps"}
    settings = {"how": kept, "reward": names[0], "answer_reward": names[1], "rollouts": digest}
    settings["evals"] = sorted({row["eval"] for row in rows.values()})
    settings["start"] = "" if start is None else weights_hash(start)
    keep_settings(out / "settings.json", settings)
    checkpoints, log = out / "checkpoints", out / "steps.jsonl"
    if (out / WEIGHTS).is_file():
        trained = pd.read_json(log, lines=True)["step"].max() + 1
        if trained > how.steps:
            raise ValueError(f"{out} was trained for {trained} steps, asked for {how.steps}: choose another folder")
        if trained == how.steps:
            return out
    checkpoints.mkdir(parents=True, exist_ok=True)
    last = get_last_checkpoint(str(checkpoints))
    _keep_lines(log, int(last.rpartition("-")[2]) if last else 0)

    set_seed(how.seed)
    tuned = add_adapter(model, start, how.rank, how.alpha, how.first_layer)
    told: list[dict[str, Any]] = []  # the rollouts that the completions of this step belong to

    def roll(ids: list[str], trainer: Any) -> dict[str, Any]:
        """A confession, or an answer, for each id (ids come `generations` times), sampled by our sampler."""
        step = trainer.state.global_step
        if _trains_answer(how, step, answer_reward):
            told[:] = _roll_anew(model, [rows[i] for i in ids], how, step)
            done = [_answer_tokens(model, row) for row in told]
            return {name: [each[name] for each in done] for name in done[0]} | {"logprobs": None}
        told[:] = [rows[i] for i in ids]
        if answer_reward is not None:
            unique = list(dict.fromkeys(ids))
            fresh = dict(zip(unique, _roll_anew(model, [rows[i] for i in unique], how, step), strict=True))
            told[:] = [fresh[i] for i in ids]
        jobs = []
        for i, row in enumerate(told):
            seed = stream_seed(how.seed, "reinforce", step, row["rollout_id"], i)
            jobs.append(confession_job(model, row, request, seed, how.temperature, how.max_tokens))
        sampled = sample(model, jobs, batch_size=len(jobs))
        ends = [[model.tokenizer.eos_token_id] if c.finish["confession"] == "stop" else [] for c in sampled]
        said = [c.ids[c.spans["confession"][0] :] + end for c, end in zip(sampled, ends, strict=True)]
        prompts = [c.ids[: c.spans["confession"][0]] for c in sampled]
        own = [[1] * len(ids) for ids in said]
        return {"prompt_ids": prompts, "completion_ids": said, "env_mask": own, "logprobs": None}

    def judge(prompts: list[str], completions: list[str], trainer_state: Any = None, **_: Any) -> list[float | None]:
        step = trainer_state.global_step
        if _trains_answer(how, step, answer_reward):
            assert answer_reward is not None
            kind, claims = "answer", [""] * len(told)
            given = answer_reward(told, [row["answer"] for row in told])
        else:  # where the answer is neither good nor bad nobody can say what is honest
            kind, claims = "confession", [parse_three_part(text).claim for text in completions]
            known = [float(row["behaviour"] in _GRADED) for row in told]
            given = [value * k for value, k in zip(reward(told, completions), known, strict=True)]
        with log.open("a") as file:
            for row, claim, value in zip(told, claims, given, strict=True):
                line = {"step": step, "kind": kind, "rollout_id": row["rollout_id"], "eval": row["eval"]}
                line |= {"behaviour": row["behaviour"], "claim": claim, "reward": value}
                file.write(json.dumps(line) + "\n")
        progress(step + 1, how.steps, sum(given) / len(given))
        return list(given)

    class Trainer(GRPOTrainer):  # type: ignore[misc]
        def _get_per_token_logps_and_entropies(
            self, model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, *_: Any, **__: Any
        ) -> tuple[Any, Any, None]:
            """`completion_log_probs`: TRL's own works out a prompt again for every one of its completions."""
            base = self.accelerator.unwrap_model(model).get_base_model()
            return *completion_log_probs(base, input_ids, attention_mask, logits_to_keep, how.temperature), None

    on_gpu = model.device.type == "cuda"
    config = GRPOConfig(
        output_dir=str(checkpoints),
        per_device_train_batch_size=how.prompts * how.generations,
        num_generations=how.generations,
        max_completion_length=4096,  # the sampler's own limits hold
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
    trainer = Trainer(
        model=tuned,
        reward_funcs=judge,
        args=config,
        train_dataset=Dataset.from_list(_in_order(rows, how)),
        processing_class=model.tokenizer,
        rollout_func=roll,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=last)
    tuned.save_pretrained(str(out))
    return out


_GRADED = (COMPLIED, NOT_COMPLIED)


def completion_log_probs(
    model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor, length: int, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of completions, and the entropy where each token was drawn; each prompt is worked out once.

    Args:
        model: the transformers module with its head.
        input_ids: [row, token] prompts padded on the left, then completions padded on the right.
        attention_mask: [row, token], 0 at padding.
        length: how many tokens at the end are the completions'.
        temperature: that logits are divided by.

    Returns:
        [row, length] each, float32; at padding 0.
    """
    import torch

    prompts, masks = input_ids[:, :-length], attention_mask[:, :-length]
    said, seen = input_ids[:, -length:], attention_mask[:, -length:]
    _, which = torch.unique(torch.cat([prompts * masks, masks], dim=1), dim=0, return_inverse=True)
    log_probs = torch.zeros(said.shape, dtype=torch.float32, device=said.device)
    entropies = torch.zeros_like(log_probs)
    for group in range(int(which.max()) + 1):
        rows = (which == group).nonzero().squeeze(1)
        prompt = prompts[rows[:1]][:, masks[rows[0]].bool()]
        own, widest = said[rows], int(seen[rows].sum(1).max())
        past, mask = None, seen[rows]
        if prompt.shape[1] > 1:
            past = model.base_model(input_ids=prompt[:, :-1], use_cache=True).past_key_values
            past.batch_repeat_interleave(len(rows))
        mask = torch.cat([mask.new_ones(len(rows), prompt.shape[1]), mask], dim=1)[:, : prompt.shape[1] + widest - 1]
        ids = torch.cat([prompt[:, -1:].expand(len(rows), 1), own], dim=1)[:, :widest]
        hidden = model.base_model(
            input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=past is not None
        ).last_hidden_state
        each = torch.log_softmax(model.get_output_embeddings()(hidden).float() / temperature, dim=-1)
        kept = seen[rows][:, :widest]
        drawn = each.gather(2, own[:, :widest, None]).squeeze(2) * kept
        pad = (0, length - widest)
        log_probs = log_probs.index_put((rows,), torch.nn.functional.pad(drawn, pad))
        spread = -(each.detach().exp() * each.detach()).sum(2) * kept
        entropies[rows] = torch.nn.functional.pad(spread, pad)
    return log_probs, entropies


def _trains_answer(how: Reinforcement, step: int, answer_reward: Reward | None) -> bool:
    return answer_reward is not None and random.Random(f"{how.seed}/{step}").random() >= how.p


def _roll_anew(model: Model, rows: Sequence[dict[str, Any]], how: Reinforcement, step: int) -> list[dict[str, Any]]:
    """A new rollout of each row's scenario by the model as it is now, graded, under the row's id."""
    fresh: list[dict[str, Any]] = []
    planned = [
        plan_again(row, stream_seed(how.seed, "answer", step, row["rollout_id"], i)) for i, row in enumerate(rows)
    ]
    for thinks in (False, True):
        mine = [i for i, row in enumerate(rows) if ("cot" in json.loads(row["spans"])) == thinks]
        if mine:
            sampled = sample_rollouts(
                model, [planned[i] for i in mine], cot=thinks, temperature=how.temperature, batch_size=len(mine)
            )
            fresh += [{**row, "place": i} for i, row in zip(mine, sampled.to_dict("records"), strict=True)]
    return sorted(fresh, key=lambda row: row["place"])


def _answer_tokens(model: Model, row: dict[str, Any]) -> dict[str, Any]:
    """A rollout's tokens as prompt and completion; what was forced on the model is masked out."""
    spans, ids = json.loads(row["spans"]), [int(token) for token in row["token_ids"]]
    start, own = spans["prompt"][1], [0] * len(ids)
    for name in ("cot", "answer"):
        for at in range(*spans.get(name, (0, 0))):
            own[at] = 1
    end = [model.tokenizer.eos_token_id] if json.loads(row["finish"])["answer"] == "stop" else []
    return {"prompt_ids": ids[:start], "completion_ids": ids[start:] + end, "env_mask": own[start:] + [1] * len(end)}


def _in_order(rows: dict[str, dict[str, Any]], how: Reinforcement) -> list[dict[str, str]]:
    """The prompts of all steps, in an order that resuming keeps: `how.bad` of them of bad answers, spread evenly.

    Of bad answers, and of the others, every rollout comes once before any comes again.
    """
    rng = random.Random(how.seed)
    kinds: dict[bool, list[str]] = {True: [], False: []}
    for rollout_id, row in rows.items():
        kinds[row["behaviour"] == NOT_COMPLIED].append(rollout_id)
    queues: dict[bool, list[str]] = {True: [], False: []}
    order = list[str]()
    for i in range(how.steps * how.prompts):
        bad = int((i + 1) * how.bad + 1e-9) > int(i * how.bad + 1e-9)
        if not kinds[bad]:
            bad = not bad
        queues[bad] = queues[bad] or rng.sample(kinds[bad], len(kinds[bad]))
        order.append(queues[bad].pop())
    return [{"prompt": rollout_id} for rollout_id in order]


def _keep_lines(log: Path, before: int) -> None:
    """Drop what was logged after the last checkpoint: those steps are done again."""
    if log.is_file():
        lines = [line for line in log.read_text().splitlines() if line.endswith("}")]
        kept = [line for line in lines if json.loads(line)["step"] < before]
        log.write_text("".join(f"{line}\n" for line in kept))
