"""Linear probes on plain arrays: one estimator, sweeps with controls, a text baseline, intervals, and cards.

Nothing here needs a language model; activations [n, d] and labels [n] are enough.
"""

from confesslens.probes.bootstrap import Interval, auroc_interval, clustered_bootstrap, resample_weights
from confesslens.probes.card import card_markdown, load_probe, save_probe
from confesslens.probes.cv import TooLittleData, contrast_weights, scenario_folds
from confesslens.probes.metrics import auroc, within_eval_auroc
from confesslens.probes.nested import Choice, Nested
from confesslens.probes.probe import LogisticProbe
from confesslens.probes.sweep import Sweep, fit_probe, sweep
from confesslens.probes.text import text_baseline

__all__ = [
    "Choice",
    "Interval",
    "LogisticProbe",
    "Nested",
    "Sweep",
    "TooLittleData",
    "auroc",
    "auroc_interval",
    "card_markdown",
    "clustered_bootstrap",
    "contrast_weights",
    "fit_probe",
    "load_probe",
    "resample_weights",
    "save_probe",
    "scenario_folds",
    "sweep",
    "text_baseline",
    "within_eval_auroc",
]
