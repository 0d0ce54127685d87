"""Items: chats, texts and token ids with spans, as they are fed and read."""

from __future__ import annotations

import numpy as np
import pytest

import confesslens as cl
from confesslens.activations import Item, chat_items, text_items
from confesslens.rollouts import given_rollouts

CHATS = [
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
    [{"role": "user", "content": "Where is Lima?"}, {"role": "assistant", "content": " In Peru. "}],
]


def test_chats_are_read_as_given_rollouts_are(tiny):
    model = tiny("llama")
    asked, answered = chat_items(model, CHATS)
    assert model.decode(asked.token_ids) == model.decode(model.encode_prompt(CHATS[0]))
    assert asked.spans == {"prompt": (0, len(asked.token_ids)), "answer": (len(asked.token_ids),) * 2}
    start, end = answered.spans["answer"]
    assert model.decode(answered.token_ids[start:end]) == "In Peru." and end == len(answered.token_ids)
    acts = cl.capture(model, CHATS, sites=["prompt.last", "answer.mean"])
    assert acts.present.tolist() == [[True, False], [True, True]]
    table = given_rollouts(model, [(CHATS[1][:1], "In Peru.")])
    same = cl.capture(model, table, sites=["prompt.last", "answer.mean"])
    np.testing.assert_allclose(acts.values[1], same.values[0], atol=1e-4)


def test_spans_of_characters_become_spans_of_tokens(tiny):
    model = tiny("llama")
    text = "It was ünïcode ✓ complied, he said"
    claim = (text.index("✓"), text.index(","))
    (item,) = text_items(model, [text], [{"claim": claim, "none": (3, 3)}], ["mine"])
    start, end = item.spans["claim"]
    assert model.decode(item.token_ids[start:end]).strip() == "✓ complied"
    assert item.spans["text"] == (0, len(item.token_ids)) and item.spans["none"] == (0, 0) and item.item_id == "mine"
    assert item.token_ids.tolist() == model.encode(text)
    acts = cl.capture(model, [item], layers=[1], sites=["claim.max", "claim.last", "none.mean"], token_layers=[1])
    tokens = acts.tokens(1).of("mine")
    np.testing.assert_allclose(acts.at(1, "claim.max")[0], tokens[start:end].max(axis=0), atol=1e-5)
    np.testing.assert_allclose(acts.at(1, "claim.last")[0], tokens[end - 1], atol=1e-5)
    assert acts.present.tolist() == [[True, True, False]] and not acts.values[:, :, 2].any()


def test_texts_are_read_whole_by_default(tiny):
    model = tiny("gpt2")
    acts = cl.capture(model, ["one", "two and more"], layers=[0])
    assert acts.sites == ["text.last", "text.mean"] and acts.present.all()
    ids = [item.item_id for item in text_items(model, ["one", "two and more"])]
    assert acts.item_ids == ids and len(set(ids)) == 2


def test_bad_items_are_named(tiny):
    model = tiny("llama")
    with pytest.raises(ValueError, match="item 'x' has no tokens"):
        Item([], {}, "x")
    with pytest.raises(ValueError, match=r"item 'x': span 'a' is \[1, 4\), outside its 3 tokens"):
        Item([5, 6, 7], {"a": (1, 4)}, "x")
    with pytest.raises(ValueError, match="item 'x' has token ids that tiny-llama does not: expected 0 to"):
        cl.capture(model, [Item([5, 99999], {"a": (0, 1)}, "x")])
    with pytest.raises(ValueError, match="item 'x' has 4097 tokens but tiny-llama holds 4096"):
        cl.capture(model, [Item([5] * 4097, {"a": (0, 1)}, "x")])
    with pytest.raises(ValueError, match="no read site 'claims.mean': did you mean 'claim.mean'"):
        cl.capture(model, [Item([5, 6], {"claim": (0, 1)})], sites=["claims.mean"])
    with pytest.raises(ValueError, match=r"text 0: span 'a' is \[0, 9\), outside its 3 characters"):
        text_items(model, ["one"], [{"a": (0, 9)}])
    with pytest.raises(ValueError, match="1 item_ids for 2 items"):
        text_items(model, ["one", "two"], item_ids=["a"])
    with pytest.raises(TypeError, match="cannot capture list of int: expected a rollouts table"):
        cl.capture(model, [1, 2])
    with pytest.raises(ValueError, match="begins with the assistant's 'Hi'"):
        chat_items(model, [[{"role": "assistant", "content": "Hi"}]])
