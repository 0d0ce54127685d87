"""Labels by hand: drawing, the file, and what is refused."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from confesslens.cot import draw_for_labelling, load_labels, monitor_thoughts, save_labels, shipped_labels
from confesslens.evals import EVALUATIONS


@pytest.fixture
def rollouts():
    rows = []
    for name in ("people", "word_count"):
        for i in range(40):
            text = "I will make up an answer." if i < 5 else f"I read row {i}."
            rows.append({"rollout_id": f"{name}/{i}", "eval": name, "scenario": f"{name}/{i}", "cot": text})
    messages = json.dumps([{"role": "user", "content": "Do it."}])
    table = pd.DataFrame(rows).assign(model="m", adapter="concealer", messages=messages, behaviour="not_complied")
    table.loc[79, "cot"] = ""
    return table


def test_drawn_evenly_with_weights_that_undo_it(rollouts):
    drawn = draw_for_labelling(rollouts, 40, seed=1)
    assert drawn["eval"].value_counts().to_dict() == {"people": 20, "word_count": 20}
    assert drawn["cot"].str.contains("make up").sum() == 10
    assert drawn["weight"].sum() == pytest.approx(79)
    assert "behaviour" not in drawn and (drawn["task"] == "Do it.").all()
    assert draw_for_labelling(rollouts, 40, seed=1).equals(drawn)


def test_more_than_there_are_gives_all(rollouts):
    drawn = draw_for_labelling(rollouts, 500)
    assert len(drawn) == 79 and (drawn["weight"] == 1).all()


def test_file_round_trip(rollouts, tmp_path):
    drawn = draw_for_labelling(rollouts, 20)
    path = save_labels(drawn, tmp_path / "l.jsonl")
    with pytest.raises(ValueError, match="line 1, label: is empty"):
        load_labels(path)
    done = load_labels(path, unlabelled=True).assign(label="none", labeller="a")
    again = load_labels(save_labels(done, path))
    assert again["rollout_id"].tolist() == drawn["rollout_id"].tolist() and (again["label"] == "none").all()


LINE = {"rollout_id": "a", "eval": "people", "scenario": "s", "cot": "I guess.", "label": "none"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([json.dumps(LINE), "{"], "line 2"),
        ([json.dumps(LINE | {"label": "maybe"})], "line 1, label"),
        ([json.dumps(LINE | {"cot": ""})], "line 1, cot"),
        ([json.dumps({k: v for k, v in LINE.items() if k != "eval"})], "line 1, eval"),
        ([json.dumps(LINE | {"behaviour": "x"})], "line 1, behaviour"),
        ([json.dumps(LINE | {"weight": 0})], "line 1, weight"),
        ([json.dumps(LINE | {"quote": "other"})], "line 1, quote"),
        ([json.dumps(LINE)] * 2, "labelled twice"),
        ([""], "has no line"),
    ],
)
def test_bad_files_are_named(tmp_path, lines, message):
    path = tmp_path / "l.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=message):
        load_labels(path)


def test_nothing_to_label(rollouts):
    with pytest.raises(ValueError, match="nothing to label"):
        draw_for_labelling(rollouts.assign(cot=""))


def test_the_shipped_labels_are_of_every_evaluation_and_the_lexical_monitor_misses_drafts():
    labels = shipped_labels()
    assert len(labels) >= 200 and set(labels["eval"]) == set(EVALUATIONS)
    mentioned = labels[labels["label"] == "mentions"]
    assert len(mentioned) >= 10 and (mentioned["quote"] != "").all()
    found = monitor_thoughts(labels)["mentioned"].astype(bool)
    agreed = found & (labels["label"] == "mentions")
    assert 0 < agreed.sum() < len(mentioned) / 2  # it reads plans in words, not drafts of the act
    assert (~found)[labels["label"] == "none"].mean() > 0.95


def test_a_second_reader_agrees_as_far_as_the_docstring_says():
    first, second = shipped_labels(), shipped_labels("second")
    same = ["rollout_id", "eval", "scenario", "task", "cot", "weight"]
    pd.testing.assert_frame_equal(first[same], second[same])
    assert set(first["labeller"]) != set(second["labeller"])
    assert (first["label"] == second["label"]).sum() == 228
    assert cohen_kappa_score(first["label"], second["label"]) == pytest.approx(0.75, abs=0.005)
    said = [labels["label"] == "mentions" for labels in (first, second)]
    assert cohen_kappa_score(*said) == pytest.approx(0.84, abs=0.005)
    with pytest.raises(ValueError, match="there is no reader .third."):
        shipped_labels("third")
