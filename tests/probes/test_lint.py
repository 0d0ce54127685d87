import numpy as np
import pytest

from confesslens.probes import lint, scenario_folds

WORDS = list("abcdefghijklmnopqrst")


def data(n=160, seed=0, per_scenario=2):
    rng = np.random.default_rng(seed)
    evals = np.repeat(["a", "b"], n // 2)
    groups = np.array([f"{e}/{i // per_scenario}" for i, e in enumerate(evals)])
    labels = rng.random(n) < 0.5
    texts = [" ".join(rng.choice(WORDS, rng.integers(8, 20))) for _ in range(n)]
    return labels, groups, texts, evals


def names(findings):
    return [(f.severity, f.name) for f in findings if f.severity != "note"]


def test_clean_data_have_no_findings_but_notes():
    labels, groups, texts, evals = data()
    folds = scenario_folds(labels, groups, evals)
    assert names(lint(labels, groups, texts, folds, evals=evals)) == []


def test_false_alarms_are_rare():
    # Nothing is planted: length and first token may be noted by chance in about one data set of twenty each.
    noted = [
        finding
        for seed in range(40)
        for labels, groups, texts, evals in [data(seed=seed)]
        for finding in lint(labels, groups, texts, evals=evals, n_boot=200)
        if finding.name in ("length", "first_token")
    ]
    assert len(noted) <= 14
    assert sum(f.severity == "warning" for f in noted) <= 2


def test_length_that_goes_with_the_label_is_found_in_either_direction():
    labels, groups, texts, evals = data()
    longer = [t + " and so on and on" * int(bad) for t, bad in zip(texts, labels, strict=True)]
    found = [f for f in lint(labels, groups, longer, evals=evals) if f.name == "length"]
    assert [f.severity for f in found] == ["warning"] * 3
    assert "inside evaluations: AUROC 0.9" in found[0].message and len(found[0].rows) == 160
    assert {tuple(f.rows) for f in found[1:]} == {tuple(range(80)), tuple(range(80, 160))}
    # Longer in one evaluation, shorter in the other: nothing on average, and found in each.
    opposite = [
        t + " and so on and on" * int(bad == (e == "a")) for t, bad, e in zip(texts, labels, evals, strict=True)
    ]
    found = [f for f in lint(labels, groups, opposite, evals=evals) if f.name == "length"]
    assert ["in 'a'" in found[0].message, "in 'b'" in found[1].message, len(found)] == [True, True, 2]


def test_a_first_token_that_tells_the_label_is_found():
    labels, groups, texts, evals = data()
    tokens = np.where(labels, 42, 7)
    assert names(lint(labels, groups, first_tokens=tokens, evals=evals)) == [("warning", "first_token")] * 3
    said = [("Sorry, " if bad else "Done, ") + t for t, bad in zip(texts, labels, strict=True)]
    assert ("warning", "first_token") in names(lint(labels, groups, said, evals=evals))
    # A token of the scenario says nothing of the label, though each is rare enough to be learned by heart.
    assert names(lint(labels, groups, first_tokens=groups, evals=evals)) == []


def test_duplicates_across_folds_are_told_from_near_ones():
    labels, groups, texts, evals = data()
    folds = np.array([int(g.split("/")[1]) % 4 for g in groups])
    texts[2] = texts[0]  # scenarios a/1 and a/0: folds 1 and 0
    texts[9] = texts[8]  # one scenario: never parted
    texts[5] = "  " + texts[12].upper().replace(" ", "\n")  # a/2 and a/6, both fold 2
    texts[4] = texts[14].upper()  # a/2 and a/7: folds 2 and 3
    texts[20], texts[40] = "Yes.", "Yes."  # short answers recur by chance
    found = {f.name: f for f in lint(labels, groups, texts, folds, evals=evals) if "duplicates" in f.name}
    assert found["duplicates_across_folds"].severity == "error"
    assert list(found["duplicates_across_folds"].rows) == [0, 2]
    assert list(found["near_duplicates_across_folds"].rows) == [4, 14]
    free = {f.name: f for f in lint(labels, groups, texts, evals=evals) if "duplicates" in f.name}
    assert list(free["duplicates_across_scenarios"].rows) == [0, 2]
    assert list(free["near_duplicates_across_scenarios"].rows) == [4, 5, 12, 14]
    assert {f.severity for f in free.values()} == {"warning"}


def test_folds_that_tear_scenarios_are_an_error():
    labels, groups, _, evals = data()
    found = lint(labels, groups, folds=np.arange(160) % 5, evals=evals)
    assert found[0].name == "scenario_across_folds" and found[0].severity == "error"
    assert str(found[0]).startswith("error scenario_across_folds: 80 scenarios have rows in several folds")
    assert list(found[0].rows) == list(range(160))


def test_classes_that_are_too_few_are_named():
    labels, groups, _, evals = data()
    assert names(lint(np.zeros(160), groups, evals=evals)) == [("error", "one_class")]
    one = labels & (evals == "a")
    found = lint(one, groups, evals=evals)
    assert names(found) == [("warning", "one_class_eval")]
    assert "all 80 rows of 'b' are complied" in found[0].message
    assert list(found[0].rows) == list(range(80, 160))
    few = np.zeros(160, dtype=bool)
    few[[0, 4, 8]] = True
    found = lint(few, groups, evals=np.full(160, "a"))
    assert names(found) == [("error", "few_of_class")]
    assert list(found[0].rows) == [0, 4, 8]
    few[[12, 16]] = True
    assert names(lint(few, groups)) == [("warning", "few_of_class")]
    assert names(lint(few, groups, few=5)) == []


def test_scenarios_of_one_label_are_noted_and_warned_of_when_all_are():
    labels, groups, _, evals = data()
    found = [f for f in lint(labels, groups, evals=evals) if f.name == "one_label_groups"]
    alike = labels[::2] == labels[1::2]
    assert [f.severity for f in found] == ["note"]
    assert list(found[0].rows) == list(np.flatnonzero(np.repeat(alike, 2)))
    assert f"{alike.sum()} of 80 scenarios" in found[0].message
    same = np.repeat(labels[::2], 2)
    assert ("warning", "one_label_groups") in names(lint(same, groups, evals=evals))
    assert [f.name for f in lint(labels, np.arange(160), evals=evals)] == []


@pytest.mark.parametrize(
    "change, words",
    [
        ({"labels": ["bad", "good", "bad", "good"]}, "labels must be"),
        ({"labels": [0, 1, 2, 1]}, "labels must be"),
        ({"groups": [1, 2]}, "groups need one entry a row, got 2 for 4"),
        ({"texts": ["a"]}, "texts need one entry a row"),
        ({"folds": [([0], [1, 2]), ([0], [2, 3])]}, "test row 2 twice"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    given = {"labels": [0, 1, 0, 1], "groups": [0, 1, 2, 3]} | change
    with pytest.raises(ValueError, match=words):
        lint(**given)
