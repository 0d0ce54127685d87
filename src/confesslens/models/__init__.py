"""Models: load by hub id, folder, GGUF file or the embedded default; sample fast; hook through TransformerLens."""

from confesslens.models.embedded import EMBEDDED, embedded_folder
from confesslens.models.endpoint import Endpoint
from confesslens.models.errors import ModelError
from confesslens.models.load import load_for_card, load_model
from confesslens.models.model import Model
from confesslens.models.untrained import untrained_model

__all__ = [
    "EMBEDDED",
    "Endpoint",
    "Model",
    "ModelError",
    "embedded_folder",
    "load_for_card",
    "load_model",
    "untrained_model",
]
