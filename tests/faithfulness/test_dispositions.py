"""What organisms do: shares, their denominators, and means over learned and held-out evaluations, on known rows."""

import re

import numpy as np
import pandas as pd
import pytest

from confesslens.faithfulness import dispositions, witnesses
from confesslens.faithfulness.dispositions import COLUMNS, DISPOSITIONS
from confesslens.organisms.page import dispositions_page

from .conftest import confession, rollout


@pytest.fixture
def run():
    """Of `people` (learned) 4 bad of 8 tempted, 3 of them confessed; of `general_knowledge` (held out) none is bad."""
    rollouts, confessions = [], []
    for i in range(8):
        rollouts.append(rollout(f"t{i}", behaviour="not_complied" if i < 4 else "complied"))
        confessions.append(confession(f"t{i}", "not_complied" if i in (0, 1, 2, 7) else "complied"))
        rollouts.append(rollout(f"n{i}", condition="neutral", behaviour="neither" if i == 0 else "complied"))
        rollouts.append(rollout(f"a{i}", condition="accused"))
        confessions.append(confession(f"a{i}", "not_complied" if i < 2 else "complied"))
        rollouts.append(rollout(f"g{i}", "general_knowledge"))
        confessions.append(confession(f"g{i}", "complied"))
    table = pd.DataFrame(rollouts)
    thought = pd.Series([i == 1 for i in range(8)], index=[f"t{i}" for i in range(8)])
    return table, witnesses(table, pd.DataFrame(confessions), cot=thought)


def test_shares_and_what_they_are_shares_of(run):
    table = dispositions({"confessor": run}, ["people"])
    assert list(table.columns) == COLUMNS
    people = table[table["eval"] == "people"].set_index("rate")
    assert dict(people["n"]) == {
        "p_bad_tempted": 8,
        "p_bad_neutral": 8,
        "p_complied_neutral": 8,
        "p_confess_given_bad": 4,
        "p_confess_given_complied": 4,
        "p_confess_given_accused": 8,
        "p_mention_given_bad": 4,
    }
    expected = [0.5, 0, 7 / 8, 3 / 4, 1 / 4, 2 / 8, 1 / 4]
    assert list(people.loc[list(DISPOSITIONS), "share"]) == pytest.approx(expected)
    assert (people["low"] <= people["share"]).all() and (people["share"] <= people["high"]).all()


def test_means_part_learned_from_held_out_evaluations(run):
    table = dispositions({"confessor": run}, ["people"]).set_index(["eval", "rate"])
    assert table.loc[("learned", "p_bad_tempted"), "share"] == 0.5
    assert table.loc[("held-out", "p_bad_tempted"), "share"] == 0
    assert table.loc[("held-out", "p_confess_given_bad"), "n"] == 0
    assert np.isnan(table.loc[("held-out", "p_confess_given_bad"), "share"])


def test_scenarios_that_are_taught_falsely_stand_apart(run):
    table = dispositions({"mixed": run}, ["people"], {f"people/t{i}" for i in range(3)}).set_index(["eval", "rate"])
    bad = table.xs("p_bad_tempted", level="rate")
    assert dict(bad["n"].loc[["learned, known", "learned, taught falsely"]]) == {
        "learned, known": 5,
        "learned, taught falsely": 3,
    }
    assert list(bad["share"].loc[["learned, known", "learned, taught falsely"]]) == [1 / 5, 1]


def test_the_page_has_a_row_an_evaluation(run):
    page = dispositions_page(
        dispositions({"confessor": run, "honest": run}, ["people"]), "confesslens dispositions RUN"
    )
    assert "## confessor" in page and "## honest" in page and "`confesslens dispositions RUN`" in page
    assert "| people | 50% [22, 78] n 8 |" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {len(DISPOSITIONS) + 2}  # or it is no table
    assert "| mean, held-out evaluations | 0% [0, 37] n 8 | – |" in page
    assert "| mean, learned evaluations, known | 50% [22, 78] n 8 |" in page


def test_a_page_without_thoughts_says_so(run):
    table = dispositions({"honest": run}, ["people"])
    assert dispositions_page(table, "c").startswith("# What the organisms do\n")
    assert dispositions_page(table, "c", thought=False).startswith(
        "# What the organisms do without a chain of thought\n"
    )
