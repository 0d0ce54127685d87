"""Batches and pooling on plain numbers."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from confesslens.activations.batches import plan_batches, shared_tokens
from confesslens.activations.formats import to_float32, to_numpy
from confesslens.activations.pooling import plan_pools, pool


def sequences(lengths, start=()):
    rng = np.random.default_rng(len(lengths))
    return [np.concatenate([start, rng.integers(0, 99, n)]).astype(np.int32) for n in lengths]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 120), min_size=1, max_size=60), st.integers(1, 400))
def test_each_once_within_the_budget_and_of_like_length(lengths, budget):
    batches = list(plan_batches(sequences(lengths), budget))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        own = [lengths[i] for i in batch]
        assert len(batch) == 1 or len(batch) * max(own) <= budget
    in_order = [lengths[i] for batch in batches for i in batch]
    assert in_order == sorted(lengths, reverse=True)  # nothing is shared here


def test_long_beginnings_are_kept_together():
    """Prompts of three kinds, of which two share 40 tokens and one 300: each kind has batches of its own."""
    one, two = np.arange(40), np.concatenate([np.arange(40), np.arange(260)])
    kinds = [sequences([5, 90] * 5, one), sequences([90, 5] * 5, two), sequences([300] * 10)]
    everything = [sequence for kind in kinds for sequence in kind]
    batches = list(plan_batches(everything, 2000))
    assert all(len({i // 10 for i in batch}) == 1 for batch in batches)
    shares = {batch[0] // 10: shared_tokens([everything[i] for i in batch], 10**6) for batch in batches}
    assert shares == {0: 40, 1: 300, 2: 0}
    assert shared_tokens([everything[0], everything[1]], 35) == 35
    assert shared_tokens([everything[0], everything[1]], 31) == 0
    assert shared_tokens([everything[0]], 10**6) == 0
    assert shared_tokens([everything[0], everything[0]], 10**6) == len(everything[0]) - 1


SPAN = st.one_of(st.none(), st.tuples(st.integers(0, 8), st.integers(1, 4)).map(lambda s: (s[0], s[0] + s[1])))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SPAN, SPAN, SPAN), min_size=1, max_size=6), st.integers(0, 3))
def test_pooling_is_the_mean_or_maximum_of_each_span(spans, skip):
    sites = ["a.mean", "b.max", "c.last"]
    spans = [[s and (s[0] + skip, s[1] + skip) for s in own] for own in spans]
    states = torch.randn(len(spans), 12, 5)
    plan = plan_pools(spans, sites, 12, skip)
    got = pool(plan, states)
    assert len(got) == sum(span is not None for own in spans for span in own)
    for vector, row, column in zip(got, plan.rows, plan.columns, strict=True):
        start, end = spans[row][column]
        tokens = states[row, start - skip : end - skip]
        want = tokens.amax(0) if sites[column] == "b.max" else tokens.mean(0)
        torch.testing.assert_close(vector, want)


def test_pooling_accumulates_in_float32():
    """In bfloat16 the mean of 300 ones and a 2 would be 1."""
    states = torch.ones(1, 301, 1, dtype=torch.bfloat16)
    states[0, 7] = 2
    got = pool(plan_pools([[(0, 301)]], ["a.mean"], 301), states)
    assert got.item() == torch.tensor(302 / 301).item()


@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_bfloat16_is_kept_bit_by_bit(numbers):
    narrow = torch.tensor(numbers, dtype=torch.float32).to(torch.bfloat16)
    kept = to_numpy(narrow)
    assert kept.dtype == np.uint16
    np.testing.assert_array_equal(to_float32(kept), narrow.float().numpy())
