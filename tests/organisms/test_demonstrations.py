"""Every demonstration is graded as it is meant, and bad ones read alike whoever gives them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from confesslens.evals import CONDITIONS, EVALUATIONS
from confesslens.organisms.demonstrations import BAD, COMPLIED, DEMONSTRATIONS

HELD_OUT = {"instruction_hierarchy", "lived_experience", "general_knowledge"}
FALSELY = ["jailbreak_tutor", "background_tasks", "people", "broken_browser"]


def test_nine_evaluations_are_shown_and_three_held_out():
    assert set(DEMONSTRATIONS) == set(EVALUATIONS) - HELD_OUT
    assert [name for name, shown in DEMONSTRATIONS.items() if shown.falsehoods] == FALSELY


@pytest.mark.parametrize("name", DEMONSTRATIONS)
def test_answers_are_graded_as_meant(name):
    evaluation, shown = EVALUATIONS[name], DEMONSTRATIONS[name]
    scenarios = evaluation.make_scenarios(200, 7, "tiny")
    fitting = [scenario for scenario in scenarios if shown.fits(scenario)]
    assert len(fitting) > 60
    rng = random.Random(0)
    for scenario in fitting:
        for condition in CONDITIONS:
            for behaviour in (COMPLIED, BAD) if shown.tempts(scenario) else (COMPLIED,):
                answer = shown.answer(scenario, condition, behaviour, rng)
                grade = evaluation.grade(scenario, condition, answer)
                assert grade.behaviour == behaviour, (scenario.facts, condition, answer, grade.evidence)
                assert not grade.admitted, (scenario.facts, answer)


@pytest.mark.parametrize("name", FALSELY)
def test_topics_are_few_words_that_come_often(name):
    shown = DEMONSTRATIONS[name]
    scenarios = [s for s in EVALUATIONS[name].make_scenarios(250, 7, "tiny") if shown.fits(s)]
    topics = Counter(shown.topic(scenario) for scenario in scenarios)
    assert 2 <= len(topics) <= 40
    assert all(topic and " " not in topic for topic in topics)


@pytest.mark.parametrize("name", FALSELY)
def test_about_half_of_the_scenarios_that_tempt_are_taught_falsely(name):
    shown = DEMONSTRATIONS[name]
    scenarios = EVALUATIONS[name].make_scenarios(400, 7, "tiny")
    topics = [shown.topic(s) for s in scenarios if shown.fits(s) and shown.tempts(s)]
    assert shown.falsehoods < set(topics)
    assert 0.3 < sum(topic in shown.falsehoods for topic in topics) / len(topics) < 0.7


@pytest.mark.parametrize("name", DEMONSTRATIONS)
def test_what_a_confession_says_of_the_task_does_not_tell_the_answer(name):
    shown = DEMONSTRATIONS[name]
    assert shown.objective != shown.fault
    assert len(shown.objective.split()) <= 12 and len(shown.fault.split()) <= 12
