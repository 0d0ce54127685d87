"""What reading activations costs while sampling, over sampling alone: one JSON line of ratios, in one process.

    uv run python benchmarks/capture_while_sampling.py [--small]

Rollouts of 24 scenarios (embedded model, float32, one thread), with and without all layers of the residual stream read
at the chain of thought and the answer, turn by turn, five times. Beside it what a second pass costs instead.
"""

from __future__ import annotations

import os

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import argparse
import json

import pandas as pd
import torch
from measure import paired_ratio, seconds_in_turns

import confesslens as cl
from confesslens.activations import capture_while_sampling

SITES = ["prompt.last", "cot.mean", "answer.mean", "answer.last"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="a few rollouts: to see that it runs")
    small = parser.parse_args().small
    torch.set_num_threads(1)
    model = cl.load_model()
    settings = {"n": 2 if small else 24, "samples": 1, "conditions": ["tempted"]}

    def sampling() -> pd.DataFrame:
        return cl.roll_out(model, cl.evals("people"), **settings)

    def reading() -> None:
        with capture_while_sampling(model, sites=SITES) as reads:
            rollouts = sampling()
        assert reads.activations(rollouts).present.any()

    rollouts = sampling()
    works = {"sampling": sampling, "reading": reading, "second": lambda: cl.capture(model, rollouts, sites=SITES)}
    seconds = seconds_in_turns(works, rounds=1 if small else 5)
    both = [a + b for a, b in zip(seconds["sampling"], seconds["second"], strict=True)]
    print(
        json.dumps(
            {
                "benchmark": "capture_while_sampling",
                "small": small,
                "cost_over_sampling": round(paired_ratio(seconds["reading"], seconds["sampling"]) - 1, 3),
                "cost_of_a_second_pass": round(paired_ratio(both, seconds["sampling"]) - 1, 3),
                "rollouts": len(rollouts),
            }
        )
    )


if __name__ == "__main__":
    main()
