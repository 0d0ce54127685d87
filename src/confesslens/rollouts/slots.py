"""A key-value cache of independent rows: every row holds its own transcript from position 0 on."""

from __future__ import annotations

from typing import Any

import torch
from transformers import PretrainedConfig
from transformers.cache_utils import Cache, CacheLayerMixin

Attend = torch.Tensor | dict[str, torch.Tensor]


class _SlotLayer(CacheLayerMixin):
    """Keys and values [slot, heads, capacity, d]; one new token a row is written at the row's own position."""

    is_sliding = False

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, cache: SlotCache) -> None:
        super().__init__()
        self.keys, self.values, self.cache, self.is_initialized = keys, values, cache, True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None: ...

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Any:
        assert self.keys is not None and self.values is not None
        longest, (rows, positions) = self.cache.longest, self.cache.places(self.keys.device)
        self.keys[rows, :, positions] = key_states[:, :, 0]
        self.values[rows, :, positions] = value_states[:, :, 0]
        return self.keys[: len(rows), :, :longest], self.values[: len(rows), :, :longest]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.cache.longest, 0

    def get_seq_length(self) -> int:
        return self.cache.longest - 1

    def get_max_length(self) -> int:
        return self.cache.capacity


class SlotCache(Cache):
    """`n_slots` rows of `capacity` tokens, shaped after the keys and values of a first prefix."""

    def __init__(
        self, config: PretrainedConfig, n_slots: int, capacity: int, like: list[tuple[torch.Tensor, torch.Tensor]]
    ) -> None:
        self.capacity, self.longest = capacity, capacity
        self._places: dict[torch.device, tuple[torch.Tensor, torch.Tensor]] = {}
        text = config.get_text_config()
        self.layer_types: list[str] = list(getattr(text, "layer_types", None) or [])
        self.window: int | None = getattr(text, "sliding_window", None)

        def room(t: torch.Tensor) -> torch.Tensor:
            return t.new_zeros(n_slots, t.shape[1], capacity, t.shape[3])

        super().__init__(layers=[_SlotLayer(room(keys), room(values), self) for keys, values in like])

    def fill(self, row: int, keys_values: list[tuple[torch.Tensor, torch.Tensor]], length: int) -> None:
        """Put a computed prefix of `length` tokens into a row."""
        own: Any = self.layers
        for layer, (keys, values) in zip(own, keys_values, strict=True):
            layer.keys[row, :, :length] = keys[0]
            layer.values[row, :, :length] = values[0]

    def copy(self, source: int, target: int) -> None:
        """Copy one row over another."""
        own: Any = self.layers
        for layer in own:
            layer.keys[target] = layer.keys[source]
            layer.values[target] = layer.values[source]

    def places(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows and positions of this step's tokens, on the device of a layer."""
        if device not in self._places:
            rows, positions = next(iter(self._places.values()))
            self._places[device] = rows.to(device), positions.to(device)
        return self._places[device]

    def step(self, positions: torch.Tensor, longest: int, dtype: torch.dtype, multiple: int = 64) -> Attend:
        """Prepare one decoding step of rows at `positions` [rows]; returns what each may attend to.

        The mask is additive, [rows, 1, 1, keys]; a dictionary by layer type where a model mixes full and sliding
        attention.
        """
        self._places = {positions.device: (torch.arange(len(positions), device=positions.device), positions)}
        self.longest = min(self.capacity, -(-longest // multiple) * multiple)
        keys = torch.arange(self.longest, device=positions.device)[None]
        full = keys <= positions[:, None]
        sliding = full & (keys > positions[:, None] - self.window) if self.window else full

        def additive(allowed: torch.Tensor) -> torch.Tensor:
            mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
            return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None, None]

        kinds = set(self.layer_types)
        if len(kinds) > 1:
            return {kind: additive(sliding if kind.startswith("sliding") else full) for kind in kinds}
        whole_sliding = kinds == {"sliding_attention"} or (not kinds and self.window is not None)
        return additive(sliding if whole_sliding else full)
