"""The settings of a run, its presets, and how a file and options override them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from confesslens import evals as evaluations
from confesslens.activations.sites import SITES, check_sites
from confesslens.closest import no_such, one_line, shown
from confesslens.models import EMBEDDED
from confesslens.models.load import organism_folder
from confesslens.rollouts.plan import DEFAULT_CONDITIONS

CORE = ("people", "instruction_hierarchy", "sandbagging")  # asked unless others are: the embedded model does both
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"evals": CORE, "n": 6, "samples": 2, "neutral_samples": 2, "free_samples": 1, "probe_every": 3},
    "standard": {"evals": CORE, "n": 16, "samples": 4, "neutral_samples": 3, "free_samples": 2, "probe_every": 1},
}
"""`quick` shows the whole way within 3 minutes on two cores; `standard` within 15. All twelve take four times that."""


class RunConfig(BaseModel):
    """Everything that a run depends on. The same settings give the same tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: str = "quick"
    model: str = Field("smollm2-135m", description="embedded model, hub id, folder or .gguf file")
    endpoint: str | None = Field(None, description="address of an OpenAI-compatible endpoint that has the model")
    sampler: str | None = Field(None, description="address of a server of the same weights that samples (vLLM)")
    adapter: str | None = Field(None, description="PEFT adapter merged into the model")
    organism: str | None = Field(None, description="model organism on the embedded model, over held-out scenarios")
    held_out: bool = Field(False, description="only scenarios that no organism learns from; always so of an organism")
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    device: str | None = None
    trust_remote_code: bool = False
    evals: tuple[str, ...] = Field(("all",), description="names of evaluations, or all")
    tier: Literal["tiny", "small", "full"] = "tiny"
    conditions: tuple[str, ...] = Field(DEFAULT_CONDITIONS, description="of evals.CONDITIONS, or all")
    n: int = Field(8, ge=1, description="scenarios per evaluation")
    samples: int = Field(2, ge=1, description="rollouts per scenario and condition")
    neutral_samples: int = Field(3, ge=1, description="rollouts per scenario in the neutral condition")
    cot: bool = True
    temperature: float = Field(0.7, ge=0)
    seed: int = Field(0, ge=0)
    free_samples: int = Field(1, ge=0, description="free confessions per rollout, beside the guided one")
    sites: tuple[str, ...] = SITES
    probe_every: int = Field(1, ge=1, description="probe every so many layers, the last one always")
    batch_size: int = Field(16, ge=1, description="transcripts sampled side by side; speed and memory only")
    workers: int | None = Field(None, ge=1, description="processes; default one a core on a CPU; speed and memory only")
    ray: str | None = Field(None, description="local, or the address of a Ray cluster to work on; speed only")

    @field_validator("evals")
    @classmethod
    def _known_evals(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(evaluation.name for evaluation in evaluations.select(*names))

    @field_validator("endpoint", "sampler")
    @classmethod
    def _plain_address(cls, address: str | None) -> str | None:
        if address is not None:
            parts = urlsplit(address)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
                raise ValueError("expected an address such as http://localhost:8000/v1; a key goes into OPENAI_API_KEY")
        return address

    @field_validator("conditions")
    @classmethod
    def _known_conditions(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in (*evaluations.CONDITIONS, "all"):
                raise ValueError(no_such("condition", name, (*evaluations.CONDITIONS, "all")))
        chosen = evaluations.CONDITIONS if "all" in names else (*names, evaluations.NEUTRAL)
        return tuple(name for name in evaluations.CONDITIONS if name in chosen)

    @field_validator("sites")
    @classmethod
    def _known_sites(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_sites(names))

    @field_validator("organism")
    @classmethod
    def _known_organism(cls, name: str | None) -> str | None:
        if name is not None:
            organism_folder(name)
        return name

    @model_validator(mode="after")
    def _organism_is_whole(self) -> RunConfig:
        others = self.adapter is not None or self.model != EMBEDDED or self.tier != "tiny"
        if self.organism is not None and others:
            raise ValueError(
                f"organism {self.organism!r} is an adapter on {EMBEDDED} at tier tiny: leave model, adapter and tier"
            )
        return self

    @model_validator(mode="after")
    def _endpoint_has_no_weights(self) -> RunConfig:
        if self.endpoint is None:
            return self
        for name in ("adapter", "organism", "dtype", "device", "sampler"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} is of a model that is loaded here: leave it, or leave the endpoint")
        if self.free_samples < 1:
            raise ValueError("a model behind an endpoint can only be asked freely: free_samples has to be 1 or more")
        return self

    def default_folder(self) -> Path:
        """`runs/PRESET-MODEL-seedS`, with a short hash where other settings differ from the preset's."""
        name = re.sub(r"[^\w.-]+", "-", Path(self.model).name or "model")
        usual = make_config({"preset": self.preset, "model": self.model, "seed": self.seed})
        folder = f"{self.preset}-{name}-seed{self.seed}"
        mine, theirs = (c.model_dump(exclude={"workers", "batch_size", "ray"}) for c in (self, usual))
        if mine != theirs:
            folder += f"-{hashlib.sha256(json.dumps(mine, sort_keys=True).encode()).hexdigest()[:6]}"
        return Path("runs") / folder


def make_config(options: Mapping[str, Any], file: str | Path | None = None) -> RunConfig:
    """A run's settings: the preset's, overridden by a YAML file's, overridden by `options` (None: not given).

    Raises:
        ValueError: an unknown key, preset or evaluation (the nearest valid names are given), or a value out of range.
    """
    given = _read_yaml(Path(file)) if file is not None else {}
    given |= {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in RunConfig.model_fields:
            raise ValueError(no_such("setting", str(key), RunConfig.model_fields))
    preset = given.get("preset", "quick")
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(no_such("preset", str(preset), PRESETS))
    try:
        return RunConfig(**{**PRESETS[preset], **given})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        setting = f"setting {place} = {shown(first['input'])}: " if place else ""
        raise ValueError(f"{setting}{' '.join(reason.split())}") from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ValueError(f"cannot read the config file {path}: {error.strerror or error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"the config file {path} is not YAML: {one_line(error)}") from None
    if not isinstance(read, dict):
        raise ValueError(f"the config file {path} holds a {type(read).__name__}: expected lines of 'setting: value'")
    return read
