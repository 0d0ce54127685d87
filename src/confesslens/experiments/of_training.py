"""Experiments on confession training: a reward for honesty in the confession alone."""

from __future__ import annotations

from dataclasses import replace

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
P = 0.25
"""Share of confession steps where answers are trained too (arXiv 2512.08093); the control has none."""
HOW = ("steps", "prompts", "generations", "learning_rate")
QUICK = {"steps": 3, "prompts": 2, "generations": 4, "learning_rate": 2e-4, "learn": ["people"], "organism": None}
RATES = {"p_confess_given_bad": "of bad acts", "p_confess_given_complied": "of complied answers"}
LEARNED = ["instruction_following", "jailbreak_tutor", "people", "covert_rule", "impossible_timer"]
STANDARD = {**QUICK, "steps": 80, "prompts": 4, "generations": 8, "learn": LEARNED, "organism": "reluctant"}


def _trained(work: Work, p: float | None = None) -> tuple[RunFolder, RunFolder]:
    """The runs before and after the training, which goes on where it was stopped.

    By default the truth rewards confessions; with `p` a judge rewards them, in that share of the steps, and answers in
    the others.
    """
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
    reward, answers, rewarded = REWARDS["truth"], None, "truth"
    if p is not None:
        judge, how = work.setting("judge_organism"), replace(how, p=p)
        ask = make_judge(work.setting("judge"), None, config.dtype, judge)
        reward, answers = judged_confessions(ask), judged_answers(ask)
        rewarded = f"judged-{judge or 'plain'}-p{p}"
    out = work.home / f"{before.path.name}-{rewarded}-{how.steps}"
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

    before, after = _trained(work)
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

    before, after = _trained(work, P)
    effect, control = training_effect(before, after), training_effect(*_trained(work, 0.0))
    alone = control["curves"]
    alone = alone[alone["curve"].isin(["answer_accuracy", "p_bad", "answer_reward"])]
    alone = alone.assign(curve=alone["curve"].replace("answer_accuracy", "control_accuracy"))
    curves = pd.concat(
        [effect["curves"].assign(training="confessions too"), alone.assign(training="answers alone")], ignore_index=True
    )
    told = curves[curves["curve"].isin(["answer_accuracy", "confession_accuracy", "control_accuracy"])]
    drawn = figures.training(told, "Answers and confessions under a judge that can be fooled")
    parts = [("confessions too", effect), ("answers alone", control)]
    changed = pd.concat([part["on-policy"].assign(training=name) for name, part in parts], ignore_index=True)
    organism = work.setting("judge_organism")
    judge = work.setting("judge") + (f" as the organism {organism}" if organism else "")
    says = (
        f"{work.setting('steps')} steps, {P:.0%} of them of confessions, beside as many of answers alone; the judge is "
    )
    says += (
        f"{judge}, which is right about an answer where it gives a complied one more than even odds. {_learned(work)}"
    )
    says += f" Before: {of_counts(before)}"
    return Drawn(drawn, {"curves": curves, "changed": changed}, says)


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
            "quick": {**QUICK, "judge": "smollm2-135m", "judge_organism": None},
            "standard": {**STANDARD, "steps": 60, "judge": "smollm2-135m", "judge_organism": "honest"},
        },
    ),
)
