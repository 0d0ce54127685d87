"""Tables in, tables out: how far the four witnesses agree, how often and how surely.

`compare` is all of it in one call. What it rests on is checked on known truth by `study`.
"""

from confesslens.faithfulness.agreement import agreement, phi
from confesslens.faithfulness.association import association
from confesslens.faithfulness.association_tests import association_tests
from confesslens.faithfulness.calibration import calibration
from confesslens.faithfulness.cells import cells
from confesslens.faithfulness.compare import Comparison, compare
from confesslens.faithfulness.discrimination import differences, discrimination
from confesslens.faithfulness.dispositions import dispositions
from confesslens.faithfulness.errors import errors_of, probe_errors
from confesslens.faithfulness.macro import macro_share
from confesslens.faithfulness.monitors import monitor_agreement
from confesslens.faithfulness.multiplicity import benjamini_hochberg, holm
from confesslens.faithfulness.patterns import errors_of_confession, overlap
from confesslens.faithfulness.power import power
from confesslens.faithfulness.rates import rates
from confesslens.faithfulness.sentences import sentences
from confesslens.faithfulness.simulate import World, simulate, simulate_run
from confesslens.faithfulness.sweep import sweep
from confesslens.faithfulness.table1 import PAPER, table1
from confesslens.faithfulness.training import change, training_curves
from confesslens.faithfulness.witnesses import CELLS, witnesses
from confesslens.faithfulness.wording import wording_dependence
from confesslens.probes.proportion import clustered_wilson, wilson

__all__ = [
    "CELLS",
    "Comparison",
    "PAPER",
    "World",
    "agreement",
    "association",
    "association_tests",
    "benjamini_hochberg",
    "calibration",
    "cells",
    "change",
    "clustered_wilson",
    "compare",
    "differences",
    "discrimination",
    "dispositions",
    "errors_of",
    "errors_of_confession",
    "holm",
    "macro_share",
    "monitor_agreement",
    "overlap",
    "phi",
    "power",
    "probe_errors",
    "rates",
    "sentences",
    "simulate",
    "simulate_run",
    "sweep",
    "table1",
    "training_curves",
    "wilson",
    "witnesses",
    "wording_dependence",
]
