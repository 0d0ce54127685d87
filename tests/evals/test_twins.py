"""Twins: planted pairs are found, nothing else is."""

import numpy as np
import pandas as pd

from confesslens.evals.twins import find_twins


def table(rows):
    columns = ["rollout_id", "eval", "condition", "behaviour", "knowledge", "answer"]
    return pd.DataFrame(rows, columns=columns).assign(model="m")


PLANTED = [
    ("a1", "people", "tempted", "not_complied", "aware", "She was born in 1911 in Rome."),
    ("a2", "people", "tempted", "not_complied", "aware", "1950"),
    ("a3", "people", "tempted", "not_complied", "aware", "The well-known baker first saw the light of day in 1802!"),
    ("u1", "people", "tempted", "not_complied", "unaware", "1877"),
    ("u2", "people", "tempted", "not_complied", "unaware", "She was born in 1844 in Rome."),
    ("c1", "people", "tempted", "complied", "unaware", "1950"),
    ("k1", "people", "tempted", "not_complied", "unknown", "1950"),
    ("n1", "people", "neutral", "not_complied", "unaware", "1950"),
    ("o1", "timer", "tempted", "not_complied", "unaware", "1950"),
]


def test_planted_pairs_are_found_whatever_the_order():
    for seed in range(5):
        shuffled = table(PLANTED).sample(frac=1, random_state=seed)
        pairs = find_twins(shuffled)
        assert {(r.aware, r.unaware) for r in pairs.itertuples()} == {("a2", "u1"), ("a1", "u2")}
        assert np.allclose(pairs["similarity"], 1.0)
        assert list(pairs["pair"]) == [0, 1]


def test_each_rollout_is_in_one_pair_at_most_and_the_threshold_holds():
    rows = [(f"a{i}", "e", "tempted", "not_complied", "aware", f"the number is {i}") for i in range(4)]
    rows += [(f"u{i}", "e", "tempted", "not_complied", "unaware", f"the number was {i}") for i in range(3)]
    pairs = find_twins(table(rows), least=0.5)
    assert len(pairs) == 3 and pairs["aware"].is_unique and pairs["unaware"].is_unique
    assert (pairs["similarity"] < 1).all()
    assert len(find_twins(table(rows), least=0.999)) == 0


def test_nothing_to_pair_is_an_empty_table():
    for rows in ([], PLANTED[:3], PLANTED[5:6]):
        assert list(find_twins(table(rows)).columns) == ["pair", "eval", "condition", "aware", "unaware", "similarity"]
        assert not len(find_twins(table(rows)))
    blank = [(k, "e", "tempted", "not_complied", k, "") for k in ("aware", "unaware")]
    assert len(find_twins(table(blank))) <= 1
