"""Linear probes on plain arrays: estimators, sweeps with controls, text baseline, tests, intervals, and cards.

Before a fit: `lint`. Fits: `estimators`, `sweep`. After: `controls`, `permutation_test`, `transfer_matrix`,
`operating_points`, `calibrated`. Nothing here needs a language model; activations [n, d] and labels [n] are enough.
"""

from confesslens.probes.bootstrap import (
    Interval,
    auroc_difference,
    auroc_interval,
    clustered_bootstrap,
    resample_weights,
)
from confesslens.probes.calibration import Calibrator, brier, calibrate, calibrated, ece, ece_if_calibrated, reliability
from confesslens.probes.card import CARD, load_probe, save_probe
from confesslens.probes.card_text import card_markdown
from confesslens.probes.controls import COLUMNS as CONTROL_COLUMNS
from confesslens.probes.controls import card_controls, controls
from confesslens.probes.cv import TooLittleData, contrast_weights, scenario_folds
from confesslens.probes.estimators import (
    AttentionProbe,
    CCSProbe,
    LayerEnsembleProbe,
    LogisticProbe,
    MassMeanProbe,
    MaxWindowProbe,
    RidgeProbe,
    to_basis,
)
from confesslens.probes.fit import ESTIMATORS, fit_probe, out_of_fold_scores
from confesslens.probes.lint import Finding, lint
from confesslens.probes.metrics import auroc, within_eval_auroc
from confesslens.probes.nested import Choice, Nested
from confesslens.probes.operating import Threshold, operating_points, threshold_at
from confesslens.probes.permutation import PermutationTest, max_statistic, permutation_test, permuted_labels
from confesslens.probes.sae import FeatureProbe, SparseAutoencoder, load_sae, pool_tokens, top_features
from confesslens.probes.sweep import Place, Sweep, sweep
from confesslens.probes.text import feature_baseline, text_baseline
from confesslens.probes.token_scores import TokenScores
from confesslens.probes.transfer import DataSet, leave_one_eval_out, transfer_matrix, transfer_scores

__all__ = [
    "CARD",
    "CONTROL_COLUMNS",
    "ESTIMATORS",
    "AttentionProbe",
    "CCSProbe",
    "Calibrator",
    "Choice",
    "DataSet",
    "FeatureProbe",
    "Finding",
    "Interval",
    "LayerEnsembleProbe",
    "LogisticProbe",
    "MassMeanProbe",
    "MaxWindowProbe",
    "Nested",
    "PermutationTest",
    "Place",
    "RidgeProbe",
    "SparseAutoencoder",
    "Sweep",
    "Threshold",
    "TokenScores",
    "TooLittleData",
    "auroc",
    "auroc_difference",
    "auroc_interval",
    "brier",
    "calibrate",
    "calibrated",
    "card_controls",
    "card_markdown",
    "clustered_bootstrap",
    "contrast_weights",
    "controls",
    "ece",
    "ece_if_calibrated",
    "feature_baseline",
    "fit_probe",
    "leave_one_eval_out",
    "lint",
    "load_probe",
    "load_sae",
    "max_statistic",
    "operating_points",
    "out_of_fold_scores",
    "permutation_test",
    "permuted_labels",
    "pool_tokens",
    "reliability",
    "resample_weights",
    "save_probe",
    "scenario_folds",
    "sweep",
    "text_baseline",
    "threshold_at",
    "to_basis",
    "top_features",
    "transfer_matrix",
    "transfer_scores",
    "within_eval_auroc",
]
