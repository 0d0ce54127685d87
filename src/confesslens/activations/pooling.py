"""From the states of a padded batch to one vector a site, without a loop over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from confesslens.activations.items import Span


@dataclass(frozen=True)
class PoolPlan:
    """The tokens of a batch that its sites read, flattened over rows: single ones, those of means, those of maxima.

    Attributes:
        positions: [read] places in the flattened [row * token].
        segments: [read] the site, numbered through the batch, that each belongs to.
        sizes: how many sites read one token, how many a mean, how many a maximum; sites are numbered in this order.
        averaged: how many reads belong to means.
        counts: [mean] tokens under each mean.
        rows: [site] the row of each site.
        columns: [site] its place among the sites of an item.
    """

    positions: Int[torch.Tensor, " read"]
    segments: Int[torch.Tensor, " read"]
    sizes: tuple[int, int, int]
    averaged: int
    counts: Float[torch.Tensor, " mean"]
    rows: Int[np.ndarray, " site"]
    columns: Int[np.ndarray, " site"]


def plan_pools(spans: Sequence[Sequence[Span | None]], sites: Sequence[str], width: int, skip: int = 0) -> PoolPlan:
    """Plan for rows of `width` tokens, where `spans[row][site]` are positions counted from `skip` tokens before."""
    kinds: tuple[list[tuple[int, int, int, int]], ...] = ([], [], [])
    for row, own in enumerate(spans):
        for column, span in enumerate(own):
            if span is not None:
                kind = 0 if span[1] - span[0] == 1 else 2 if sites[column].endswith(".max") else 1
                kinds[kind].append((row, column, *span))
    reads = np.array([read for kind in kinds for read in kind], np.int64).reshape(-1, 4)
    rows, columns, starts, ends = reads.T
    counts = ends - starts
    segments = np.repeat(np.arange(len(reads)), counts)
    within = np.arange(len(segments)) - np.repeat(np.cumsum(counts) - counts, counts)
    positions = (rows * width + starts - skip)[segments] + within
    single, mean, maximum = map(len, kinds)
    return PoolPlan(
        torch.from_numpy(positions),
        torch.from_numpy(segments),
        (single, mean, maximum),
        int(counts[single : single + mean].sum()),
        torch.from_numpy(counts[single : single + mean].astype(np.float32)),
        rows,
        columns,
    )


def to_device(plan: PoolPlan, device: torch.device) -> PoolPlan:
    """The plan with its tensors on a device."""
    tensors = [tensor.to(device) for tensor in (plan.positions, plan.segments, plan.counts)]
    return PoolPlan(tensors[0], tensors[1], plan.sizes, plan.averaged, tensors[2], plan.rows, plan.columns)


def pool(plan: PoolPlan, states: Float[torch.Tensor, "row token d_model"]) -> Float[torch.Tensor, "site d_model"]:
    """One float32 vector a site of the batch."""
    if states.device != plan.positions.device:  # a model over several devices
        plan = to_device(plan, states.device)
    flat = states.flatten(0, 1)
    read = flat.index_select(0, plan.positions).float()
    single, mean, maximum = plan.sizes
    if not mean and not maximum:
        return read
    several = plan.segments[single:] - single
    end = single + plan.averaged
    means = read.new_zeros(mean, read.shape[1])
    means.index_add_(0, several[: plan.averaged], read[single:end]).div_(plan.counts[:, None])
    maxima = read.new_full((maximum, read.shape[1]), -torch.inf)
    if maximum:
        owners = several[plan.averaged :, None] - mean
        maxima.scatter_reduce_(0, owners.expand(-1, read.shape[1]), read[end:], "amax")
    return torch.cat([read[:single], means, maxima])
