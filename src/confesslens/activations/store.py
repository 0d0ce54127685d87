"""Activations on disk: a zarr v3 group that grows by parts, each written whole by one writer.

    acts.zarr/
      zarr.json             what is captured of every item
      part-TIME-RANDOM/     some items: their ids and content hashes, and the arrays
        resid_post          [item, layer, site, d_model], one shard, in chunks of one layer and site
        present             [item, site]
        resid_post_tokens   [token, token layer, d_model], `positions` [token] and `offsets` [item + 1]
      .partial-...          a part that is being written, or was when its writer was killed

A part appears whole or not at all, so that any number of processes may write side by side, be killed and go on. Each
read of a layer and site takes one chunk a part. bfloat16 is kept as the uint16 of its bits.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec
from zarr.errors import GroupNotFoundError

from confesslens.activations.activations import Activations, Block, Contents, contents_of
from confesslens.closest import one_line, shown

PART_BYTES = 64 << 20  # what a writer holds back, and so what a kill can cost it


class StoreWriter:
    """Appends items to a store, a part at a time. Use as a context manager: leaving it writes what is held back.

    Raises ValueError where the store holds other contents (which differ is said), or the path holds something else.
    """

    def __init__(self, path: str | Path, contents: Contents, part_bytes: int = PART_BYTES) -> None:
        self.path, self.part_bytes = Path(path), part_bytes
        self._blocks: list[Block] = []
        self._item_ids: list[str] = []
        self._content: list[str] = []
        self._bytes = 0
        self._index = _Index(self.path)
        _begin(self.path, contents)
        _remove_dead_partials(self.path)

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def missing(self, item_ids: Sequence[str], content: Sequence[str]) -> list[int]:
        """Places of the items that are neither in the store nor earlier among these.

        Raises ValueError naming an item whose id stands for other content.
        """
        known, found = dict(self._index.refresh().content), []
        for i, (item_id, own) in enumerate(zip(item_ids, content, strict=True)):
            if item_id not in known:
                known[item_id] = own
                found.append(i)
            _refuse_other_content(self.path, item_id, known[item_id], own)
        return found

    def append(self, block: Block, item_ids: Sequence[str], content: Sequence[str]) -> None:
        """Add the items of a block; they are written when `part_bytes` have come together."""
        self._blocks.append(block)
        self._item_ids += item_ids
        self._content += content
        self._bytes += sum(array.nbytes for array in block.arrays().values())
        if self._bytes >= self.part_bytes:
            self.flush()

    def flush(self) -> None:
        """Write what is held back as one part. Raises ValueError where another writer gave an id other content."""
        if not self._item_ids:
            return
        known = self._index.refresh().content
        for item_id, own in zip(self._item_ids, self._content, strict=True):
            _refuse_other_content(self.path, item_id, known.get(item_id, own), own)
        name = f"part-{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        partial = self.path / f".partial-{socket.gethostname()}-{os.getpid()}-{name}"
        arrays, item_ids, content = _join(self._blocks).arrays(), self._item_ids, self._content
        self._blocks, self._item_ids, self._content, self._bytes = [], [], [], 0
        _write_part(partial, arrays, item_ids, content)
        partial.rename(self.path / name)


def save_activations(activations: Activations, path: str | Path) -> None:
    """Write activations as a store of their own; it appears whole or not at all, in place of what was there."""
    target = Path(path)
    partial = target.with_name(f".partial-{target.name}")
    shutil.rmtree(partial, ignore_errors=True)
    loaded = activations.load()
    with StoreWriter(partial, Contents(**contents_of(loaded))) as writer:
        writer.append(loaded.block(), loaded.item_ids, loaded.content)
    order_items(partial, loaded.item_ids)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def open_activations(path: str | Path, item_ids: Iterable[str] | None = None) -> Activations:
    """A store whose activations are read when they are asked for, and no more of them than that.

    Args:
        path: the store.
        item_ids: the items wanted, in the order wanted; default all, in the order of `order_items`, else of writing.

    Raises:
        FileNotFoundError: there is nothing at the path.
        ValueError: it is not a store of activations, a part is damaged, or two parts give one item different content.
        KeyError: an item that is not in the store.
    """
    if not Path(path).is_dir():
        raise FileNotFoundError(f"there are no activations at {path}: capture them first (a run's activations stage)")
    index = _Index(Path(path)).refresh()
    try:
        group = zarr.open_group(str(path), mode="r")
        whole = _of_first_layout(group) if "rollout_ids" in group.attrs else _of_parts(group, index)
    except Exception as error:  # zarr trusts what its zarr.json says: anything can come of a wrong word
        raise ValueError(f"{path} is not a store of activations ({one_line(error)}): capture it again") from error
    return whole if item_ids is None else whole.select(item_ids)


def load_activations(path: str | Path, item_ids: Iterable[str] | None = None) -> Activations:
    """Read a store, or these items of it, into memory, as float32. Raises what `open_activations` raises."""
    return open_activations(path, item_ids).load()


def order_items(path: str | Path, item_ids: Iterable[str]) -> None:
    """Say in which order a store shows its items, whatever the order in which they were written."""
    zarr.open_group(str(path), mode="r+").attrs["order"] = list(item_ids)


class _Index:
    """Which items are where. Parts never change, so that each is looked at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts: list[zarr.Group] = []
        self.places: dict[str, tuple[int, int]] = {}  # part number and row
        self.content: dict[str, str] = {}
        self._names: set[str] = set()

    def refresh(self) -> _Index:
        """Look at the parts that are new. Raises ValueError where an item stands for different content in two parts;
        what two writers both wrote counts once."""
        for name in sorted({found.name for found in self.path.glob("part-*")} - self._names):
            if damage := _damage(self.path / name):
                raise ValueError(
                    f"{self.path / name} is damaged ({damage}): remove that folder and capture again, which reads the"
                    " items that are missing"
                )
            part = zarr.open_group(str(self.path / name), mode="r")
            attributes: Any = dict(part.attrs)
            for row, (item_id, own) in enumerate(zip(attributes["item_ids"], attributes["content"], strict=True)):
                _refuse_other_content(self.path, item_id, self.content.setdefault(item_id, own), own)
                self.places.setdefault(item_id, (len(self.parts), row))
            self.parts.append(part)
            self._names.add(name)
        return self


def _refuse_other_content(path: Path, item_id: str, had: str, own: str) -> None:
    if had != own:
        raise ValueError(
            f"item {item_id!r} stands for other tokens or spans in {path}, or earlier in this list: give it another"
            " id, or write to another store"
        )


def _begin(path: Path, contents: Contents) -> None:
    """Make the store, unless it is there; ValueError where it has other contents."""
    asked = json.loads(json.dumps(contents_of(contents)))
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".partial-{uuid.uuid4().hex[:8]}-{path.name}")
        zarr.open_group(str(partial), mode="w-", attributes={"contents": asked})
        try:
            partial.rename(path)
        except OSError:  # another writer was faster
            shutil.rmtree(partial)
    try:
        had: Any = zarr.open_group(str(path), mode="r").attrs["contents"]
    except (KeyError, ValueError, GroupNotFoundError):
        raise ValueError(f"{path} is there and is not a store that can grow: choose another path") from None
    if differ := [f"{k} = {had.get(k)!r}, asked for {own!r}" for k, own in asked.items() if had.get(k) != own]:
        raise ValueError(f"{path} holds other activations ({'; '.join(differ)}): choose another path")


def _remove_dead_partials(path: Path) -> None:
    """Remove what writers of this machine left half-written that are no more."""
    own = f".partial-{socket.gethostname()}-"
    for partial in path.glob(f"{own}*"):
        process = partial.name.removeprefix(own).split("-", 1)[0]
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            shutil.rmtree(partial, ignore_errors=True)
        except (ValueError, PermissionError):
            continue


def _write_part(path: Path, arrays: Mapping[str, np.ndarray], item_ids: list[str], content: list[str]) -> None:
    group = zarr.open_group(str(path), mode="w-", attributes={"item_ids": item_ids, "content": content})
    for name, array in arrays.items():
        if not array.size:
            continue
        chunks = array.shape  # one chunk, but of one layer and site each where there are such axes
        if array.ndim > 2:
            chunks = (array.shape[0], *(1,) * (array.ndim - 2), array.shape[-1])
        shards = array.shape if array.ndim > 2 else None
        made = group.create_array(
            name, shape=array.shape, dtype=array.dtype, chunks=chunks, shards=shards, compressors=Crc32cCodec()
        )
        made[...] = array
    written: Any = {
        "bytes": {name: size for name, size in _sizes(path).items() if not name.endswith("zarr.json")},
        "arrays": {file.parent.name: _sha256(file.read_bytes()) for file in sorted(path.glob("*/zarr.json"))},
    }
    group.attrs.update(written | {"sha256": _attributes_hash({**written, "item_ids": item_ids, "content": content})})


def _attributes_hash(attributes: Mapping[str, Any]) -> str:
    """Of what a part says of itself, but for the hash: chunks have checksums, what zarr.json says has none."""
    kept = {name: attributes[name] for name in ("item_ids", "content", "bytes", "arrays")}
    return _sha256(json.dumps(kept, sort_keys=True).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sizes(path: Path) -> dict[str, int]:
    return {str(file.relative_to(path)): file.stat().st_size for file in sorted(path.rglob("*")) if file.is_file()}


def damaged_parts(path: str | Path, read: bool = False) -> list[str]:
    """What is damaged in a store, by the part's name: parts that cannot be opened, or whose files are gone or cut (zarr
    takes a file that is gone for zeros), and, with `read`, files with a changed byte, by the chunks' checksums; that
    reads the whole store."""
    found = []
    for part in sorted(Path(path).glob("part-*")):
        if _damage(part):
            found.append(part.name)
        elif read:
            found += [f"{part.name}/{name}" for name in _changed(part)]
    return found


def _changed(part: Path) -> Iterable[str]:
    """The arrays of a part that do not give what was written."""
    for name, array in zarr.open_group(str(part), mode="r").arrays():
        try:
            np.asarray(array[...])
        except Exception:  # as `Activations` reads it
            yield name


def _damage(part: Path) -> str:
    try:
        attributes: Any = dict(zarr.open_group(str(part), mode="r").attrs)
        written = attributes.get("bytes", {})  # parts of earlier versions have none
        if "sha256" in attributes and _attributes_hash(attributes) != attributes["sha256"]:
            return "zarr.json: it is not what was written"
        for name in attributes.get("arrays", {}):
            if _sha256((part / name / "zarr.json").read_bytes()) != attributes["arrays"][name]:
                return f"{name}/zarr.json: it is not what was written"
        there = _sizes(part)
        ids, content = attributes["item_ids"], attributes["content"]
        if len(ids) != len(content) or not all(isinstance(own, str) for own in [*ids, *content]):
            return "zarr.json: item_ids and content are no lists of names"
        return next((name for name, size in written.items() if there.get(name) != size), "")
    except Exception as error:  # zarr trusts what its zarr.json says: anything can come of a wrong word
        return f"zarr.json: {one_line(error)}"


def _join(blocks: Sequence[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    return Block(
        {stream: np.concatenate([block.values[stream] for block in blocks]) for stream in blocks[0].values},
        np.concatenate([block.present for block in blocks]),
        {stream: np.concatenate([block.tokens[stream] for block in blocks]) for stream in blocks[0].tokens},
        np.concatenate([block.positions for block in blocks]),
        np.concatenate([block.counts for block in blocks]),
    )


def _of_parts(group: zarr.Group, index: _Index) -> Activations:
    attributes: Any = dict(group.attrs)
    contents = _checked(Contents(**attributes["contents"]))
    shape = (len(contents.layers), len(contents.sites), contents.d_model)
    for stream in contents.streams if index.parts and all(shape) else ():
        had: Any = index.parts[0][stream]
        if had.shape[1:] != shape:
            raise ValueError(f"it says [layer, site, d_model] = {list(shape)}, its parts have {list(had.shape[1:])}")
    order = [item_id for item_id in attributes.get("order", []) if item_id in index.places]
    item_ids = list(dict.fromkeys([*order, *index.places]))
    return Activations(
        **contents_of(contents),
        item_ids=item_ids,
        content=[index.content[item_id] for item_id in item_ids],
        parts=index.parts,
        rows=np.array([index.places[item_id] for item_id in item_ids], np.int64).reshape(-1, 2),
    )


def _checked(contents: Contents) -> Contents:
    """What a store says that it holds, of the kinds that are read; ValueError for anything else."""
    kinds = {"layers": int, "sites": str, "streams": str, "token_layers": int}
    for name, kind in kinds.items():
        own = getattr(contents, name)
        if not isinstance(own, list) or not all(isinstance(each, kind) for each in own):
            raise ValueError(f"{name} is {shown(own)}")
    width = contents.d_model
    if isinstance(width, bool) or not isinstance(width, int) or not 0 < width < 1 << 24:
        raise ValueError(f"d_model is {shown(width)}")
    return contents


def _of_first_layout(group: zarr.Group) -> Activations:
    """Runs of earlier versions kept one array `values` of one stream."""
    attributes: Any = dict(group.attrs)
    values: Any = group["values"]
    return Activations(
        layers=list(attributes["layers"]),
        sites=list(attributes["sites"]),
        streams=[attributes["stream"]],
        token_layers=[],
        token_spans=None,
        dtype="float32",
        d_model=values.shape[-1],
        model=attributes["model"],
        model_dtype=attributes["dtype"],
        item_ids=list(attributes["rollout_ids"]),
        content=[""] * len(attributes["rollout_ids"]),
        parts=[{attributes["stream"]: values, "present": group["present"]}],
        rows=np.stack([np.zeros(values.shape[0], int), np.arange(values.shape[0])], axis=1),
    )
