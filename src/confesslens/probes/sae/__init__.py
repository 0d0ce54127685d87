"""Sparse autoencoders: their features as the input of probes, read from the folders that SAE Lens writes."""

from confesslens.probes.sae.autoencoder import SparseAutoencoder
from confesslens.probes.sae.probe import FeatureProbe
from confesslens.probes.sae.read import load_sae
from confesslens.probes.sae.top import pool_tokens, top_features

__all__ = ["FeatureProbe", "SparseAutoencoder", "load_sae", "pool_tokens", "top_features"]
