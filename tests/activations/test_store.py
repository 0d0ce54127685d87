"""The store: what goes in comes out; resumed, killed, several writers; one layer is read without the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

import confesslens as cl
from confesslens.activations import Item, load_activations, open_activations, order_items, save_activations
from confesslens.activations.activations import Block, Contents
from confesslens.activations.store import StoreWriter

CONTENTS = Contents([3, 5], ["a.mean", "b.last"], ["resid_post", "mlp_out"], [5], None, "float32", 4, "m", "float32")


def block(numbers, kept=2):
    """Planted: the value at [item, layer, site] is 100 number + 10 layer + site; its tokens are numbered after it."""
    n = np.asarray(numbers, np.float32)
    values = 100 * n[:, None, None] + 10 * np.array([3, 5])[:, None] + np.arange(2)
    tokens = np.concatenate([[1000 * own + place for place in range(kept)] for own in n])
    return Block(
        {s: np.repeat(sign * values[..., None], 4, axis=3).astype(np.float32) for s, sign in SIGNS.items()},
        np.stack([n >= 0, n % 2 == 0], axis=1),
        {s: np.repeat(sign * tokens[:, None, None], 4, axis=2).astype(np.float32) for s, sign in SIGNS.items()},
        np.tile(np.arange(kept), len(n)),
        np.full(len(n), kept),
    )


SIGNS = {"resid_post": 1, "mlp_out": -1}


def write(path, numbers, part_bytes=1, kept=2):
    with StoreWriter(path, CONTENTS, part_bytes) as writer:
        for number in numbers:
            writer.append(block([number], kept), [f"item {number}"], [f"hash {number}"])


def check(acts, numbers):
    assert acts.item_ids == [f"item {number}" for number in numbers]
    want = block(numbers)
    np.testing.assert_array_equal(acts.present, want.present)
    for stream in SIGNS:
        np.testing.assert_array_equal(acts.stream(stream), want.values[stream])
        np.testing.assert_array_equal(acts.at(5, "a.mean", stream), want.values[stream][:, 1, 0])
        ragged = acts.tokens(5, stream)
        np.testing.assert_array_equal(ragged.values, want.tokens[stream][:, 0])
        np.testing.assert_array_equal(ragged.positions, want.positions)
        np.testing.assert_array_equal(ragged.of(f"item {numbers[-1]}"), want.tokens[stream][-2:, 0])


@pytest.mark.parametrize("part_bytes", [1, 700, 10**9])
def test_what_goes_in_comes_out(tmp_path, part_bytes):
    path, numbers = tmp_path / "a.zarr", list(range(9))
    write(path, numbers[:6], part_bytes)
    write(path, numbers[6:], part_bytes)
    check(open_activations(path), numbers)
    check(load_activations(path), numbers)
    check(open_activations(path, ["item 7", "item 0"]), [7, 0])
    check(load_activations(path).select(["item 7", "item 0"]), [7, 0])
    save_activations(open_activations(path).select(["item 4", "item 2"]), tmp_path / "b.zarr")
    check(open_activations(tmp_path / "b.zarr"), [4, 2])
    save_activations(open_activations(path), tmp_path / "b.zarr")
    check(open_activations(tmp_path / "b.zarr"), numbers)
    order_items(path, ["item 8", "item 1"])
    check(open_activations(path), [8, 1, 0, *range(2, 8)])


def test_any_zarr_reader_finds_the_arrays(tmp_path):
    write(tmp_path / "a.zarr", [1, 2, 3], 10**9)
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")
    assert group.metadata.zarr_format == 3 and group.attrs["contents"]["layers"] == [3, 5]
    (part,) = [part for _, part in group.groups()]
    assert part.attrs["item_ids"] == ["item 1", "item 2", "item 3"]
    assert part["resid_post"].shape == (3, 2, 2, 4) and part["resid_post"].chunks == (3, 1, 1, 4)


def test_one_layer_and_site_is_read_without_the_others(tmp_path, monkeypatch):
    """Of 8 layers and 2 sites, one layer and site takes a sixteenth of the bytes, and what the zarr metadata takes."""
    contents = Contents(list(range(8)), ["a.mean", "b.last"], ["resid_post"], [], None, "float32", 512, "m", "float32")
    n = 64
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n, 8, 2, 512)).astype(np.float32)
    own = Block({"resid_post": values}, np.ones((n, 2), bool), {}, np.zeros(0, int), np.zeros(n, int))
    with StoreWriter(tmp_path / "a.zarr", contents) as writer:
        writer.append(own, [str(i) for i in range(n)], [""] * n)
    acts = open_activations(tmp_path / "a.zarr")
    assert acts.present.all()
    read, plain = [], LocalStore.get

    async def counting(self, *args, **kwargs):
        found = await plain(self, *args, **kwargs)
        read.append(0 if found is None else len(found))
        return found

    monkeypatch.setattr(LocalStore, "get", counting)
    np.testing.assert_array_equal(acts.at(6, "b.last"), values[:, 6, 1])
    assert values.nbytes / 16 <= sum(read) < values.nbytes / 16 + 10_000


def test_same_content_is_not_computed_again(tiny, tmp_path):
    model, path = tiny("llama"), tmp_path / "a.zarr"
    items = [Item([5 + i, 6, 7], {"a": (1, 3)}, f"item {i}") for i in range(4)]
    passes = []
    handle = model.hf.model.layers[0].register_forward_hook(lambda _, args, out: passes.append(len(out)))
    try:
        cl.capture(model, items[:3], out=path)
        first = len(passes)
        done = []
        same = cl.capture(model, items[:3], out=path, on_done=done.append)
        assert len(passes) == first and done == [3] and same.item_ids == ["item 0", "item 1", "item 2"]
        more = cl.capture(model, [items[3], items[1], items[3]], out=path)
        assert passes[first:] == [1, 1]  # the trial, and one item
    finally:
        handle.remove()
    want = cl.capture(model, [items[3], items[1], items[3]])
    assert more.item_ids == want.item_ids == ["item 3", "item 1", "item 3"]
    np.testing.assert_allclose(more.values, want.values, atol=1e-5)
    assert open_activations(path).item_ids == [item.item_id for item in items]


def test_tokens_alone_and_nothing_at_all(tiny, tmp_path):
    model = tiny("llama")
    texts = ["one", "two and three"]
    want = cl.capture(model, texts, token_layers=[2]).tokens(2)
    acts = cl.capture(model, texts, sites=[], token_layers=[2], out=tmp_path / "a.zarr")
    np.testing.assert_allclose(acts.tokens(2).values, want.values, atol=1e-5)
    assert acts.values.shape == (2, 3, 0, 32) and acts.present.shape == (2, 0)
    none = cl.capture(model, [], sites=[], layers=[1], out=tmp_path / "b.zarr")
    assert none.item_ids == [] and none.values.shape == (0, 1, 0, 32)
    with pytest.raises(ValueError, match="name layers and sites, or token_layers"):
        cl.capture(model, texts, sites=[])


def test_other_content_under_an_id_is_an_error_that_names_it(tiny, tmp_path):
    model, path = tiny("llama"), tmp_path / "a.zarr"
    cl.capture(model, [Item([5, 6, 7], {"a": (1, 3)}, "mine")], out=path)
    for other in (Item([5, 6, 8], {"a": (1, 3)}, "mine"), Item([5, 6, 7], {"a": (0, 3)}, "mine")):
        with pytest.raises(ValueError, match="item 'mine' stands for other tokens or spans"):
            cl.capture(model, [other], out=path)
    twins = [Item([5, 6], {"a": (0, 2)}, "twin"), Item([6, 5], {"a": (0, 2)}, "twin")]
    with pytest.raises(ValueError, match="item 'twin' stands for other tokens"):
        cl.capture(model, twins, out=path)
    with pytest.raises(ValueError, match=r"holds other activations \(layers = \[0, 1, 2\], asked for \[1\]\)"):
        cl.capture(model, [Item([5, 6], {"a": (0, 2)})], layers=[1], out=path)
    with pytest.raises(ValueError, match="model = .*, asked for"):
        cl.capture(tiny("qwen3"), [Item([5, 6], {"a": (0, 2)})], out=path)


def test_two_writers_of_one_item(tmp_path):
    """Both had begun before either wrote: the same content counts once, other content is refused."""
    path = tmp_path / "a.zarr"
    one, two, three = (StoreWriter(path, CONTENTS) for _ in range(3))
    for writer in (one, two, three):
        assert writer.missing(["item 1"], ["hash 1"]) == [0]
        writer.append(block([1]), ["item 1"], ["hash 1" if writer is not three else "other"])
    one.flush()
    two.flush()
    with pytest.raises(ValueError, match="item 'item 1' stands for other tokens"):
        three.flush()
    check(open_activations(path), [1])


def append_many(path, start, count):
    for number in range(start, start + count):
        write(path, [number])


def test_processes_write_side_by_side(tmp_path):
    path, context = tmp_path / "a.zarr", multiprocessing.get_context("fork")
    writers = [context.Process(target=append_many, args=(path, start, 8)) for start in (0, 8, 16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    check(open_activations(path, [f"item {i}" for i in range(24)]), list(range(24)))
    assert len(open_activations(path).item_ids) == 24


def test_a_killed_writer_leaves_a_readable_store(tmp_path):
    path, context = tmp_path / "a.zarr", multiprocessing.get_context("fork")
    writer = context.Process(target=append_many, args=(path, 0, 10**6))
    writer.start()
    deadline = time.monotonic() + 60
    while len(list(path.glob("part-*"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    left = path / f".partial-{os.uname().nodename}-{writer.pid}-x"
    left.mkdir(exist_ok=True)
    n = len(open_activations(path).item_ids)
    assert n >= 5
    check(open_activations(path), list(range(n)))
    write(path, [n, n + 1])
    check(open_activations(path), list(range(n + 2)))
    assert not left.exists()


def test_memory_stays_flat(tmp_path):
    """A writer holds back `part_bytes`, whatever the number of items."""
    with StoreWriter(tmp_path / "a.zarr", CONTENTS, part_bytes=2000) as writer:
        for number in range(60):
            writer.append(block([number]), [f"item {number}"], [str(number)])
            assert sum(array.nbytes for held in writer._blocks for array in held.arrays().values()) < 2000
    assert len(list((tmp_path / "a.zarr").glob("part-*"))) > 5


def test_what_is_not_a_store_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no activations at"):
        load_activations(tmp_path / "b.zarr")
    (tmp_path / "c.zarr").mkdir()
    with pytest.raises(ValueError, match="c.zarr is not a store of activations"):
        load_activations(tmp_path / "c.zarr")
    with pytest.raises(ValueError, match="c.zarr is there and is not a store"):
        write(tmp_path / "c.zarr", [1])
    write(tmp_path / "a.zarr", [1, 2])
    acts = open_activations(tmp_path / "a.zarr")
    with pytest.raises(KeyError, match="1 of 2 items are not among these activations: 'item 9'"):
        acts.select(["item 1", "item 9"])
    with pytest.raises(KeyError, match="layer 4, site 'a.mean' not captured: layers"):
        acts.at(4, "a.mean")
    with pytest.raises(KeyError, match="stream 'attn_out' not captured: resid_post, mlp_out"):
        acts.at(3, "a.mean", "attn_out")
    with pytest.raises(ValueError, match="1 items have no 'b.last'"):
        acts.at(3, "b.last")


def test_stores_of_earlier_runs_are_read(tmp_path):
    values = np.arange(24, dtype=np.float32).reshape(3, 2, 2, 2)
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    group.create_array("values", data=values)
    group.create_array("present", data=np.ones((3, 2), bool))
    own = {"layers": [0, 1], "sites": ["answer.mean", "answer.last"], "rollout_ids": ["x", "y", "z"]}
    group.attrs.update({**own, "stream": "resid_post", "model": "m", "dtype": "bfloat16"})
    for acts in (open_activations(tmp_path / "a.zarr"), load_activations(tmp_path / "a.zarr")):
        np.testing.assert_array_equal(acts.values, values)
        np.testing.assert_array_equal(acts.select(["z"]).at(1, "answer.last"), values[2:, 1, 1])
        assert acts.rollout_ids == ["x", "y", "z"] and acts.model_dtype == "bfloat16"


def _stored(path, name):
    """The file of one array's values in the first part."""
    return next(file for file in sorted(path.glob(f"part-*/{name}/c/**/*")) if file.is_file())


@pytest.mark.parametrize("name", ["resid_post", "present", "positions"])
@pytest.mark.parametrize("damage", ["gone", "cut", "a byte", "attributes"])
def test_a_damaged_store_is_refused_and_never_read_as_zeros(tmp_path, name, damage):
    path = tmp_path / "a.zarr"
    write(path, [1, 2], 10**9)
    file = _stored(path, name)
    held = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(held[: len(held) // 2])
    elif damage == "a byte":
        file.write_bytes(bytes([held[0] ^ 1]) + held[1:])
    else:
        (file.parents[list(file.parents).index(path) - 1] / "zarr.json").write_text("{half")
    with pytest.raises(ValueError, match=r"part-.* is damaged|checksum"):
        load_activations(path)


@pytest.mark.parametrize("without", [["sha256", "arrays"], ["sha256", "arrays", "bytes"]])
def test_a_part_of_before_is_still_read(tmp_path, without):
    """Parts of earlier versions do not say how large their files are, or have no hashes of what describes them."""
    write(tmp_path / "a.zarr", [1, 2], 10**9)
    for part in (tmp_path / "a.zarr").glob("part-*"):
        for name in without:
            del zarr.open_group(str(part), mode="r+").attrs[name]
    check(load_activations(tmp_path / "a.zarr"), [1, 2])
