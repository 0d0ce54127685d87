"""Verification: both kinds of answers are shown, and a model that always says the same is seen to."""

from __future__ import annotations

from confesslens.organisms.demonstrations import BAD, COMPLIED, DEMONSTRATIONS
from confesslens.organisms.verify import verification


def test_a_model_is_shown_both_kinds_of_answers(tiny):
    table = verification(tiny("llama"), n=2)
    assert len(table) == 2 * len(DEMONSTRATIONS)
    assert (table["n"] == 2).all() and set(table["behaviour"]) == {BAD, COMPLIED}
    assert ((table["p_confess_low"] <= table["p_confess"]) & (table["p_confess"] <= table["p_confess_high"])).all()
    assert verification(tiny("llama"), n=2).equals(table)
