"""ConfessLens: does a language model's confession match what went on inside it?

import confesslens as cl

model = cl.load_model("smollm2-135m")
rollouts = cl.roll_out(model, cl.evals("sandbagging"), n=8, seed=0)
confessions = cl.confess(model, rollouts, samples=2)
acts = cl.capture(model, rollouts, sites=["answer.mean", "request.last"])
"""

from confesslens import cot, evals, faithfulness, figures, probes
from confesslens.activations import Activations, capture, load_activations, save_activations
from confesslens.confessions import confess
from confesslens.config import RunConfig, make_config
from confesslens.models import Model, ModelError, load_model
from confesslens.rollouts import roll_out
from confesslens.run import run

__all__ = [
    "Activations",
    "Model",
    "ModelError",
    "RunConfig",
    "capture",
    "confess",
    "cot",
    "evals",
    "faithfulness",
    "figures",
    "load_activations",
    "load_model",
    "make_config",
    "probes",
    "roll_out",
    "run",
    "save_activations",
]
