"""Scores of tokens: equal to the captured activations' projections, of the right tokens, and shown safely."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from confesslens.activations import capture, score_tokens
from confesslens.activations.token_scores import read_texts, token_texts
from confesslens.cli import app
from confesslens.models import load_model
from confesslens.probes import LogisticProbe, MaxWindowProbe, TokenScores, load_probe, save_probe
from confesslens.probes.token_scores import visible

CHAT = [{"role": "user", "content": "Größe? 😀 ok"}, {"role": "assistant", "content": "I <b>did</b> it, señor"}]


def fitted(d=32, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, d))
    return LogisticProbe(C=1.0).fit(X, np.where(X[:, 0] > 0, "not_complied", "complied"))


def card_of(model, **more):
    return {
        "name": "p", "model": model.name, "fingerprint": model.fingerprint, "tokenizer": model.tokenizer_hash,
        "layer": 1, "site": "answer.mean", "stream": "resid_post", **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def saved(tiny, tmp_path_factory):
    model = tiny("llama")
    folder = save_probe(tmp_path_factory.mktemp("probes") / "p", fitted(), card_of(model))
    return folder, model


def test_scores_are_those_of_the_activations(saved):
    folder, model = saved
    probe, _ = load_probe(folder)
    got = probe.score_tokens(model, CHAT)
    acts = capture(model, [CHAT], layers=[1], sites=["answer.mean"], token_layers=[1])
    assert got.scores == pytest.approx(acts.tokens(1).values @ probe.direction + probe.bias, abs=1e-5)
    assert got.site_score == pytest.approx(probe.score_activations(acts)[0], abs=1e-5)
    answer = np.array(got.parts) == "answer"
    assert got.scores[answer].mean() == pytest.approx(got.site_score, abs=1e-4)
    assert "".join(t for t, own in zip(got.texts, answer, strict=True) if own) == CHAT[1]["content"]
    assert "😀" in got.texts and "".join(got.texts) == model.decode(got.ids)


def test_a_text_has_tokens_and_no_verdict(saved):
    folder, model = saved
    got = load_probe(folder)[0].score_tokens(model, "just a text")
    assert got.site_score is None and "no verdict" in got.summary()
    assert set(got.parts) == {"text"} and len(got.to_frame()) == len(got.ids)


def test_another_tokenizer_or_template_is_refused(tiny, tmp_path):
    model = tiny("llama")
    folder = save_probe(tmp_path / "p", fitted(), card_of(model, tokenizer="0123456789abcdef"))
    with pytest.raises(ValueError, match=f"template 0123456789abcdef, this model has {model.tokenizer_hash}"):
        load_probe(folder)[0].score_tokens(model, CHAT)


def test_another_model_layer_or_site_is_refused(saved, tiny):
    folder, model = saved
    probe, _ = load_probe(folder)
    with pytest.raises(ValueError, match=r"fitted to tiny-llama \(fingerprint .*not to this model"):
        probe.score_tokens(tiny("qwen3"), CHAT)
    with pytest.raises(ValueError, match="fitted at layer 1, not at 2"):
        probe.score_tokens(model, CHAT, layer=2)
    acts = capture(model, [CHAT], layers=[1], sites=["answer.last"])
    with pytest.raises(
        ValueError, match=r"reads answer.mean of blocks.1.hook_resid_post, but .*sites \['answer.last'\]"
    ):
        probe.score_activations(acts)
    with pytest.raises(ValueError, match="fitted at site 'answer.mean', not at 'answer.last'"):
        probe.score_activations(acts, site="answer.last")
    other = capture(tiny("qwen3"), [CHAT], layers=[1], sites=["answer.mean"])
    with pytest.raises(ValueError, match="not to this model"):
        probe.score_activations(other)


def test_a_probe_just_fitted_says_where_it_reads_by_argument(saved):
    _, model = saved
    probe = fitted()
    acts = capture(model, [CHAT, CHAT[:1]], layers=[2], sites=["answer.mean"])
    scores = probe.score_activations(acts, layer=2, site="answer.mean")
    assert np.isfinite(scores[0]) and np.isnan(scores[1])
    assert len(score_tokens(probe, model, CHAT, layer=2).scores)
    with pytest.raises(ValueError, match="give layer= and site="):
        probe.score_activations(acts)


def test_a_card_without_fingerprint_cannot_be_checked(tiny, tmp_path):
    model = tiny("llama")
    probe, _ = load_probe(save_probe(tmp_path, fitted(), {"model": model.name, "layer": 1, "site": "answer.mean"}))
    with pytest.raises(ValueError, match="no fingerprint"):
        probe.score_tokens(model, CHAT)


def test_a_probe_of_windows_reads_the_tokens_of_its_span(tiny, tmp_path):
    model = tiny("llama")
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(6, 32)) for _ in range(30)]
    fit = MaxWindowProbe(width=2).fit(X, [x[:, 0].mean() > 0 for x in X])
    probe, _ = load_probe(save_probe(tmp_path, fit, card_of(model)))
    got = probe.score_tokens(model, CHAT)
    own = capture(model, [CHAT], token_layers=[1], layers=[1], token_spans=["answer"]).tokens(1)
    assert got.site_score == pytest.approx(probe.decision_function([own.values])[0], abs=1e-5)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\u202egnp.exe", "\x1b[31m", "&lt;", "a\x00b"]


def scores_of(texts, scores):
    n = len(texts)
    return TokenScores(texts, list(range(n)), np.asarray(scores, float), ["answer"] * n, "here", "", None, ["a", "b"])


def test_markup_and_control_characters_do_nothing():
    got = scores_of(HOSTILE, [1, -2, 0.5, 3, -1, 2])
    reader = Reader()
    reader.feed(got._repr_html_())
    assert set(reader.tags) <= {
        *("figure", "figcaption", "br", "span", "div", "details", "summary", "table", "caption", "thead", "tbody"),
        *("tr", "th", "td"),
    }
    assert "<script>alert(1)</script>" in reader.text and "⟨U+202E⟩" in reader.text
    assert not {"\u202e", "\x1b", "\x00"} & set(got._repr_html_())
    console = Console(force_terminal=True, color_system="truecolor", width=200)
    with console.capture() as capture_:
        console.print(got.to_rich())
    assert "⟨U+001B⟩[31m" in capture_.get()


def test_what_speaks_for_the_bad_act_is_marked_without_colour_too():
    got = scores_of(["up", "down", "none"], [2.0, -2.0, 0.0])
    page = got._repr_html_()
    assert page.count("text-decoration:underline") == 1 and 'title="+2.00">up' in page
    assert "<caption>Score of every token</caption>" in page and '<th scope="col">score</th>' in page
    up, down, none = got.shades()
    assert none == (255, 255, 255) and up[0] > up[2] and down[2] > down[0]
    # WCAG 2.2: black text on the strongest colours.
    for colour in (up, down):
        light = sum(
            w * ((c / 255 + 0.055) / 1.055) ** 2.4 for w, c in zip((0.2126, 0.7152, 0.0722), colour, strict=True)
        )
        assert (light + 0.05) / 0.05 > 4.5


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_shown(text):
    reader = Reader()
    reader.feed(scores_of([text], [1.0])._repr_html_())
    assert visible(text).strip() in reader.text.replace("\r", "") or not text.strip()


@pytest.mark.parametrize("text", ["日本語 naïve 😀😀", "  leading", "tabs\tand\nlines", "👩‍👩‍👧 family"])
def test_token_texts_add_up(tiny, text):
    model = tiny("llama")
    ids = model.encode(text)
    assert "".join(token_texts(model, ids)) == text == model.decode(ids)


def test_the_command(tiny_folder, tmp_path):
    model = load_model(str(tiny_folder))
    folder = save_probe(tmp_path / "p", fitted(), card_of(model))
    chats = tmp_path / "chats.jsonl"
    chats.write_text("\n".join(json.dumps({"messages": CHAT, "id": i}) for i in range(2)), encoding="utf-8")
    run = CliRunner().invoke(app, ["score", "--probe", str(folder), "--json", str(chats)])
    assert run.exit_code == 0, run.output
    first, second = (json.loads(line) for line in run.stdout.splitlines())
    assert first == second and first["site_score"] is not None
    assert "".join(t["token"] for t in first["tokens"] if t["part"] == "answer") == CHAT[1]["content"]
    text = tmp_path / "text.txt"
    text.write_text("[bold]a plain[/bold] text", encoding="utf-8")
    run = CliRunner().invoke(app, ["score", "--probe", str(folder), str(text)])
    assert run.exit_code == 0 and "[bold]a plain[/bold] text" in run.stdout and "Highest:" in run.stdout
    other = save_probe(tmp_path / "q", fitted(), card_of(model, fingerprint="0" * 16))
    run = CliRunner().invoke(app, ["score", "--probe", str(other), str(text)])
    assert run.exit_code == 2 and "not to this model" in run.stderr and run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ('{"messages": []}', "row 1: no field `messages`"),
        ('{"messages": [{"role": "user", "content": "a"}]}\n{"messages"', "row 2: not JSON"),
        ('{"messages": [{"role": "user"}]}', r"row 1: messages\[0\] needs"),
        ("[1]", "row 1: no field"),
    ],
)
def test_files_that_are_no_chats_are_named_by_row_and_field(content, words, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        read_texts(path)
    with pytest.raises(ValueError, match="cannot read"):
        read_texts(tmp_path / "nowhere.jsonl")
