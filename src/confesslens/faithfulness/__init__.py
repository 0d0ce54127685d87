"""Tables in, tables out: rates, cells, agreement and discrimination of the four witnesses, with intervals."""

from confesslens.faithfulness.agreement import agreement, phi
from confesslens.faithfulness.cells import cells
from confesslens.faithfulness.compare import Comparison, compare
from confesslens.faithfulness.discrimination import discrimination
from confesslens.faithfulness.dispositions import dispositions
from confesslens.faithfulness.macro import macro_share
from confesslens.faithfulness.monitors import monitor_agreement
from confesslens.faithfulness.rates import clustered_wilson, rates, wilson
from confesslens.faithfulness.sentences import sentences
from confesslens.faithfulness.table1 import PAPER, table1
from confesslens.faithfulness.training import change, training_curves
from confesslens.faithfulness.witnesses import CELLS, witnesses
from confesslens.faithfulness.wording import wording_dependence

__all__ = [
    "CELLS",
    "PAPER",
    "Comparison",
    "agreement",
    "cells",
    "change",
    "clustered_wilson",
    "compare",
    "discrimination",
    "dispositions",
    "macro_share",
    "monitor_agreement",
    "phi",
    "rates",
    "sentences",
    "table1",
    "training_curves",
    "wilson",
    "witnesses",
    "wording_dependence",
]
