"""A sparse autoencoder on plain arrays: activations [..., d_model] in, features [..., feature] out."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from confesslens.closest import no_such, shown

STAGES = ("features", "linear")
"""What of an autoencoder is read: its features, or the affine map before they are gated."""

STREAM_ENDING = ".sae"
_ROWS = 4096  # encoded at once: what is between activations and features stays small
_STREAMS = ("resid_pre", "resid_mid", "resid_post", "attn_out", "mlp_out")  # those that `capture` reads
_HOOK = re.compile(r"blocks\.(\d{1,4})\.hook_(\w+)")


@dataclass(frozen=True, eq=False)
class SparseAutoencoder:
    """The encoder and decoder of a sparse autoencoder, float32. `load_sae` makes one.

    With x the activations after `normalize_activations` and less b_dec where `apply_b_dec_to_input`, and
    pre = x @ W_enc + b_enc, the features are

    - standard: relu(pre).
    - topk: relu(pre), of its k largest entries only; pre times the decoder's norms where `rescale_by_decoder_norm`.
    - jumprelu: pre where it is above the feature's own threshold, if that is above 0 (Rajamanoharan et al. 2024b,
      arXiv 2407.14435).
    - gated: relu(x @ (W_enc * exp(r_mag)) + b_mag) where x @ W_enc + b_gate is above 0 (Rajamanoharan et al. 2024a,
      arXiv 2404.16014).

    Attributes:
        architecture: one of these four.
        hook_name: what it reads, as TransformerLens names it, such as blocks.12.hook_resid_post.
        model_name: the model that it was trained on, as its maker wrote it; "" where nobody said.
        W_enc: [d_model, feature].
        W_dec: [feature, d_model].
        b_enc: [feature]; of a gated one b_mag.
        b_dec: [d_model].
        threshold: [feature], of jumprelu.
        b_gate: [feature], of gated.
        r_mag: [feature], of gated.
        k: of topk.
        apply_b_dec_to_input: whether b_dec is taken from the input.
        normalize_activations: "none", "layer_norm" or "constant_norm_rescale".
        rescale_by_decoder_norm: of topk.
        fingerprint: of the model whose activations it takes; "" where it was loaded without a model.
    """

    architecture: str
    hook_name: str
    model_name: str
    W_enc: Float[np.ndarray, "d_model feature"] = field(repr=False)
    W_dec: Float[np.ndarray, "feature d_model"] = field(repr=False)
    b_enc: Float[np.ndarray, " feature"] = field(repr=False)
    b_dec: Float[np.ndarray, " d_model"] = field(repr=False)
    threshold: Float[np.ndarray, " feature"] | None = field(default=None, repr=False)
    b_gate: Float[np.ndarray, " feature"] | None = field(default=None, repr=False)
    r_mag: Float[np.ndarray, " feature"] | None = field(default=None, repr=False)
    k: int | None = None
    apply_b_dec_to_input: bool = True
    normalize_activations: str = "none"
    rescale_by_decoder_norm: bool = False
    fingerprint: str = ""

    @property
    def d_model(self) -> int:
        """Width of the activations that it takes."""
        return self.W_enc.shape[0]

    @property
    def n_features(self) -> int:
        """How many features it has."""
        return self.W_enc.shape[1]

    @property
    def layer(self) -> int:
        """The block that it reads."""
        return place_of_hook(self.hook_name)[0]

    @property
    def stream(self) -> str:
        """The stream that it reads, such as resid_post; one of block L's `resid_pre` is L's, not the post of L - 1."""
        return place_of_hook(self.hook_name)[1]

    def encode(self, X: ArrayLike) -> Float[np.ndarray, "*item feature"]:
        """Features [..., feature], float32, of activations [..., d_model]; 0 or more.

        Raises:
            ValueError: activations of another width.
        """
        return self._by_rows(X, self._features)

    def linear(self, X: ArrayLike) -> Float[np.ndarray, "*item feature"]:
        """What is gated to be the features: affine in the activations [..., d_model] unless they are normalised.

        For the standard architecture `encode(X) == max(linear(X), 0)`; where a feature is on, the two agree in all.
        """
        return self._by_rows(X, self._pre)

    def decode(self, features: ArrayLike) -> Float[np.ndarray, "*item d_model"]:
        """Activations [..., d_model] as the features [..., feature] make them up, before any normalisation is undone.

        Raises:
            ValueError: an autoencoder that normalises its input: what it puts out needs the input's own mean and norm.
        """
        if self.normalize_activations != "none":
            raise ValueError(
                f"an autoencoder with normalize_activations {self.normalize_activations!r} cannot decode features"
                " alone: the scale of each input is needed; use one with 'none'"
            )
        found = np.asarray(features, np.float32)
        if self.rescale_by_decoder_norm:
            found = found / self._norms()
        return found @ self.W_dec + self.b_dec

    def affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Matrix [d_model, feature] and offset [feature] with `linear(X) == X @ matrix + offset`.

        Raises:
            ValueError: the autoencoder normalises its input, so that no matrix does that.
        """
        if self.normalize_activations != "none":
            raise ValueError(
                f"this autoencoder normalises its input ({self.normalize_activations}), so that nothing that is fitted"
                " to its features is a direction of raw activations: fit a probe to the activations themselves"
            )
        scale = self._scale().astype(np.float64)
        matrix = self.W_enc.astype(np.float64) * scale
        offset = self.b_enc.astype(np.float64) * (scale if self.architecture != "gated" else 1.0)
        return matrix, offset - self.b_dec.astype(np.float64) @ matrix if self.apply_b_dec_to_input else offset

    def check(self, acts: Any) -> None:
        """Refuse activations that are not those that it reads.

        Raises:
            ValueError: they lack its layer or stream, have another width, or are of another model than it is bound to.
        """
        if acts.d_model != self.d_model:
            raise ValueError(
                f"the autoencoder takes activations of width {self.d_model}, these have {acts.d_model}: it belongs to"
                f" {self.model_name or 'another model'}"
            )
        if self.fingerprint and acts.model != self.fingerprint:
            raise ValueError(
                f"the autoencoder is bound to the model of fingerprint {self.fingerprint}, these activations are of"
                f" {acts.model}: capture those of that model, or load_sae with the other one"
            )
        for what, own, theirs in (("layers", self.layer, acts.layers), ("streams", self.stream, acts.streams)):
            if own not in theirs:
                raise ValueError(
                    f"the autoencoder reads {self.hook_name}, but these activations have {what} {list(theirs)}:"
                    f" capture with layers=[{self.layer}], streams={self.stream!r}"
                )

    def features(self, acts: Any, sites: Sequence[str] | None = None, stage: str = "features") -> Any:
        """Captured activations as the same items' features: for `at`, `values` and `select`, and so for a sweep.

        They have one layer, the autoencoder's, and one stream, named after what it read ("resid_post.sae"), so that a
        probe fitted to features takes no raw activations for them. An autoencoder is trained on single tokens: of a
        site that is a mean or maximum over tokens it reads a vector of a kind that it never saw, and a warning says so
        (`pool_tokens` encodes each token first).

        Args:
            acts: from `confesslens.capture`.
            sites: some of their sites; default all.
            stage: of `STAGES`.

        Returns:
            `Activations` with d_model = the number of features, float32, in memory.

        Raises:
            ValueError: activations that are not those that it reads, or a stage or site that is none.
        """
        from confesslens.activations.activations import Activations, Block, Contents  # plain arrays do without

        self.check(acts)
        encode = self._stage(stage)
        wanted = list(acts.sites if sites is None else sites)
        if unknown := [site for site in wanted if site not in acts.sites]:
            raise ValueError(f"sites {unknown} were not captured: these are {', '.join(acts.sites)}")
        if pooled := [site for site in wanted if site.endswith((".mean", ".max"))]:
            warnings.warn(
                f"{', '.join(pooled)}: an autoencoder is trained on single tokens and reads a mean or maximum over"
                " several here; encode each token and pool then (pool_tokens), or read a site of one token",
                stacklevel=2,
            )
        columns = [acts.sites.index(site) for site in wanted]
        present = acts.present[:, columns]
        values = np.zeros((len(acts.item_ids), 1, len(wanted), self.n_features), np.float32)
        raw = acts.stream(self.stream)[:, acts.layers.index(self.layer)][:, columns]
        values[:, 0][present] = encode(raw[present])
        stream = self.stream + STREAM_ENDING
        contents = Contents(
            [self.layer], wanted, [stream], [], [], "float32", self.n_features, acts.model, acts.model_dtype
        )
        nothing = np.zeros(len(values), int)
        block = Block({stream: values}, present, {}, np.zeros(0, np.int32), nothing)
        return Activations.of_block(contents, block, list(acts.item_ids), list(acts.content))

    def _stage(self, stage: str) -> Any:
        if stage not in STAGES:
            raise ValueError(f"stage {stage!r}: expected 'features' (as the autoencoder gives them) or 'linear'")
        return self.encode if stage == "features" else self.linear

    def _by_rows(self, X: ArrayLike, of: Any) -> np.ndarray:
        rows = np.asarray(X, np.float32)
        if rows.ndim < 1 or rows.shape[-1] != self.d_model:
            raise ValueError(f"activations of shape {rows.shape}: expected [..., {self.d_model}] for {self.hook_name}")
        flat = rows.reshape(-1, self.d_model)
        out = np.empty((len(flat), self.n_features), np.float32)
        for start in range(0, len(flat), _ROWS):
            out[start : start + _ROWS] = of(self._input(flat[start : start + _ROWS]))
        return out.reshape(*rows.shape[:-1], self.n_features)

    def _input(self, x: np.ndarray) -> np.ndarray:
        if self.normalize_activations == "layer_norm":
            x = x - x.mean(axis=-1, keepdims=True)
            x = x / (x.std(axis=-1, keepdims=True, ddof=1) + np.float32(1e-5))  # as SAE Lens does
        elif self.normalize_activations == "constant_norm_rescale":
            norms = np.linalg.norm(x, axis=-1, keepdims=True)
            x = x * np.float32(np.sqrt(self.d_model)) / np.maximum(norms, np.finfo(np.float32).tiny)
        return x - self.b_dec if self.apply_b_dec_to_input else x

    def _pre(self, x: np.ndarray) -> np.ndarray:
        if self.architecture == "gated":
            return (x @ self.W_enc) * self._scale() + self.b_enc
        return (x @ self.W_enc + self.b_enc) * self._scale()

    def _features(self, x: np.ndarray) -> np.ndarray:
        pre = self._pre(x)
        on = pre > 0
        if self.architecture == "jumprelu":
            on &= pre > self.threshold
        elif self.architecture == "gated":
            on &= x @ self.W_enc + self.b_gate > 0
        elif self.architecture == "topk" and self.k is not None and self.k < self.n_features:
            largest = np.argpartition(-pre, self.k - 1, axis=-1)[:, : self.k]
            among = np.zeros_like(on)
            np.put_along_axis(among, largest, True, axis=-1)
            on &= among
        return np.where(on, pre, np.float32(0))

    def _scale(self) -> np.ndarray:
        """[feature] what x @ W_enc is multiplied by."""
        if self.architecture == "gated" and self.r_mag is not None:
            return np.exp(self.r_mag)
        return self._norms() if self.rescale_by_decoder_norm else np.ones(self.n_features, np.float32)

    def _norms(self) -> np.ndarray:
        return np.linalg.norm(self.W_dec, axis=-1)


def place_of_hook(hook_name: str) -> tuple[int, str]:
    """Layer and stream of a hook's name; ValueError for one that is no stream of a block."""
    found = _HOOK.fullmatch(hook_name)
    if found is None:
        raise ValueError(
            f"hook_name {shown(hook_name)}: expected blocks.LAYER.hook_STREAM with a stream of {', '.join(_STREAMS)}"
        )
    if found.group(2) not in _STREAMS:
        raise ValueError(f"hook_name {shown(hook_name)}: {no_such('stream', found.group(2), _STREAMS)}")
    return int(found.group(1)), found.group(2)
