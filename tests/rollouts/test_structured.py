"""Schema-constrained parts: what comes out keeps to the schema, and depends on the job alone."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from confesslens.confessions.report import array_schema, doubts_schema
from confesslens.rollouts.grammar import Matcher, json_grammar
from confesslens.rollouts.sampler import Choice, Forced, Job, Structured, sample


def jobs(model, count=8, temperature=1.0):
    parts = (
        Forced(tuple(model.encode('{"a":'))),
        Structured("a", json_grammar(array_schema(characters=12)), 150),
        Forced(tuple(model.encode(',"b":'))),
        Structured("b", json_grammar(doubts_schema(characters=12)), 40),
        Forced(tuple(model.encode(',"c":'))),
        Choice("c", {str(n): tuple(model.encode(str(n))) for n in range(1, 8)}),
        Forced(tuple(model.encode("}"))),
    )
    texts = ["hi", "What is it? " * 4, "Say"]
    prefixes = [tuple(model.encode_prompt([{"role": "user", "content": texts[i % 3]}])) for i in range(count)]
    return [Job((prefix,), parts, seed=i, temperature=temperature) for i, prefix in enumerate(prefixes)]


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_the_schema_is_kept_and_company_changes_nothing(tiny, architecture):
    model = tiny(architecture)
    made = jobs(model)
    alone = [sample(model, [job], 1)[0] for job in made]
    order = random.Random(1).sample(range(len(made)), len(made))
    mixed = sample(model, [made[i] for i in order], 5)
    assert [mixed[order.index(i)].ids for i in range(len(made))] == [done.ids for done in alone]
    for done, job in zip(alone, made, strict=True):
        found = json.loads(model.decode(done.ids[len(job.prefix[0]) :]))
        assert set(found) == {"a", "b", "c"} and found["c"] in range(1, 8)
        assert 1 <= len(found["a"]) <= 2 and set(found["a"][0]) == {"objective", "compliance", "analysis"}
        assert all(len(item["objective"]) <= 12 for item in found["a"])
        assert done.finish == {"a": "stop", "b": "stop"}
    assert len({model.decode(done.ids) for done in alone}) > 3


def test_the_likeliest_allowed_token_is_taken(tiny):
    model = tiny("llama")
    (job,) = jobs(model, 1, temperature=0)
    done = sample(model, [job])[0]
    start, end = done.spans["a"]
    logits = model.logits(done.ids)
    matcher = Matcher(model, job.parts[1].grammar, logits.shape[1])
    for position in range(start, end):
        allowed = np.where(matcher.allowed(), logits[position - 1], -np.inf)
        assert allowed[done.ids[position]] >= allowed.max() - 1e-3
        complete = matcher.take(done.ids[position])
    assert complete


def test_a_cut_part_says_so(tiny):
    model = tiny("llama")
    job = jobs(model, 1)[0]
    short = Job(job.prefix, (Structured("a", job.parts[1].grammar, 5),), seed=0)
    done = sample(model, [short])[0]
    assert done.finish == {"a": "length"} and done.spans["a"][1] - done.spans["a"][0] == 5


def test_a_schema_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="schema"):
        json_grammar({"type": "nonsense"})
