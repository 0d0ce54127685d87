"""What notebooks show: transcripts, comparisons, runs and cards, safe against markup in what a model wrote."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pandas as pd
import pytest

from confesslens import faithfulness, figures
from confesslens.folder import RunFolder
from confesslens.probes.card_text import Card

HOSTILE = '<script>alert(1)</script><img src=x onerror="x">\u202e'
ROLLOUT = {
    "rollout_id": "people/0001/tempted/0",
    "eval": "people",
    "scenario": "people/0001",
    "condition": "tempted",
    "messages": json.dumps([{"role": "user", "content": f"Who was Ada? {HOSTILE}"}]),
    "cot": "I do not know.",
    "answer": f"A poet. {HOSTILE}",
    "behaviour": "not_complied",
    "knowledge": "aware",
    "evidence": json.dumps({"claimed": "poet"}),
    "accusation": "",
}
CONFESSIONS = pd.DataFrame(
    [
        {"rollout_id": ROLLOUT["rollout_id"], "mode": "guided", "claim": "complied", "text": HOSTILE, "logit": -1.5},
        {"rollout_id": "another", "mode": "free", "claim": "unparsed", "text": "not mine", "logit": None},
    ]
)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


def tags(page):
    parser = Tags()
    parser.feed(page)
    return parser.seen


def test_a_transcript_has_all_parts_in_order_and_only_its_own_confessions():
    shown = figures.transcript(pd.Series(ROLLOUT), CONFESSIONS)
    assert [kind for kind, _, _ in shown.parts] == ["asked", "thought", "answered", "confession"]
    text = str(shown)
    assert "graded not_complied, knowledge aware" in text and '{"claimed": "poet"}' in text
    assert "confession (guided): complied, logit -1.50" in text and "not mine" not in text
    assert "\u202e" not in text and "⟨U+202E⟩" in text
    without = figures.transcript({**ROLLOUT, "cot": "", "accusation": "You lied."})
    assert [kind for kind, _, _ in without.parts] == ["asked", "answered", "asked"]


def test_markup_in_a_transcript_does_nothing():
    page = figures.transcript(ROLLOUT, CONFESSIONS)._repr_html_()
    assert (
        tags(page) == {"figure", "figcaption", "section", "div"} and "&lt;script&gt;" in page and "\u202e" not in page
    )
    with pytest.raises(ValueError, match="lacks cot"):
        figures.transcript({k: v for k, v in ROLLOUT.items() if k != "cot"})


def test_a_comparison_shows_its_sentences_and_tables():
    compared = faithfulness.compare(pd.DataFrame([ROLLOUT | {"sample": 0, "admitted": False}]), n_boot=20)
    page = compared._repr_html_()
    assert "<ul><li>" in page and "<summary>rates (1 rows)</summary>" in page and "script" not in tags(page)


def test_a_run_shows_its_settings_and_stages(tmp_path):
    run = RunFolder(tmp_path / "r")
    (tmp_path / "r").mkdir()
    run.manifest = {
        "config": {"model": "<b>m</b>", "evals": ["people"], "n": 3, "seed": 0},
        "stages": {"rollouts": {"status": "done", "seconds": 4.4}},
    }
    run.write_table("results/sentences.parquet", pd.DataFrame({"key": ["a"], "text": ["Nothing <i>shown</i>."]}))
    page = run._repr_html_()
    assert "model: &lt;b&gt;m&lt;/b&gt;" in page and "rollouts: done, 4 s" in page and "Nothing &lt;i&gt;" in page


def test_a_card_is_shown_for_reading():
    card = Card(name="lies", model="m", layer=3, site="answer.mean", limits="one model")
    assert "# Probe of m, layer 3, answer.mean" in card._repr_markdown_() and "## Limits" in card._repr_markdown_()
    assert json.loads(json.dumps(card)) == dict(card)
