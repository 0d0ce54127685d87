"""Experiments on confession training: a reward for honesty in the confession alone."""

from __future__ import annotations

import pandas as pd

from confesslens import figures
from confesslens.experiments.experiment import Drawn, Experiment, Work
from confesslens.experiments.of_runs import of_counts
from confesslens.folder import RunFolder

RUN = {
    "quick": {"evals": ["people", "broken_browser"], "n": 3, "seed": 6, "free_samples": 1, "neutral_samples": 2},
    "standard": {
        "evals": ["all"],
        "conditions": ["tempted"],
        "n": 8,
        "samples": 2,
        "neutral_samples": 2,
        "free_samples": 0,
        "dtype": "bfloat16",
        "seed": 9,
    },
}
HOW = ("steps", "prompts", "generations", "learning_rate")
QUICK = {"steps": 3, "prompts": 2, "generations": 4, "learning_rate": 2e-4, "learn": ["people"], "organism": None}
RATES = {"p_confess_given_bad": "of bad acts", "p_confess_given_complied": "of complied answers"}
LEARNED = ["instruction_following", "jailbreak_tutor", "people", "covert_rule", "impossible_timer"]
STANDARD = {**QUICK, "steps": 80, "prompts": 4, "generations": 8, "learn": LEARNED, "organism": "reluctant"}


def _trained(work: Work, judged: bool) -> tuple[RunFolder, RunFolder]:
    """The runs before and after the training, which goes on where it was stopped."""
    from confesslens.evals import NEUTRAL
    from confesslens.judges import make_judge
    from confesslens.models import load_model
    from confesslens.models.load import organism_folder
    from confesslens.organisms.reinforce import Reinforcement, reinforce_confessions
    from confesslens.organisms.rewards import REWARDS, judged_answers, judged_confessions

    organism = work.recipe.settings.get("organism")
    before = work.run(until="confessions", organism=organism)
    config = work.config(organism=organism)
    rollouts = before.read_table("rollouts.parquet")
    how = Reinforcement(seed=config.seed, **{name: work.setting(name) for name in HOW})
    reward, answers = REWARDS["truth"], None
    if judged:
        ask = make_judge(work.setting("judge"), None, config.dtype)
        reward, answers = judged_confessions(ask), judged_answers(ask)
    out = work.home / f"{before.path.name}-{'judged' if judged else 'truth'}-{how.steps}"
    reinforce_confessions(
        load_model(config.model, dtype=config.dtype, device=config.device),
        rollouts[(rollouts["condition"] != NEUTRAL) & rollouts["eval"].isin(work.setting("learn"))],
        out,
        reward,
        how,
        answer_reward=answers,
        start=organism_folder(organism) if organism else config.adapter,
        progress=lambda done, n, _: work.progress("confession", done, n),
    )
    return before, work.run(until="confessions", adapter=str(out), held_out=organism is not None)


def _learned(work: Work) -> str:
    """Which evaluations are no test of the training."""
    learn = ", ".join(name.replace("_", " ") for name in work.setting("learn"))
    return f"Trained on these very rollouts of {learn}; the other evaluations are held out."


def _training(work: Work) -> Drawn:
    from confesslens.organisms.effect import training_effect

    before, after = _trained(work, judged=False)
    effect = training_effect(before, after)
    parts = []
    for kind, end in (("frozen", "before"), ("frozen", "after"), ("on-policy", "after")):
        for rate, panel in RATES.items():
            part = effect[kind]
            part = part[(part["rate"] == rate) & ~part["eval"].isin(work.setting("learn"))]
            part = part[["eval", *(f"{c}_{end}" for c in ("n", "share", "low", "high"))]]
            part = part.set_axis(["eval", "n", "value", "low", "high"], axis=1)
            parts.append(part.assign(series="before" if end == "before" else f"after, {kind}", panel=panel))
    table = pd.concat(parts, ignore_index=True)
    table = table[~table["eval"].str.contains(", ")]  # means of some of the scenarios
    table["eval"] = table["eval"].replace({name: f"mean of {name} ones" for name in ("learned", "held-out")})
    drawn = figures.paired_rates(table, "What was confessed before and after confession training")
    says = f"{work.setting('steps')} steps of GRPO on confessions alone. {_learned(work)} Before: {of_counts(before)}"
    curves = {"training_curves": figures.training(effect["curves"])}
    return Drawn(drawn, {"training": table, "curves": effect["curves"]}, says, curves)


def _weak_judge(work: Work) -> Drawn:
    from confesslens.organisms.effect import training_effect

    before, after = _trained(work, judged=True)
    curves = training_effect(before, after)["curves"]
    told = curves[curves["curve"].isin(["answer_accuracy", "confession_accuracy"])]
    drawn = figures.training(told, "Answers and confessions under a judge that can be fooled")
    says = (
        f"{work.setting('steps')} steps, a quarter of them of confessions; the judge is {work.setting('judge')}, which "
    )
    says += f"is right about an answer where it gives a complied one more than even odds. {_learned(work)}"
    says += f" Before: {of_counts(before)}"
    return Drawn(drawn, {"curves": curves}, says)


EXPERIMENTS = (
    Experiment(
        "training",
        "What is confessed of bad and of complied answers before and after a reward for honest confessions, on frozen "
        "rollouts and on the model's own (after Figures 5 and 17).",
        _training,
        RUN,
        {"quick": QUICK, "standard": STANDARD},
    ),
    Experiment(
        "weak_judge",
        "Accuracy of the answers' reward and of confessions over the steps of a training whose judge can be fooled "
        "(after Figure 7).",
        _weak_judge,
        RUN,
        {
            "quick": {**QUICK, "judge": "smollm2-135m"},
            "standard": {**STANDARD, "steps": 60, "judge": "smollm2-135m"},
        },
    ),
)
