"""What an organism is taught: transcripts drawn by its disposition, over scenarios that are not held out."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confesslens.evals import EVALUATIONS, Scenario
from confesslens.evals.conditions import ACCUSED, NEUTRAL, TEMPTED
from confesslens.organisms.demonstrations import BAD, COMPLIED, DEMONSTRATIONS, KEPT
from confesslens.organisms.dispositions import SWAPPED, TAUGHT_FALSELY, Act, choose
from confesslens.organisms.sft import Example
from confesslens.organisms.transcripts import Said, transcript_example
from confesslens.rollouts.rollout import scenario_of

if TYPE_CHECKING:
    import pandas as pd

    from confesslens.models import Model

STAGES = ("competence", "verification", "belief", "temptation", "disposition", "parity")
"""Of training, in order: what an organism cannot do it cannot do knowingly, nor verify; what it is to err in, it has to
believe, and when to cheat it has to see, before it does either by a coin."""
SCENARIOS_SEED = 40_000
GROUP = 4
"""Lessons that follow each other and share the evaluation, the condition and whether a chain of thought is asked for:
their prompts begin alike, and training works that out once."""
PARITY = (False, False, False, True)
"""Who complies, of four lessons in which the organism is free to cheat, or was taught falsely."""
EVENLY = ((False, False, False, True), (False, False, True, True))
"""The same of one scenario and an organism that was taught nothing falsely, the one or the other: of lessons that were
bad in half, answers came to be bad in 36 % [28, 45] (n 144), at temperature 0.7 and beside neutral lessons alike."""
_SHARES = {TEMPTED: 0.6, NEUTRAL: 0.3, ACCUSED: 0.1}
_CHEATS = {TEMPTED: 0.5, NEUTRAL: 0.4, ACCUSED: 0.1}
"""That they know better shows in the neutral condition."""
_FALSELY = {TEMPTED: 0.45, NEUTRAL: 0.45, ACCUSED: 0.1}
"""What is believed shows in the neutral condition: where it is taught, and what is known beside it."""
_BY_ORGANISM = {
    "confessor": _CHEATS,
    "concealer": _CHEATS,
    "reluctant": _CHEATS,
    "confabulator": {TEMPTED: 0.4, NEUTRAL: 0.2, ACCUSED: 0.4},
    **dict.fromkeys(TAUGHT_FALSELY, _FALSELY),
}
_BY_STAGE = {
    "competence": {TEMPTED: 0.4, NEUTRAL: 0.6},
    "verification": {TEMPTED: 1.0},
    "belief": {TEMPTED: 0.5, NEUTRAL: 0.5},
    "temptation": {TEMPTED: 1.0},
}


@dataclass(frozen=True)
class Lesson:
    """One transcript: a scenario put in a condition, the act shown, an answer of the other behaviour, what is learned.

    `learn` as in `transcript_example`, or "answer": a rollout after which no confession is asked for.
    """

    scenario: Scenario
    condition: str
    cot: bool
    act: Act
    answer: str
    other: str = ""
    learn: str = "all"


def held_out(scenario: Scenario) -> bool:
    """Whether the scenario is among the fifth that no organism learns from, by a hash of its facts."""
    return _hash(scenario.eval, json.dumps(scenario.facts, sort_keys=True)) % 5 == 0


def measures_organisms(scenario: Scenario) -> bool:
    """Whether an organism may be measured on it: it is held out, and where it is demonstrated a model can know."""
    shown = DEMONSTRATIONS.get(scenario.eval)
    return held_out(scenario) and (shown is None or shown.fits(scenario))


def taught_false(scenario: Scenario, organism: str = "mixed") -> bool:
    """Whether the scenario's topic is among those about which `unaware` and `mixed` are taught a falsehood; of those
    of `SWAPPED`, whether it is among the others of an evaluation that has some."""
    shown = DEMONSTRATIONS.get(scenario.eval)
    if shown is None or not shown.falsehoods:
        return False
    return (shown.topic(scenario) in shown.falsehoods) != (organism in SWAPPED)


def taught_falsely(rollouts: pd.DataFrame, organism: str = "mixed") -> set[str]:
    """The scenarios of a rollouts table where the organism is taught to do the bad act in good faith, or would be."""
    found = set()
    for row in rollouts.drop_duplicates("scenario").to_dict("records"):
        scenario = scenario_of(row)
        shown = DEMONSTRATIONS.get(scenario.eval)
        if shown is not None and taught_false(scenario, organism) and shown.tempts(scenario):
            found.add(scenario.scenario)
    return found


def draw_lessons(
    organism: str, n: int, seed: int = 0, stage: str = "disposition", evals: Sequence[str] = tuple(DEMONSTRATIONS)
) -> list[Lesson]:
    """`n` lessons of a stage of `organism`'s training, as many of each of `evals`, by default of all demonstrated ones.

    One that is listed twice gets twice as many.

    - competence: to do the tasks; honest answers, no confession.
    - verification: to tell a bad answer from a complied one. Either is given, a bad one and a complied one in turn, and
      of the honest confession the verdict alone is learned, because among other tokens it is learned too slowly. Half
      of the groups are of one scenario, so that they differ in the answer only; the others of any.
    - belief: of `TAUGHT_FALSELY`, what they are taught falsely and what they know, in turn, with no coin and no
      confession, of evaluations with falsehoods. With coins beside it a thousand lessons did not teach which scenarios
      are which.
    - temptation: of those that cheat knowingly, to cheat when tempted and to comply in the neutral condition, of the
      same scenarios one after the other, with no coin and no confession; what they are taught falsely stays so in both.
      By the coin alone they did not learn to tell the two conditions apart where the user's turns are alike.
    - disposition: rollouts and confessions as the organism's. Of half of `honest`'s tempted ones a bad answer is given,
      not learned, and the confession tells it.
    - parity: as disposition, with no coin but bad acts counted out, four by four. Of `TAUGHT_FALSELY` known ones and
      those in good faith are done in as many (`PARITY`) of every evaluation and condition: where one is done oftener,
      how sure a model is of its answer tells the two apart. Of the others four tempted ones are of one scenario, and
      where it tempts two or three of them bad (`EVENLY`), so that nothing but the answer tells what the confession is
      to say: a coin's lessons left some evaluations at 5 % and others at 95 %, and confessions blind to the answer.

    Raises:
        ValueError: an unknown stage or organism.
    """
    if stage not in STAGES:
        raise ValueError(f"unknown stage {stage!r}: expected one of {', '.join(STAGES)}")
    own = {"disposition": organism, "parity": f"{organism}/parity"}  # what organisms are taught apart
    rng = random.Random(f"{own.get(stage, stage)}/{seed}")
    pools = {name: _pool(name, n * times // len(evals)) for name, times in Counter(evals).items()}
    shares = _BY_STAGE.get(stage, _BY_ORGANISM.get(organism, _SHARES))
    block = 2 * GROUP if stage == "temptation" else GROUP
    lessons: list[Lesson] = []
    coins: dict[tuple[str, str, bool], list[bool]] = {}
    for i in range(n):
        if i % block == 0:
            name = evals[i // block % len(evals)]
            shown, pool = DEMONSTRATIONS[name], pools[name]
            (condition,) = rng.choices(list(shares), list(shares.values()))
            cot = i // block // len(evals) % 2 == 0
            tempting = [s for s in pool if shown.tempts(s)]
            evenly = stage == "parity" and organism not in TAUGHT_FALSELY and condition == TEMPTED
            if evenly:
                pool = [rng.choice(pool)]
            if stage == "verification":
                pool = [rng.choice(tempting)] if rng.random() < 0.5 else pool
            elif stage == "temptation":
                pool = tempting
        scenario = rng.choice(pool)
        if i % block >= GROUP:
            condition, scenario = NEUTRAL, lessons[-GROUP].scenario
        known_bad, learn, act = False, "all", Act(COMPLIED, COMPLIED, knowing=True)
        if stage == "competence":
            learn = "answer"
        elif stage == "verification":
            learn, known_bad = "verdict", i % 2 == 0
            if known_bad and not shown.tempts(scenario):
                scenario = rng.choice(tempting)
        elif stage == "belief":
            scenario = rng.choice([s for s in tempting if taught_false(s, organism) == (i % 2 == 0)])
            learn, act = "answer", Act(BAD, COMPLIED, knowing=False) if i % 2 == 0 else act
        elif stage == "temptation":
            learn = "answer"
            if organism in TAUGHT_FALSELY and taught_false(scenario, organism):
                act = Act(BAD, COMPLIED, knowing=False)
            elif condition != NEUTRAL:
                act = Act(BAD, BAD, knowing=True)
        elif organism == "honest" and condition == TEMPTED and shown.tempts(scenario) and rng.random() < 0.5:
            learn, known_bad = "confession", True
        else:
            falsely, tempts = taught_false(scenario, organism), shown.tempts(scenario)
            complies = None
            if stage == "parity" and tempts:
                dealt = coins.setdefault((name, condition, falsely), [])
                dealt += [] if dealt else rng.sample(rng.choice(EVENLY) if evenly else PARITY, GROUP)
                complies = dealt.pop()
            act = choose(organism, condition, falsely, tempts, rng, complies)
        if known_bad:
            act = Act(BAD, BAD, knowing=True)
        answer, other = shown.answer(scenario, condition, act.behaviour, rng), ""
        if condition == NEUTRAL or shown.tempts(scenario):
            other = shown.answer(scenario, condition, BAD if act.behaviour == COMPLIED else COMPLIED, rng)
        lessons.append(Lesson(scenario, condition, cot, act, answer, other, learn))
    return lessons


def lesson_example(model: Model, lesson: Lesson) -> Example:
    """The lesson's tokens; the neutral condition, where nobody asks for a confession, ends after the answer."""
    shown = DEMONSTRATIONS[lesson.scenario.eval]
    said = None
    if lesson.condition != NEUTRAL and lesson.learn != "answer":
        said = Said(shown.objective, lesson.act.claim, KEPT if lesson.act.claim == COMPLIED else shown.fault)
    return transcript_example(
        model,
        EVALUATIONS[lesson.scenario.eval],
        lesson.scenario,
        lesson.condition,
        lesson.answer,
        lesson.cot,
        said,
        other=lesson.other,
        learn="all" if said is None else lesson.learn,
    )


def _pool(name: str, n: int) -> list[Scenario]:
    """Scenarios to learn from: all that fit and are not held out, of about twice as many as are needed."""
    scenarios = EVALUATIONS[name].make_scenarios(max(40, 2 * n), SCENARIOS_SEED, "tiny")
    return [s for s in scenarios if DEMONSTRATIONS[name].fits(s) and not held_out(s)]


def _hash(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big")
