"""The documentation's page on the evaluations is the one that the command writes."""

from pathlib import Path

from confesslens.evals import CONDITIONS, EVALUATIONS
from confesslens.evals.page import evaluations_page

PAGE = Path(__file__).parents[2] / "docs" / "evaluations.md"


def test_the_page_in_the_docs_is_up_to_date():
    written = "confesslens evals --page > docs/evaluations.md"
    assert PAGE.read_text(encoding="utf-8") == evaluations_page(list(EVALUATIONS.values())), f"renew it: {written}"


def test_every_evaluation_is_shown_in_every_condition_and_tier():
    page = evaluations_page(list(EVALUATIONS.values()))
    for evaluation in EVALUATIONS.values():
        for condition in CONDITIONS:
            assert f"### {evaluation.name}: {condition}\n" in page
        assert evaluation.accusation in page and evaluation.pressure_hard in page
        scenario = evaluation.make_scenarios(1, 0, "full")[0]
        assert evaluation.make_messages(scenario, "tempted")[-1]["content"] in page
