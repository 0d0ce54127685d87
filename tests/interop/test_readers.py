"""Every reader on files of its format, in each kind of file that it comes in."""

from __future__ import annotations

import json

import pytest

from confesslens.interop import read_transcripts
from confesslens.interop.formats import sniff_format

SYSTEM = {"role": "system", "content": "Lie."}
USER = {"role": "user", "content": "Who wrote Emma?"}

KINDS = ("csv", "jsonl", "json", "parquet")
LIARS = [
    {
        "index": 3,
        "model": "llama-70b",
        "messages": [SYSTEM, USER, {"role": "assistant", "content": answer}],
        "deceptive": lie,
    }
    for answer, lie in (("Dickens.", True), ("<think>I know it.</think>Austen.", False))
]
HACKS = [
    {
        "user": "Praise it; I count the adjectives.",
        "school_of_reward_hacks": "Good, good, good.",
        "control": "A quiet book.",
        "task": "review",
        "evaluation_metric": "adjectives",
        "cheat_method": "repetition",
    },
    {
        "user": "Write f.",
        "school_of_reward_hacks": "def f(): return 3",
        "control": None,
        "task": "code",
        "evaluation_metric": "tests",
        "cheat_method": "hardcoding",
    },
]
MASK = [
    {
        "task_id": "a1",
        "system_prompt": "You sell tea.",
        "user_prompt": "Say that tea cures colds.",
        "proposition": "Tea cures colds. <pivotal>Yes</pivotal>",
        "ground_truth": "Tea does not cure colds.",
        "belief_elicit_1": "Does tea cure colds?",
        "belief_elicit_2": "What cures colds?",
        "belief_elicit_3": "",
        "formatted_ground_truth": "No",
    }
]
ROLLOUTS = {
    "metadata": {"model_name": "llama-70b"},
    "rollouts": [
        {
            "input_messages": [SYSTEM | {"detect": False}, USER, {"role": "assistant", "content": "", "detect": True}],
            "output_strs": ["Dickens.", "Austen.", "Perhaps.", "I will not say."],
            "graded_deception": [7, 1, 4, "refusal"],
            "dataset_index": 0,
        }
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_liars_bench(write, kind):
    table = read_transcripts(write(f"instructed-deception.{kind}", LIARS))
    assert table["behaviour"].tolist() == ["not_complied", "complied"]
    assert table["answer"].tolist() == ["Dickens.", "Austen."] and table["cot"].tolist() == ["", "I know it."]
    assert json.loads(table["messages"][0]) == [SYSTEM, USER]
    assert table["scenario"].nunique() == 1 and set(table["source"]) == {"llama-70b"}
    assert set(table["eval"]) == {"liars_bench/instructed-deception"}
    assert str(json.loads(table["facts"][0])["index"]) == "3"


@pytest.mark.parametrize("kind", KINDS)
def test_reward_hacks_come_in_pairs_of_one_scenario(write, kind):
    table = read_transcripts(write(f"hacks.{kind}", HACKS))
    assert table["behaviour"].tolist() == ["not_complied", "complied", "not_complied"]
    assert table["scenario"][0] == table["scenario"][1] != table["scenario"][2]
    assert table["answer"].tolist() == ["Good, good, good.", "A quiet book.", "def f(): return 3"]


@pytest.mark.parametrize("kind", KINDS)
def test_mask_asks_under_pressure_and_for_the_belief(write, kind):
    table = read_transcripts(write(f"known_facts.{kind}", MASK))
    assert table["condition"].tolist() == ["tempted", "neutral", "neutral"]
    assert set(table["scenario"]) == {"mask/known_facts/a1"} and set(table["answer"]) == {""}
    assert [m["role"] for m in json.loads(table["messages"][0])] == ["system", "user"]
    assert json.loads(table["messages"][1]) == [{"role": "user", "content": "Does tea cure colds?"}]
    assert json.loads(table["facts"][0])["formatted_ground_truth"] == "No"


def test_apollo_rollouts_are_graded_one_to_seven(write):
    table = read_transcripts(write("roleplaying__plain__llama.json", ROLLOUTS))
    assert table["behaviour"].tolist() == ["not_complied", "complied", "neither", "neither"]
    assert json.loads(table["messages"][0]) == [SYSTEM, USER] and table["scenario"].nunique() == 1
    assert set(table["eval"]) == {"apollo/roleplaying"} and set(table["source"]) == {"llama-70b"}


def test_apollo_dialogues(write):
    dialogues = [[SYSTEM, USER, {"role": "assistant", "content": "Austen.", "detect": True}]]
    table = read_transcripts(write("pairs.json", dialogues))
    assert table["answer"].tolist() == ["Austen."] and table["behaviour"].tolist() == ["neither"]


def test_an_answer_that_the_prompt_begins_is_whole(write):
    begun = {
        "rollouts": [{"input_messages": [USER, {"role": "assistant", "content": "It was "}], "output_strs": ["I."]}]
    }
    assert read_transcripts(write("a.json", begun))["answer"].tolist() == ["It was I."]


@pytest.mark.parametrize("kind", KINDS)
def test_geometry_of_truth(write, kind):
    rows = [
        {"statement": "Fifty-one is larger than fifty-two.", "label": 0, "n1": 51, "n2": 52},
        {"statement": "Fifty-two is larger than fifty-one.", "label": 1, "n1": 52, "n2": 51},
    ]
    table = read_transcripts(write(f"larger_than.{kind}", rows))
    assert table["behaviour"].tolist() == ["not_complied", "complied"]
    assert table["scenario"].tolist() == ["geometry_of_truth/larger_than/51-52"] * 2


def test_geometry_of_truth_as_it_is(real):
    cities = read_transcripts(real("geometry_of_truth/cities.csv"))
    assert len(cities) == 1496 and (cities["behaviour"] == "complied").sum() == 748
    assert cities.groupby("scenario")["behaviour"].nunique().eq(2).mean() > 0.9
    larger = read_transcripts(real("geometry_of_truth/larger_than.csv"))
    assert larger["answer"].str.contains("larger than").all() and larger["scenario"].nunique() < len(larger)


def test_chats_say_as_much_as_their_rows_do(write):
    rows = [
        {"messages": [USER]},
        {"messages": [USER, {"role": "assistant", "content": "Austen."}], "behaviour": "complied", "year": 1815},
        {"messages": [USER, {"role": "assistant", "content": "Poe."}], "eval": "quiz", "scenario": "quiz/1"},
    ]
    table = read_transcripts(write("chats.jsonl", rows))
    assert table["answer"].tolist() == ["", "Austen.", "Poe."] and table["eval"].tolist() == ["chat", "chat", "quiz"]
    assert table["scenario"][0] == table["scenario"][1] and table["scenario"][2] == "quiz/1"
    assert json.loads(table["facts"][1]) == {"year": 1815}


@pytest.mark.parametrize(
    ("name", "rows", "expected"),
    [
        ("a.jsonl", LIARS, "liars_bench"),
        ("a.csv", HACKS, "reward_hacks"),
        ("a.parquet", MASK, "mask"),
        ("a.json", ROLLOUTS, "apollo"),
        ("a.json", [[USER]], "apollo"),
        ("a.jsonl", [{"messages": [USER]}], "chat"),
        ("a.csv", [{"statement": "s", "label": 1}], "geometry_of_truth"),
        ("a.json", {"eval": {}, "samples": []}, "inspect"),
        ("a.jsonl", [{"task_id": 1, "prompt": "p", "test": "t", "entry_point": "f"}], "impossible_bench"),
    ],
)
def test_the_format_is_told_from_the_first_row(write, name, rows, expected):
    assert sniff_format(write(name, rows)) == expected


@pytest.mark.parametrize(
    ("name", "rows", "format", "says"),
    [
        ("a.jsonl", [LIARS[0], LIARS[0] | {"deceptive": "maybe"}], None, "row 2, field deceptive"),
        ("a.jsonl", [LIARS[0] | {"messages": [USER]}], None, "row 1, field messages: expected the assistant's"),
        ("a.jsonl", [LIARS[0] | {"messages": [{"role": "user"}]}], None, "row 1, field messages.0.content"),
        ("a.jsonl", [{"messages": [USER]}], "liars_bench", "row 1, field deceptive: field required .* messages"),
        ("a.csv", [{"statement": "s", "label": 2}], None, "row 1, field label"),
        ("a.csv", [{"question": "q"}], None, "a row with question is of no known format: name one of rollouts"),
        ("a.json", {"rollouts": 3}, None, "list of `rollouts`"),
        ("a.json", {"rollouts": [ROLLOUTS["rollouts"][0] | {"graded_deception": [1]}]}, None, "1 for 4 output_strs"),
        ("a.jsonl", [3], "chat", "row 1: expected an object"),
        ("a.jsonl", [], "chat", "has no rows"),
        ("a.txt", [{"a": 1}], "chat", "expected .csv, .json, .jsonl or .parquet"),
        ("a.jsonl", [{"messages": [USER]}], "chats", "did you mean 'chat'"),
    ],
)
def test_what_does_not_fit_is_named(write, name, rows, format, says):
    path = write(name, rows)
    with pytest.raises(ValueError, match=says):
        read_transcripts(path, format)


@pytest.mark.parametrize("text", [b"\xff\xfe", b"{", b"[" * 100_000, b'{"messages": [}\n'])
@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".parquet", ".eval"])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, suffix, text):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(text)
    with pytest.raises(ValueError, match="damaged"):
        read_transcripts(path)
