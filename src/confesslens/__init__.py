"""ConfessLens: does a language model's confession match what went on inside it?

    import confesslens as cl

    model = cl.load_model("smollm2-135m")
    rollouts = cl.roll_out(model, cl.evals("sandbagging"), n=8, seed=0)
    confessions = cl.confess(model, rollouts, samples=2)
    acts = cl.capture(model, rollouts, sites=["answer.mean", "request.last"])

Names are imported at their first use: a worker that samples never loads the statistics or the figures.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confesslens import cot, evals, faithfulness, figures, interventions, probes
    from confesslens.activations import Activations, capture, capture_controls, load_activations, save_activations
    from confesslens.confessions import confess, yes_no_logits
    from confesslens.config import RunConfig, make_config
    from confesslens.models import Endpoint, Model, ModelError, load_model
    from confesslens.rollouts import roll_out
    from confesslens.run import run

_HOME = {
    "Activations": "activations",
    "Endpoint": "models",
    "Model": "models",
    "ModelError": "models",
    "RunConfig": "config",
    "capture": "activations",
    "capture_controls": "activations",
    "confess": "confessions",
    "load_activations": "activations",
    "load_model": "models",
    "make_config": "config",
    "roll_out": "rollouts",
    "run": "run",
    "save_activations": "activations",
    "yes_no_logits": "confessions",
}

__all__ = [
    "Activations",
    "Endpoint",
    "Model",
    "ModelError",
    "RunConfig",
    "capture",
    "capture_controls",
    "confess",
    "cot",
    "evals",
    "faithfulness",
    "figures",
    "interventions",
    "load_activations",
    "load_model",
    "make_config",
    "probes",
    "roll_out",
    "run",
    "save_activations",
    "yes_no_logits",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        found = getattr(importlib.import_module(f"confesslens.{_HOME[name]}"), name)
        globals()[name] = found
        return found
    if name in __all__:
        return importlib.import_module(f"confesslens.{name}")
    raise AttributeError(f"module 'confesslens' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
