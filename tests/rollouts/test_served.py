"""A server of the same weights samples; token ids come back, and that they are this model's is checked."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import confesslens as cl
from confesslens.activations import capture_while_sampling
from confesslens.config import make_config
from confesslens.models import ModelError
from confesslens.rollouts.sampler import Choice, Forced, Free, Job, sample
from confesslens.run import run

SMALL = {"n": 1, "samples": 1, "neutral_samples": 1, "seed": 5}


def served(model, url):
    return replace(model, sampler=url)


@pytest.mark.parametrize(("architecture", "cot"), [("llama", True), ("llama", False), ("qwen3", True)])
def test_at_no_temperature_it_gives_what_is_sampled_here(tiny, serve, architecture, cot):
    model = tiny(architecture)
    far = served(model, serve(model))
    tables = [cl.roll_out(m, cl.evals("people", "sandbagging"), temperature=0, cot=cot, **SMALL) for m in (model, far)]
    pd.testing.assert_frame_equal(*tables)
    asked = [cl.confess(m, tables[0], samples=1, temperature=0) for m in (model, far)]
    pd.testing.assert_frame_equal(*asked)


def test_the_same_seed_gives_the_same_rollouts_and_another_does_not(tiny, serve):
    far = served(tiny("llama"), serve(tiny("llama")))
    one, again, other = (
        cl.roll_out(far, cl.evals("people"), temperature=1, **{**SMALL, "seed": seed}) for seed in (5, 5, 6)
    )
    pd.testing.assert_frame_equal(one, again)
    assert one["answer"].tolist() != other["answer"].tolist()


def test_a_choice_is_made_here(tiny, serve):
    model = tiny("llama")
    asked = []
    far = served(model, serve(model, asked.append))
    yes, no = (tuple(model.encode(word)) for word in ("yes", "no"))
    prefix = (tuple(model.encode("Did you?")),)
    jobs = [
        Job(prefix, (Choice("said", {"yes": yes, "no": no}),)),
        Job(prefix, (Free("why", 4), Forced(yes), Free("more", 3))),
    ]
    chosen, free = sample(far, jobs)
    assert chosen.choices == sample(model, jobs[:1])[0].choices and len(asked) == 2
    assert free.ids[free.spans["why"][1] :][: len(yes)] == list(yes)


def test_a_whole_run_reads_what_was_sampled_there(tiny, tiny_folder, serve, tmp_path):
    settings = {"model": str(tiny_folder), "evals": ("people",), "workers": 1, **SMALL}
    done = run(make_config({**settings, "sampler": serve(tiny("llama"))}), tmp_path / "run")
    assert (
        done.manifest["model"]["sampler"].startswith("http://")
        and done.read_table("confessions.parquet")["logit"].notna().any()
    )
    assert (done.path / "activations.zarr").exists()
    assert "sampled at a server" in (done.path / "report.html").read_text()


def _other_prompt(choice):
    choice["prompt_token_ids"] = [0, *choice["prompt_token_ids"]]


def _no_ids(choice):
    del choice["token_ids"]


def _no_logprobs(choice):
    choice["logprobs"] = None


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_other_prompt, "where .* were sent, or others"),
        (_no_ids, "gives no token ids"),
        (_no_logprobs, "gives 0 log-probabilities for"),
    ],
)
def test_a_server_that_is_not_as_it_should_be(tiny, serve, spoil, says):
    with pytest.raises(ModelError, match=says):
        cl.roll_out(served(tiny("llama"), serve(tiny("llama"), spoil)), cl.evals("people"), **SMALL)


def test_another_model_at_the_server(tiny, serve):
    with pytest.raises(ModelError, match=r"is not .* as it is loaded here: .* differ by"):
        cl.roll_out(served(tiny("llama"), serve(tiny("qwen3"))), cl.evals("people"), **SMALL)


def test_nobody_there(tiny):
    with pytest.raises(ModelError, match="does not sample .*is it running"):
        cl.roll_out(served(tiny("llama"), "http://127.0.0.1:9/v1"), cl.evals("people"), **SMALL)


def test_nothing_is_captured_while_another_samples(tiny, serve):
    far = served(tiny("llama"), serve(tiny("llama")))
    with (
        pytest.raises(ValueError, match="capture its activations afterwards"),
        capture_while_sampling(far, sites=["answer.mean"]),
    ):
        cl.roll_out(far, cl.evals("people"), **SMALL)


def test_what_does_not_go_together(tiny):
    with pytest.raises(ValueError, match="sampler is of a model that is loaded here"):
        make_config({"endpoint": "http://a/v1", "sampler": "http://a/v1"})
    with pytest.raises(ValueError, match="expected an address such as"):
        make_config({"sampler": "localhost:8000"})
