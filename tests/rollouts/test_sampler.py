"""The sampler: a job's tokens depend on the job alone, and follow the model's own probabilities."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from confesslens.rollouts.sampler import Choice, Forced, Free, Job, sample

ARCHITECTURES = ["llama", "qwen3", "gemma3", "gpt_neox", "gpt2"]


def script(model, thinking=6, answer=9):
    verdicts = {"yes": tuple(model.encode(" ✓ complied")), "no": tuple(model.encode(" ✗ did not comply"))}
    return (
        Free("cot", thinking, stop=("</think>",)),
        Forced(tuple(model.encode("\n</think>\n"))),
        Free("answer", answer),
        Forced(tuple(model.encode("\nResult:"))),
        Choice("verdict", verdicts),
        Forced(tuple(model.encode("\nWhy:"))),
        Free("why", 4, stop=("\n",)),
    )


def make_jobs(model, count=10, temperature=1.0):
    rng = random.Random(3)
    prompts = ["hi", "What is it? " * 5, "Say: " + "word " * 30]
    parts = script(model)
    texts = [prompts[i % 3] for i in range(count)]
    ids = [tuple(model.encode_prompt([{"role": "user", "content": text}])) for text in texts]
    return [Job((prefix,), parts, seed=rng.randrange(2**60), temperature=temperature) for prefix in ids]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_batch_size_and_order_change_nothing(tiny, architecture):
    model = tiny(architecture)
    jobs = make_jobs(model)
    alone = [sample(model, [job], 1)[0] for job in jobs]
    order = random.Random(1).sample(range(len(jobs)), len(jobs))
    for batch_size in (3, 16):
        mixed = sample(model, [jobs[i] for i in order], batch_size)
        assert [mixed[order.index(i)].ids for i in range(len(jobs))] == [done.ids for done in alone]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_greedy_follows_plain_transformers(tiny, architecture):
    """At temperature 0 every sampled token is the argmax of one unpadded, uncached forward pass."""
    model = tiny(architecture)
    for done, job in zip(*(lambda jobs: (sample(model, jobs, 4), jobs))(make_jobs(model, 4, 0.0)), strict=True):
        logits = torch.tensor(model.logits(done.ids))
        for name, (start, end) in done.spans.items():
            for position in range(start, end):
                top = logits[position - 1].max()
                assert logits[position - 1, done.ids[position]] >= top - 1e-3, (name, position)
        assert len(done.ids) <= job.max_tokens


def test_choice_gives_the_models_own_odds(tiny):
    model = tiny("llama")
    (job,) = make_jobs(model, 1)
    done = sample(model, [job])[0]
    verdict = done.choices["verdict"]
    row = torch.tensor(model.logits(done.ids)[verdict.position]).log_softmax(-1)
    yes, no = job.parts[4].options.values()
    fork = next(i for i in range(9) if yes[i] != no[i])
    assert verdict.logprobs["no"] - verdict.logprobs["yes"] == pytest.approx(
        float(row[no[fork]] - row[yes[fork]]), abs=1e-4
    )
    assert done.ids[verdict.position + 1] == job.parts[4].options[verdict.option][fork]


def test_sampling_follows_the_distribution(tiny):
    """The share of each first token over many seeds is the model's probability (chi-square)."""
    from scipy.stats import chisquare

    model = tiny("llama")
    prefix = tuple(model.encode_prompt([{"role": "user", "content": "hi"}]))
    jobs = [Job((prefix,), (Free("a", 1),), seed=seed, temperature=0.5) for seed in range(2000)]
    first = [done.ids[-1] if done.spans["a"][0] < done.spans["a"][1] else -1 for done in sample(model, jobs, 64)]
    p = torch.tensor(model.logits(prefix)[-1] / 0.5).softmax(-1).numpy().astype(float)
    likely = [token for token in np.argsort(-p)[:8] if token not in model.stop_ids]
    observed = np.array([first.count(token) for token in likely])
    rest = len(jobs) - observed.sum()
    expected = p[likely] * len(jobs)
    result = chisquare([*observed, rest], [*expected, len(jobs) - expected.sum()])
    assert result.pvalue > 1e-3
    assert observed.max() > 40


def test_stop_string_is_dropped_and_script_goes_on(tiny):
    model = tiny("llama")
    jobs = make_jobs(model, 6)
    for done in sample(model, jobs):
        assert "</think>" not in done.texts["cot"]
        start, end = done.spans["cot"]
        assert model.decode(done.ids[end:]).startswith("\n</think>\n")
        assert model.decode(done.ids[start:end]) == done.texts["cot"]
        assert done.finish["cot"] in ("stop", "length")


def test_forced_stop_string_midway(tiny, monkeypatch):
    """A model that writes the stop string over several tokens has all of them dropped."""
    model = tiny("llama")
    wanted = model.encode("ok </think> more")
    prefix = tuple(model.encode_prompt([{"role": "user", "content": "hi"}]))
    job = Job((prefix,), (Free("cot", 20, stop=("</think>",)), Forced(tuple(model.encode("!")))), temperature=0)
    tokens = iter(wanted)
    monkeypatch.setattr("confesslens.rollouts.walk._draw", lambda *_: next(tokens))
    done = sample(model, [job])[0]
    assert done.texts["cot"] == "ok "
    assert model.decode(done.ids[len(prefix) :]) == "ok !"


def test_chunked_prefix_is_shared_and_right(tiny):
    """Chunks give the tokens that the whole prefix gives (greedy), and are computed once."""
    model = tiny("llama")
    prefix = tuple(model.encode_prompt([{"role": "user", "content": "one two three " * 10}]))
    whole = sample(model, [Job((prefix,), script(model), temperature=0)])[0]
    split = sample(model, [Job((prefix[:17], prefix[17:]), script(model), temperature=0)])[0]
    assert whole.ids == split.ids


def test_too_long_for_the_model(tiny):
    model = tiny("llama")
    job = Job((tuple([5] * 4090),), (Free("a", 50),))
    with pytest.raises(ValueError, match="4141 tokens but tiny-llama holds 4096"):
        sample(model, [job])


def test_options_must_part_at_one_token(tiny):
    model = tiny("llama")
    job = Job(((5, 6, 7),), (Choice("v", {"a": (5, 6), "b": (5, 6, 7)}),))
    with pytest.raises(ValueError, match="do not part at one token"):
        sample(model, [job])
