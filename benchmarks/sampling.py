"""Sampling speed against plain `generate` of transformers: one JSON line of ratios, measured in one process.

    uv run python benchmarks/sampling.py

Both sample 40 tokens after each of 24 prompts that share their examples (one thread, float32, embedded model), turn by
turn, three times; the ratio of the medians is what to quote.
"""

import os

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import json
import statistics
import time

import torch

import confesslens as cl
from confesslens.rollouts import Free, Job, plan_rollouts, sample

TOKENS, PROMPTS, ROUNDS = 40, 24, 3


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    model = cl.load_model()
    planned = plan_rollouts(cl.evals("people"), PROMPTS, conditions=["tempted"], samples=1)
    messages = [item.evaluation.make_messages(item.scenario, item.condition) for item in planned]
    prompts = [[{"role": m["role"], "content": m["content"]} for m in each] for each in messages]
    jobs = [Job(model.encode_chunks(prompt), (Free("answer", TOKENS),), seed) for seed, prompt in enumerate(prompts)]
    model.__dict__["stop_ids"] = frozenset()  # both sample to the end
    model.tokenizer.padding_side = "left"
    padded = model.tokenizer.pad({"input_ids": [model.encode_prompt(p) for p in prompts]}, return_tensors="pt")
    options = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "do_sample": True, "pad_token_id": 2}

    def plain() -> None:
        with torch.inference_mode():
            model.hf.generate(**padded, **options)

    seconds: dict[str, list[float]] = {"confesslens": [], "generate": []}
    for _ in range(ROUNDS):
        for name, work in (("confesslens", lambda: sample(model, jobs, PROMPTS)), ("generate", plain)):
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(
        json.dumps(
            {
                "benchmark": "sampling",
                "speed_over_generate": round(medians["generate"] / medians["confesslens"], 2),
                "tokens_per_second": round(TOKENS * PROMPTS / medians["confesslens"], 1),
            }
        )
    )


if __name__ == "__main__":
    main()
