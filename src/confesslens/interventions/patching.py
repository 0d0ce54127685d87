"""Activation patching: the states of a cheating rollout in the place of an honest one's, in the same scenario.

Both rollouts answered the same prompt, and both are asked the same request. If what the confession uses stands at a
layer and site, putting it from one into the other carries the confession logit along (causal tracing; for the method
and its pitfalls see arXiv 2404.15255).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from confesslens.activations.streams import check_layers, hook_points, run_hooked
from confesslens.closest import no_such
from confesslens.confessions import confess
from confesslens.confessions.confess import request_ids
from confesslens.interventions.edits import Patch
from confesslens.interventions.effects import macro_change, macro_mean, macro_ratio
from confesslens.rollouts.sampler import Edit

if TYPE_CHECKING:
    from confesslens.models import Model

PATCH_SITES = ("answer.last", "request", "request.last")
"""Sites whose tokens correspond one to one in two rollouts of a scenario."""


@dataclass(frozen=True)
class Pair:
    """Places in a rollouts table: the states of `source` are put into `target`.

    `kind` is `bad_into_honest`, `honest_into_bad`, or for the control `bad_into_bad`, `honest_into_honest`.
    """

    source: int
    target: int
    kind: str


def patch_pairs(rollouts: pd.DataFrame) -> list[Pair]:
    """For every rollout the first other one, of each behaviour, of the same scenario and condition."""
    words = {"not_complied": "bad", "complied": "honest"}
    graded = rollouts.reset_index(drop=True)
    graded = graded[graded["behaviour"].isin(words)]
    pairs = []
    for _, part in graded.groupby(["scenario", "condition"], sort=False):
        behaviour = part["behaviour"]
        for target in part.index:
            for wanted in words:
                source = next((i for i in part.index if i != target and behaviour[i] == wanted), None)
                if source is not None:
                    pairs.append(Pair(source, target, f"{words[wanted]}_into_{words[behaviour[target]]}"))
    return pairs


def patch(
    model: Model,
    rollouts: pd.DataFrame,
    layers: str | Sequence[int] = "all",
    sites: Sequence[str] = PATCH_SITES,
    *,
    seed: int = 0,
    batch_size: int = 32,
    n_boot: int = 2000,
    on_done: Callable[[], Any] | None = None,
) -> pd.DataFrame:
    """Patch between rollouts of one scenario, and see what the guided confession becomes.

    Args:
        model: that made the rollouts.
        rollouts: a rollouts table; scenarios with one graded rollout in a condition have no pair.
        layers: "all" or block numbers.
        sites: of `PATCH_SITES`.
        seed: of the draws.
        batch_size: confessions side by side; changes speed and memory only.
        n_boot: draws of scenarios.
        on_done: called after each confession.

    Returns:
        a row a layer, site and kind of pair: n (pairs), n_scenarios, gap (mean confession logit of the sources minus
        that of the targets), change (mean change of the targets' logit) with interval, moved (change / gap: 1 when the
        confession goes along with what was put in; NaN where the gap's interval holds 0) with interval, flipped (share
        of targets whose claim flips) with interval. Pairs of the same behaviour are the control: what putting in any
        other rollout does.

    Raises:
        ValueError: an unknown layer or site, or no scenario with two graded rollouts.
    """
    chosen = check_layers(model, layers)
    for site in sites:
        if site not in PATCH_SITES:
            raise ValueError(no_such("site to patch", site, PATCH_SITES))
    table = rollouts.reset_index(drop=True)
    pairs = patch_pairs(table)
    if not pairs:
        raise ValueError("no scenario has two graded rollouts in one condition: sample more of each (samples=)")
    rows = table.to_dict("records")
    states = {i: _site_states(model, rows[i], chosen, sites) for i in sorted({pair.source for pair in pairs})}
    plain = confess(model, table, samples=0, batch_size=batch_size)
    asked: list[tuple[int, str, Pair, Edit]] = []
    for layer_at, layer in enumerate(chosen):
        for site in sites:
            for pair in pairs:
                positions = _positions(model, rows[pair.target], site)
                values = states[pair.source][site][layer_at]
                if len(positions) and len(values) == len(positions):
                    asked.append((layer, site, pair, Patch(layer, values, positions)))
    repeated = table.iloc[[pair.target for _, _, pair, _ in asked]]
    edits = [edit for *_, edit in asked]
    said = confess(model, repeated, samples=0, edits=edits, batch_size=batch_size, on_done=on_done)
    long = pd.DataFrame(
        {
            "layer": [layer for layer, *_ in asked],
            "site": [site for _, site, *_ in asked],
            "kind": [pair.kind for _, _, pair, _ in asked],
            "eval": repeated["eval"].to_numpy(),
            "scenario": repeated["scenario"].to_numpy(),
            "source": plain["logit"].to_numpy()[[pair.source for _, _, pair, _ in asked]],
            "before": plain["logit"].to_numpy()[[pair.target for _, _, pair, _ in asked]],
            "after": said["logit"].to_numpy(),
        }
    )
    found = [
        {"layer": layer, "site": site, "kind": kind, **_effect(part, n_boot, seed)}
        for (layer, site, kind), part in long.groupby(["layer", "site", "kind"], sort=False)
    ]
    return pd.DataFrame(found)


def _effect(part: pd.DataFrame, n_boot: int, seed: int) -> dict[str, float]:
    evals, groups = part["eval"], part["scenario"]
    gap = macro_change(part["source"], part["before"], evals, groups, n_boot, seed)
    change = macro_change(part["after"], part["before"], evals, groups, n_boot, seed)
    flipped = macro_mean((part["after"] > 0) != (part["before"] > 0), evals, groups, n_boot, seed)
    moved = macro_ratio(part["after"] - part["before"], part["source"] - part["before"], evals, groups, n_boot, seed)
    return {
        "n": len(part),
        "n_scenarios": groups.nunique(),
        "gap": gap.estimate,
        "change": change.estimate,
        "change_low": change.low,
        "change_high": change.high,
        "moved": moved.estimate,
        "moved_low": moved.low,
        "moved_high": moved.high,
        "flipped": flipped.estimate,
        "flipped_low": flipped.low,
        "flipped_high": flipped.high,
    }


def _positions(model: Model, row: dict[str, Any], site: str) -> np.ndarray:
    """The places of a site in a rollout that is followed by the request."""
    answered = len(row["token_ids"])
    if site == "answer.last":
        start, end = json.loads(row["spans"]).get("answer", (0, 0))
        return np.array([end - 1]) if end > start else np.zeros(0, int)
    asked = len(request_ids(model, row))
    return np.arange(answered if site == "request" else answered + asked - 1, answered + asked)


@torch.inference_mode()
def _site_states(
    model: Model, row: dict[str, Any], layers: Sequence[int], sites: Sequence[str]
) -> dict[str, list[torch.Tensor]]:
    """The residual stream after each layer at the tokens of each site, [layer][token, d_model]."""
    ids = [*(int(token) for token in row["token_ids"]), *request_ids(model, row)]
    where = {site: _positions(model, row, site) for site in sites}
    found: dict[str, list[torch.Tensor]] = {site: [] for site in sites}

    def keep(_: int, states: torch.Tensor) -> None:
        for site, positions in where.items():
            found[site].append(states[0, torch.as_tensor(positions, device=states.device)].float().cpu())

    points = hook_points(model, layers, ["resid_post"])
    run_hooked(model, points, keep, input_ids=torch.tensor([ids], device=model.device), use_cache=False)
    return found
