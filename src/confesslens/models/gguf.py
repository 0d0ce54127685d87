"""Reading GGUF files through transformers, which dequantises them."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as hf_logging


def read_gguf(path: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Dequantise a GGUF file; the model that comes back is a plain one that can be saved."""
    with quiet(), contextlib.redirect_stderr(io.StringIO()):  # its progress bar asks nobody
        hf = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=dtype)
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    plain: Any = hf
    plain.hf_quantizer = None
    if hasattr(hf.config, "quantization_config"):
        del hf.config.quantization_config
    plain.is_quantized = False
    plain.quantization_method = None
    hf.config.architectures = [type(hf).__name__]
    hf.config._name_or_path = path.name
    return hf, tokenizer


class quiet:
    """While loading, no progress bars of transformers' own, and no word of what PEFT calls by a name of before."""

    def __enter__(self) -> None:
        self.warned = warnings.catch_warnings(action="ignore", category=FutureWarning)
        self.warned.__enter__()
        self.verbosity = hf_logging.get_verbosity()
        hf_logging.set_verbosity_error()
        hf_logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        hf_logging.set_verbosity(self.verbosity)
        hf_logging.enable_progress_bar()
        self.warned.__exit__(None, None, None)
