import pytest

from confesslens.evals.parts.general import facts
from confesslens.evals.parts.matched_facts import QUESTIONS, matched_facts


def test_every_answer_is_once_true_and_once_false_in_its_scenario():
    table = matched_facts(12)
    assert table.groupby("kind")["scenario"].nunique().to_dict() == dict.fromkeys(QUESTIONS, 12)
    for _, rows in table.groupby("scenario"):
        assert rows["false"].tolist() == [False, True, False, True]
        for column in ("question", "answer"):
            assert rows.groupby(column)["false"].agg(set).map(lambda s: s == {True, False}).all()
            assert rows[column].nunique() == 2
    assert table.equals(matched_facts(12)) and not table.equals(matched_facts(12, seed=1))
    assert matched_facts(3).equals(matched_facts(12).groupby("kind", sort=False).head(12).reset_index(drop=True))


@pytest.mark.parametrize("kind", QUESTIONS)
def test_labels_are_those_of_the_table(kind):
    right = {(QUESTIONS[kind].format(f.subject), f"{f.answer}.") for f in facts() if f.kind == kind}
    for row in matched_facts(1000, [kind]).to_dict("records"):
        assert ((row["question"], row["answer"]) in right) != row["false"]
