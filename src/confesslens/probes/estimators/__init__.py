"""Probes with the interface of scikit-learn, one module each; `direction` and `bias` are in raw activation space."""

from confesslens.probes.estimators.attention import AttentionProbe
from confesslens.probes.estimators.ccs import CCSProbe
from confesslens.probes.estimators.ensemble import LayerEnsembleProbe
from confesslens.probes.estimators.linear import to_basis
from confesslens.probes.estimators.logistic import LogisticProbe
from confesslens.probes.estimators.mass_mean import MassMeanProbe
from confesslens.probes.estimators.ridge import RidgeProbe
from confesslens.probes.estimators.windows import MaxWindowProbe

__all__ = [
    "AttentionProbe",
    "CCSProbe",
    "LayerEnsembleProbe",
    "LogisticProbe",
    "MassMeanProbe",
    "MaxWindowProbe",
    "RidgeProbe",
    "to_basis",
]
