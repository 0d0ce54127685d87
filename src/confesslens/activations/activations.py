"""Captured activations, in memory or in a store: one vector a site, and ragged ones of every token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from confesslens.activations.formats import to_float32
from confesslens.closest import one_line


@dataclass(frozen=True)
class Contents:
    """What is captured of every item.

    Attributes:
        layers: block numbers.
        sites: site names.
        streams: stream names, as TransformerLens has them.
        token_layers: block numbers whose activations are kept for every token.
        token_spans: spans that those tokens are of; None for the whole item.
        dtype: number format that values are kept in.
        d_model: width of the residual stream.
        model: fingerprint of the model.
        model_dtype: number format of its forward pass.
    """

    layers: list[int]
    sites: list[str]
    streams: list[str]
    token_layers: list[int]
    token_spans: list[str] | None
    dtype: str
    d_model: int
    model: str
    model_dtype: str


@dataclass(frozen=True)
class Block:
    """Some items' activations, in the numpy types of their format.

    Attributes:
        values: by stream, [item, layer, site, d_model]; zero where absent.
        present: [item, site]; False where the item has no such span.
        tokens: by stream, [token, token layer, d_model]: the kept tokens of one item after the other.
        positions: [token] their places in their items.
        counts: [item] how many tokens of each are kept.
    """

    values: dict[str, np.ndarray]
    present: Bool[np.ndarray, "item site"]
    tokens: dict[str, np.ndarray]
    positions: Int[np.ndarray, " token"]
    counts: Int[np.ndarray, " item"]

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by the names that a store gives them; `offsets` [item + 1] says where items' tokens begin."""
        offsets = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)
        tokens = {f"{stream}_tokens": array for stream, array in self.tokens.items()}
        return {
            **self.values,
            **tokens,
            "present": self.present,
            "positions": self.positions.astype(np.int32),
            "offsets": offsets,
        }


@dataclass(frozen=True)
class TokenActivations:
    """Activations of every kept token at one layer and stream; ragged.

    Attributes:
        values: [token, d_model], float32: the tokens of one item after the other.
        positions: [token] the place of each in its item.
        offsets: [item + 1]; the tokens of item i are `offsets[i]` to `offsets[i + 1]`.
        item_ids: the items.
    """

    values: Float[np.ndarray, "token d_model"]
    positions: Int[np.ndarray, " token"]
    offsets: Int[np.ndarray, " item+1"]
    item_ids: list[str]

    def of(self, item_id: str) -> Float[np.ndarray, "token d_model"]:
        """The activations [token, d_model] of one item. Raises KeyError for an item that is not there."""
        if item_id not in self.item_ids:
            raise KeyError(f"no activations of item {item_id!r}")
        i = self.item_ids.index(item_id)
        return self.values[self.offsets[i] : self.offsets[i + 1]]


@dataclass(frozen=True, eq=False)
class Activations(Contents):
    """One vector an item, layer, site and stream; read from memory or, piece by piece, from a store.

    Attributes:
        item_ids: the first axis; of a rollouts table, its `rollout_id`.
        content: a hash for each item of its tokens and of what was read of them.
        parts: mappings to arrays by name: each stream [item, layer, site, d_model], `present` [item, site], tokens.
        rows: [item, 2] the part and the place in it where each item is.
    """

    item_ids: list[str]
    content: list[str]
    parts: Sequence[Any] = field(repr=False)
    rows: Int[np.ndarray, "item 2"] = field(repr=False)

    @classmethod
    def of_block(cls, contents: Contents, block: Block, item_ids: list[str], content: list[str]) -> Activations:
        """Activations in memory."""
        rows = np.stack([np.zeros(len(item_ids), int), np.arange(len(item_ids))], axis=1)
        return cls(**contents_of(contents), item_ids=item_ids, content=content, parts=[block.arrays()], rows=rows)

    @property
    def rollout_ids(self) -> list[str]:
        """`item_ids`, of a rollouts table."""
        return self.item_ids

    @property
    def values(self) -> Float[np.ndarray, "item layer site d_model"]:
        """Everything of the first stream, float32; zero where absent. Reads the whole of a store: `at` reads less."""
        return self.stream(self.streams[0])

    @cached_property
    def present(self) -> Bool[np.ndarray, "item site"]:
        """False where an item has no such span."""
        return self._gather("present", (), (len(self.sites),), bool)

    def stream(self, stream: str) -> Float[np.ndarray, "item layer site d_model"]:
        """Everything of one stream, float32; zero where absent. Raises KeyError when it was not captured."""
        self._check("stream", stream, self.streams)
        return self._gather(stream, (), (len(self.layers), len(self.sites), self.d_model))

    def at(self, layer: int, site: str, stream: str | None = None) -> Float[np.ndarray, "item d_model"]:
        """Activations [item, d_model] at one layer and site, float32; of the first stream unless one is named.

        Only this layer and site are read from a store. Raises KeyError when these were not captured, ValueError when
        some item has no such site.
        """
        if layer not in self.layers or site not in self.sites:
            raise KeyError(f"layer {layer}, site {site!r} not captured: layers {self.layers}, sites {self.sites}")
        stream = self.streams[0] if stream is None else stream
        self._check("stream", stream, self.streams)
        column = self.sites.index(site)
        if not self.present[:, column].all():
            missing = int((~self.present[:, column]).sum())
            raise ValueError(f"{missing} items have no {site!r}: select those where present[:, {column}] is True")
        return self._gather(stream, (self.layers.index(layer), column), (self.d_model,))

    def tokens(self, layer: int, stream: str | None = None) -> TokenActivations:
        """Activations of every kept token at one layer; of the first stream unless one is named.

        Raises KeyError when the layer's tokens or the stream were not captured.
        """
        self._check("token layer", layer, self.token_layers)
        stream = self.streams[0] if stream is None else stream
        self._check("stream", stream, self.streams)
        place = self.token_layers.index(layer)
        counts, starts = np.zeros(len(self.rows), np.int64), np.zeros(len(self.rows), np.int64)
        for number, here in self._by_part():
            offsets, own = _read(self.parts[number], "offsets"), self.rows[here, 1]
            starts[here], counts[here] = offsets[own], np.diff(offsets)[own]
        ends = np.cumsum(counts)
        values = np.zeros((int(counts.sum()), self.d_model), np.float32)
        positions = np.zeros(len(values), np.int32)
        for number, here in self._by_part():
            if not counts[here].any():
                continue
            part = self.parts[number]
            states = to_float32(_read(part, f"{stream}_tokens", (slice(None), place)))
            own = _read(part, "positions")
            for i in here:
                source, target = slice(starts[i], starts[i] + counts[i]), slice(ends[i] - counts[i], ends[i])
                values[target], positions[target] = states[source], own[source]
        return TokenActivations(values, positions, np.concatenate([[0], ends]).astype(np.int64), self.item_ids)

    def select(self, item_ids: Iterable[str]) -> Activations:
        """The same of these items only, in this order. Raises KeyError naming the first that is not there."""
        places = {item_id: i for i, item_id in enumerate(self.item_ids)}
        wanted = list(item_ids)
        if missing := [item_id for item_id in wanted if item_id not in places]:
            raise KeyError(f"{len(missing)} of {len(wanted)} items are not among these activations: {missing[0]!r}")
        keep = [places[item_id] for item_id in wanted]
        content = [self.content[i] for i in keep]
        found = contents_of(self)
        return Activations(**found, item_ids=wanted, content=content, parts=self.parts, rows=self.rows[keep])

    def load(self) -> Activations:
        """The same in memory, as float32."""
        block = self.block()
        contents = Contents(**{**contents_of(self), "dtype": "float32"})
        return Activations.of_block(contents, block, self.item_ids, self.content)

    def block(self) -> Block:
        """All arrays, read into memory as float32."""
        values = {stream: self.stream(stream) for stream in self.streams}
        ragged = {s: [self.tokens(layer, s) for layer in self.token_layers] for s in self.streams}
        first = next((layers[0] for layers in ragged.values() if layers), None)
        return Block(
            values,
            self.present,
            {s: np.stack([tokens.values for tokens in layers], axis=1) for s, layers in ragged.items() if layers},
            np.zeros(0, np.int32) if first is None else first.positions,
            np.zeros(len(self.item_ids), int) if first is None else np.diff(first.offsets),
        )

    def _gather(
        self, name: str, key: tuple[int, ...], shape: tuple[int, ...], dtype: type[np.generic] | type = np.float32
    ) -> np.ndarray:
        """One array [item, ...] over all parts, at `key` in the axes after the first."""
        out = np.zeros((len(self.rows), *shape), dtype)
        if not out.size:
            return out
        index: Any = (slice(None), *key)
        whole: Any = self.parts[0][name] if len(self.parts) == 1 else None
        if isinstance(whole, np.ndarray) and whole.dtype == dtype:
            read: np.ndarray = whole[index]
            same = len(read) == len(self.rows) and (self.rows[:, 1] == np.arange(len(read))).all()
            return read if same else read[self.rows[:, 1]]
        for number, here in self._by_part():
            read = _read(self.parts[number], name, index)[self.rows[here, 1]]
            out[here] = read if dtype is bool else to_float32(read)
        return out

    def _by_part(self) -> Iterable[tuple[int, Int[np.ndarray, " here"]]]:
        """Each part that holds items of these, and which."""
        order = np.argsort(self.rows[:, 0], kind="stable")
        numbers, starts = np.unique(self.rows[order, 0], return_index=True)
        return zip(numbers.tolist(), np.split(order, starts[1:]), strict=True) if len(order) else ()

    def _check(self, what: str, asked: object, captured: Sequence[object]) -> None:
        if asked not in captured:
            raise KeyError(f"{what} {asked!r} not captured: {', '.join(map(str, captured)) or 'none were'}")


def _read(part: Any, name: str, index: Any = ...) -> np.ndarray:
    """An array of a part, or some of it; ValueError naming the file that is no more what was written."""
    if isinstance(part, dict):
        return np.asarray(part[name][index])
    try:
        return np.asarray(part[name][index])
    except Exception as error:  # zarr trusts what its zarr.json says: anything can come of a wrong word
        raise ValueError(damage_of(part.store_path.store.root / part.store_path.path / name, error)) from None


def damage_of(array: Path, error: Exception) -> str:
    """What to say of an array in a store that cannot be read: the file, why, and what to do."""
    files = [file for file in sorted(array.rglob("*")) if file.is_file() and file.name != "zarr.json"]
    named = files[0] if len(files) == 1 else array
    return (
        f"{named} is damaged ({one_line(error)}): remove the folder {array.parent} and capture again, which reads the"
        " items that are missing; of a run, repeat the command"
    )


def contents_of(contents: Contents) -> dict[str, Any]:
    """The fields of `Contents` alone, ready for JSON."""
    return {own.name: getattr(contents, own.name) for own in fields(Contents)}
