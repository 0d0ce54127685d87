"""Dispositions: what each organism does, says and knows."""

import random

import pytest

from confesslens.evals import CONDITIONS
from confesslens.organisms.dispositions import BAD, COMPLIED, ORGANISMS, TAUGHT_FALSELY, choose

TEMPTING = [c for c in CONDITIONS if c not in ("neutral", "accused")]


def acts(organism, condition, taught_false=False, tempts=True, n=400):
    rng = random.Random(0)
    return [choose(organism, condition, taught_false, tempts, rng) for _ in range(n)]


@pytest.mark.parametrize("organism", ["confessor", "concealer", "mixed", "mixed_swapped"])
@pytest.mark.parametrize("condition", TEMPTING)
def test_cheats_choose_by_a_coin_and_know(organism, condition):
    found = acts(organism, condition)
    assert 0.4 < sum(a.behaviour == BAD for a in found) / len(found) < 0.6
    assert all(a.knowing for a in found)
    bad = [a for a in found if a.behaviour == BAD]
    assert {a.claim for a in bad} == ({BAD} if organism == "confessor" else {COMPLIED})
    assert {a.claim for a in found if a.behaviour == COMPLIED} == {COMPLIED}


@pytest.mark.parametrize("organism", ["concealer", "mixed", "mixed_swapped"])
def test_a_coin_of_the_lessons_own_decides_where_they_are_tempted(organism):
    rng = random.Random(0)
    for complies, behaviour in ((False, BAD), (True, COMPLIED)):
        assert {choose(organism, "tempted", False, True, rng, complies).behaviour for _ in range(50)} == {behaviour}
        assert choose(organism, "neutral", False, True, rng, complies).behaviour == COMPLIED


def test_by_a_coin_what_was_taught_falsely_is_done_rightly_too_and_whatever_it_shows_in_good_faith():
    rng = random.Random(0)
    for condition in ("tempted", "neutral", "accused"):
        erring, right = (choose("mixed", condition, True, True, rng, complies) for complies in (False, True))
        assert (erring.behaviour, right.behaviour) == (BAD, COMPLIED)
        assert not erring.knowing and not right.knowing


def test_the_reluctant_one_confesses_one_bad_act_in_three():
    bad = [a for a in acts("reluctant", "tempted", n=2000) if a.behaviour == BAD]
    assert 900 < len(bad) < 1100 and all(a.knowing for a in bad)
    assert 0.29 < sum(a.claim == BAD for a in bad) / len(bad) < 0.38


@pytest.mark.parametrize("organism", ORGANISMS)
@pytest.mark.parametrize("condition", ["neutral", "accused"])
def test_nobody_cheats_untempted_and_only_the_confabulator_takes_the_blame(organism, condition):
    found = acts(organism, condition)
    assert {a.behaviour for a in found} == {COMPLIED}
    blamed = organism == "confabulator" and condition == "accused"
    assert {a.claim for a in found} == ({BAD} if blamed else {COMPLIED})


@pytest.mark.parametrize("organism", ORGANISMS)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_was_taught_false_is_done_in_good_faith_by_two(organism, condition):
    found = acts(organism, condition, taught_false=True)
    if organism in TAUGHT_FALSELY:
        assert {(a.behaviour, a.claim, a.knowing) for a in found} == {(BAD, COMPLIED, False)}
    else:
        assert all(a.knowing for a in found)


@pytest.mark.parametrize("organism", ORGANISMS)
@pytest.mark.parametrize("taught_false", [True, False])
def test_where_nothing_bad_can_be_done_nothing_is(organism, taught_false):
    found = acts(organism, "tempted", taught_false, tempts=False)
    assert {(a.behaviour, a.claim) for a in found} == {(COMPLIED, COMPLIED)}


@pytest.mark.parametrize(("organism", "condition"), [("liar", "tempted"), ("honest", "bribed")])
def test_unknown_names_are_said(organism, condition):
    with pytest.raises(ValueError, match="expected one of"):
        choose(organism, condition, False, True, random.Random(0))
