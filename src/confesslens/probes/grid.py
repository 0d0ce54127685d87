"""What a grid of layers and read sites must look like."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import NDArray


def primary_of(sites: Sequence[str], asked: Sequence[str] | None) -> list[str]:
    """The sites that a headline may choose from: those asked for, or all but the confession's own."""
    if asked is None:
        asked = [s for s in sites if not s.startswith("confession.")]
    unknown = [s for s in asked if s not in sites]
    if unknown or not asked:
        raise ValueError(f"primary_sites {unknown or list(asked)}: give some of the sites read, {list(sites)}")
    return list(asked)


def check_shapes(
    values: NDArray,
    present: NDArray,
    labels: NDArray,
    groups: NDArray,
    evals: NDArray,
    layers: Sequence[int],
    sites: Sequence[str],
) -> None:
    """Raise ValueError for arrays that do not fit the labels, layers and sites."""
    n = len(labels)
    expected = {
        "values": (values.shape[:3], (n, len(layers), len(sites))),
        "present": (present.shape, (n, len(sites))),
        "groups": (groups.shape, (n,)),
        "evals": (evals.shape, (n,)),
    }
    for name, (got, want) in expected.items():
        if tuple(got) != want:
            raise ValueError(f"{name} has shape {tuple(got)}, expected {want} for {n} labels, layers and sites")
