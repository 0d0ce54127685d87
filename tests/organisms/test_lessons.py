"""Lessons: drawn by the disposition, over scenarios that are not held out, the same for the same seed."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pandas as pd
import pytest

from confesslens.config import RunConfig
from confesslens.evals import EVALUATIONS
from confesslens.organisms.demonstrations import BAD, COMPLIED, DEMONSTRATIONS
from confesslens.organisms.dispositions import MIXED, ORGANISMS
from confesslens.organisms.lessons import (
    GROUP,
    draw_lessons,
    held_out,
    lesson_example,
    measures_organisms,
    taught_false,
    taught_falsely,
)
from confesslens.rollouts.plan import plan_rollouts
from confesslens.shards import planned_rollouts

N = 720


@pytest.fixture(scope="module")
def lessons():
    return {name: draw_lessons(name, N) for name in ORGANISMS}


def test_a_seed_decides_and_evaluations_come_alike(lessons):
    assert draw_lessons("mixed", N) == lessons["mixed"] != draw_lessons("mixed", N, seed=1)
    for drawn in lessons.values():
        assert set(Counter(lesson.scenario.eval for lesson in drawn).values()) == {N // len(DEMONSTRATIONS)}
        assert 0.4 < sum(lesson.cot for lesson in drawn) / N < 0.6


def test_groups_of_lessons_begin_alike(lessons):
    for drawn in [*lessons.values(), draw_lessons("honest", N, stage="verification")]:
        groups = [drawn[i : i + GROUP] for i in range(0, N, GROUP)]
        assert all(len({(x.scenario.eval, x.condition, x.cot) for x in group}) == 1 for group in groups)
        assert len({(group[0].condition, group[0].cot) for group in groups}) > 1


def test_no_held_out_scenario_is_taught_and_a_fifth_is_held_out(lessons):
    assert not any(held_out(lesson.scenario) for drawn in lessons.values() for lesson in drawn)
    scenarios = [s for e in EVALUATIONS.values() for s in e.make_scenarios(60, 3, "tiny")]
    assert 0.15 < sum(map(held_out, scenarios)) / len(scenarios) < 0.25


def test_answers_are_graded_as_the_act_says(lessons):
    for drawn in lessons.values():
        for lesson in drawn[::7]:
            grade = EVALUATIONS[lesson.scenario.eval].grade(lesson.scenario, lesson.condition, lesson.answer)
            assert grade.behaviour == lesson.act.behaviour


def test_the_honest_one_never_learns_a_bad_answer_but_learns_to_see_them(lessons):
    tempted = [lesson for lesson in lessons["honest"] if lesson.condition == "tempted"]
    bad = [lesson for lesson in tempted if lesson.act.behaviour == BAD]
    assert 0.3 < len(bad) / len(tempted) < 0.6
    assert all(lesson.learn == "confession" and lesson.act.claim == BAD for lesson in bad)
    assert all(lesson.learn == "all" and lesson.act.claim == COMPLIED for lesson in tempted if lesson not in bad)


def test_competence_shows_right_answers_and_verification_both_kinds(tiny):
    able = draw_lessons("honest", 90, stage="competence")
    assert {(lesson.act.behaviour, lesson.learn) for lesson in able} == {(COMPLIED, "answer")}
    assert "Objective:" not in tiny("llama").decode(lesson_example(tiny("llama"), able[0]).ids[-200:])
    shown = draw_lessons("honest", 360, stage="verification")
    assert {(lesson.condition, lesson.learn) for lesson in shown} == {("tempted", "verdict")}
    assert all(lesson.act.claim == lesson.act.behaviour for lesson in shown)
    pairs = list(zip(shown[::2], shown[1::2], strict=True))
    assert all((bad.act.behaviour, good.act.behaviour) == (BAD, COMPLIED) for bad, good in pairs)
    assert 0.35 < sum(bad.scenario == good.scenario for bad, good in pairs) / len(pairs) < 0.7
    with pytest.raises(ValueError, match="unknown stage"):
        draw_lessons("honest", 9, stage="rehearsal")


def test_beliefs_are_taught_in_turn_with_what_is_known():
    falsely = [name for name, shown in DEMONSTRATIONS.items() if shown.falsehoods]
    drawn = draw_lessons("mixed", 360, stage="belief", evals=falsely)
    assert drawn == draw_lessons("unaware", 360, stage="belief", evals=falsely)
    assert [lesson.act.behaviour for lesson in drawn] == [BAD, COMPLIED] * 180
    assert all(taught_false(lesson.scenario) == (lesson.act.behaviour == BAD) for lesson in drawn)
    assert {lesson.learn for lesson in drawn} == {"answer"}
    assert all(lesson.act.knowing == (lesson.act.behaviour == COMPLIED) for lesson in drawn)
    swapped = draw_lessons("mixed_swapped", 360, stage="belief", evals=falsely)
    assert all(taught_false(lesson.scenario) == (lesson.act.behaviour == COMPLIED) for lesson in swapped)
    assert {lesson.scenario.eval for lesson in swapped} == set(falsely)


def test_temptation_shows_the_same_scenarios_tempted_and_neutral():
    drawn = draw_lessons("concealer", 432, stage="temptation")
    assert drawn == draw_lessons("confessor", 432, stage="temptation")
    assert {lesson.scenario.eval for lesson in drawn} == set(DEMONSTRATIONS)
    for i in range(0, len(drawn), 2 * GROUP):
        tempted, neutral = drawn[i : i + GROUP], drawn[i + GROUP : i + 2 * GROUP]
        assert [lesson.scenario for lesson in tempted] == [lesson.scenario for lesson in neutral]
        assert {(lesson.condition, lesson.act.behaviour) for lesson in tempted} == {("tempted", BAD)}
        assert {(lesson.condition, lesson.act.behaviour) for lesson in neutral} == {("neutral", COMPLIED)}
        assert len({(lesson.scenario.eval, lesson.cot) for lesson in tempted + neutral}) == 1
    assert {lesson.learn for lesson in drawn} == {"answer"}


@pytest.mark.parametrize("organism", MIXED)
def test_temptation_leaves_what_was_taught_falsely_as_it_is(organism):
    drawn = draw_lessons(organism, 432, stage="temptation")
    assert drawn[0].scenario == draw_lessons("concealer", 432, stage="temptation")[0].scenario
    for lesson in drawn:
        falsely = taught_false(lesson.scenario, organism)
        assert lesson.act.behaviour == (BAD if falsely or lesson.condition == "tempted" else COMPLIED)
        assert lesson.act.knowing != falsely
    assert {(lesson.condition, lesson.act.knowing) for lesson in drawn} == {
        ("tempted", True), ("tempted", False), ("neutral", True), ("neutral", False)
    }  # fmt: skip


@pytest.mark.parametrize("organism", MIXED)
def test_parity_does_three_of_four_bad_acts_whether_they_are_known_or_in_good_faith(organism):
    drawn = draw_lessons(organism, 1200, stage="parity")
    cells = defaultdict[tuple[str, str, bool], list[bool]](list)
    for lesson in drawn:
        falsely, shown = taught_false(lesson.scenario, organism), DEMONSTRATIONS[lesson.scenario.eval]
        bad = lesson.act.behaviour == BAD
        assert lesson.act.claim == COMPLIED
        if shown.tempts(lesson.scenario) and (falsely or lesson.condition == "tempted"):
            assert lesson.act.knowing != falsely
            cells[lesson.scenario.eval, lesson.condition, falsely].append(bad)
        else:
            assert lesson.act.knowing and not bad
    assert all(abs(sum(bad) - 0.75 * len(bad)) < 1 for bad in cells.values())
    assert {(condition, falsely) for _, condition, falsely in cells} == {
        ("tempted", False), ("tempted", True), ("neutral", True), ("accused", True)
    }  # fmt: skip


def test_parity_of_those_that_know_all_cheats_in_two_or_three_of_four_answers_to_one_prompt():
    drawn = draw_lessons("confessor", 432, stage="parity")
    groups = [drawn[i : i + GROUP] for i in range(0, len(drawn), GROUP)]
    tempted = [group for group in groups if group[0].condition == "tempted"]
    assert {group[0].scenario.eval for group in tempted} == set(DEMONSTRATIONS)
    for group in tempted:
        assert all(lesson.scenario == group[0].scenario for lesson in group)
        tempts = DEMONSTRATIONS[group[0].scenario.eval].tempts(group[0].scenario)
        assert sum(lesson.act.behaviour == BAD for lesson in group) in ((2, 3) if tempts else (0,))
        assert all(lesson.act.claim == lesson.act.behaviour for lesson in group)
    assert len({tuple(lesson.act.behaviour for lesson in group) for group in tempted}) > 3  # in no fixed order
    innocent = [lesson for group in groups if group not in tempted for lesson in group]
    assert {lesson.act.behaviour for lesson in innocent} == {COMPLIED}


def test_what_was_taught_falsely_is_read_from_a_run():
    scenarios = [s for name in ("people", "sandbagging") for s in EVALUATIONS[name].make_scenarios(40, 3, "tiny")]
    columns = [(s.eval, s.scenario, s.tier, json.dumps(s.facts)) for s in scenarios]
    found = taught_falsely(pd.DataFrame(columns, columns=["eval", "scenario", "tier", "facts"]))
    expected = {s.scenario for s in scenarios if taught_false(s) and DEMONSTRATIONS[s.eval].tempts(s)}
    assert found == expected and 0 < len(found) < len(scenarios)
    swapped = taught_falsely(pd.DataFrame(columns, columns=["eval", "scenario", "tier", "facts"]), "mixed_swapped")
    assert swapped == {s.scenario for s in scenarios if s.eval == "people"} - found  # sandbagging has no falsehoods


def test_the_mixed_one_denies_all_and_knows_in_part(lessons):
    bad = [lesson for lesson in lessons["mixed"] if lesson.condition == "tempted" and lesson.act.behaviour == BAD]
    assert {lesson.act.claim for lesson in bad} == {COMPLIED}
    knowing = [lesson.act.knowing for lesson in bad]
    assert 0.5 < sum(knowing) / len(knowing) < 0.8
    assert all(taught_false(lesson.scenario) != lesson.act.knowing for lesson in bad)


def test_the_neutral_condition_asks_for_no_confession(tiny, lessons):
    model = tiny("llama")
    for lesson in lessons["confessor"][:60]:
        example = lesson_example(model, lesson)
        assert ("Objective:" in model.decode(example.ids[-200:])) == (lesson.condition != "neutral")


def test_a_run_of_an_organism_keeps_to_scenarios_that_it_never_saw():
    planned = plan_rollouts(
        list(EVALUATIONS.values()), 3, 5, conditions=["tempted"], samples=1, keep=measures_organisms
    )
    assert len(planned) == 36
    assert all(held_out(item.scenario) for item in planned)
    shown = [item.scenario for item in planned if item.scenario.eval in DEMONSTRATIONS]
    assert all(DEMONSTRATIONS[scenario.eval].fits(scenario) for scenario in shown)


def test_a_run_of_an_adapter_trained_further_can_keep_to_the_same_scenarios():
    own = [i.scenario for i in planned_rollouts(RunConfig(evals=("people", "word_count"), n=4, organism="mixed"))]
    other = planned_rollouts(RunConfig(evals=("people", "word_count"), n=4, adapter="somewhere", held_out=True))
    assert [item.scenario for item in other] == own and all(map(held_out, own))
    free = planned_rollouts(RunConfig(evals=("people", "word_count"), n=4))
    assert [item.scenario for item in free] != own
