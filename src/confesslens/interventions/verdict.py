"""The direction that must move a confession: the positive control of steering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from confesslens.confessions.requests import COMPLIED, NOT_COMPLIED, VERDICTS

if TYPE_CHECKING:
    from confesslens.models import Model


def verdict_direction(model: Model) -> NDArray[np.float32]:
    """Unembedding of the token that begins to deny having complied, minus that of the one that affirms it, [d_model].

    After the last block the confession logit is, but for the final norm, a dot product with it. So adding it there
    moves every guided confession, whatever the model knows: it shows that steering works, and nothing else.
    """
    tick, cross = (model.encode(f" {VERDICTS[claim]}") for claim in (COMPLIED, NOT_COMPLIED))
    fork = next(i for i in range(min(len(tick), len(cross))) if tick[i] != cross[i])
    head: Any = model.hf.get_output_embeddings()
    rows = head.weight.detach()[[cross[fork], tick[fork]]].float().cpu().numpy()
    return rows[0] - rows[1]
