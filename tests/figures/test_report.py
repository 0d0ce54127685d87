"""The report holds every number with its interval, stands alone, and shows hostile text without obeying it."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from confesslens.figures import confession_rates, render_report, save_figure
from confesslens.figures.report.tables import RATE_NAMES
from confesslens.figures.style import format_number, format_percent

VOID = {"meta", "img", "br", "hr", "link", "input"}
HOSTILE = (
    "<script>alert(1)</script></style></title></div><img src=x onerror=alert(2)>\" onload='x' {{ 7 * 7 }} &lt;b&gt; "
    "\u202egnp.exe\u202c \u2066x\u2069 \x00 \x1b[31m שלום " + "w" * 3000
)


class Page(HTMLParser):
    """Collects elements and visible text, and fails on tags that do not pair up."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: dict[str, list[str]] = {}
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            self.headings.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def test_every_number_has_its_interval(make_run):
    run = make_run()
    text = Page(render_report(**run)).text
    tables = run["tables"]
    for _, row in tables["rates"].iterrows():
        for name in RATE_NAMES:
            assert format_percent(row[name], row[f"{name}_low"], row[f"{name}_high"]) in text
    for _, row in tables["cells"].iterrows():
        assert f"{format_percent(row['share'], row['share_low'], row['share_high'])}, n {row['n']}" in text
    for _, row in tables["agreement"].dropna(subset="phi").iterrows():
        assert format_number(row["phi"], row["phi_low"], row["phi_high"]) in text
    for _, row in pd.concat([tables["auroc"], tables["probe_map"]]).dropna(subset="auroc").iterrows():
        assert format_number(row["auroc"], row["low"], row["high"], signed=row.get("score") == "increment") in text


def test_the_answer_comes_first_and_the_order_holds(make_run):
    page = Page(render_report(**make_run()))
    assert page.headings["h2"] == ["How sure this is", "Pictures", "Tables", "Worked examples", "Limits", "Provenance"]
    assert page.text.index("It confessed to 4 in 10") < page.text.index("How sure this is")


def test_an_increment_whose_interval_includes_zero_is_not_sold_as_a_finding(make_run):
    run = make_run()
    assert "+0.04 [−0.05, +0.13]. The interval includes zero" in Page(render_report(**run)).text
    auroc = run["tables"]["auroc"]
    auroc.loc[auroc["score"] == "increment", "low"] = 0.01
    assert "The interval lies above zero" in Page(render_report(**run)).text


def test_undefined_numbers_are_said_to_be_undefined(make_run):
    text = Page(render_report(**make_run())).text
    assert "confession, given bad behaviour is undefined (no bad rollout confessed)" in text
    assert "There is no bad rollout in sandbagging" in text
    assert "nan" not in text.lower().split()


def test_pictures_are_inside_the_page_and_have_words(make_run, rates, tmp_path):
    paths = save_figure(confession_rates(rates), tmp_path, "confession_rates")
    for path in paths.values():
        page = Page(render_report(**{**make_run(), "figures": {"confession_rates": path}}))
        (image,) = page.all("img")
        assert image["src"].startswith("data:image/")
        assert "word count: P(bad) 68%" in image["alt"]
        assert "95% intervals" in page.text and "smollm2-135m" in page.text


def test_the_page_needs_nothing_but_itself(make_run, rates, tmp_path):
    figures = {"confession_rates": save_figure(confession_rates(rates), tmp_path, "confession_rates")["svg"]}
    source = render_report(**{**make_run(), "figures": figures})
    page = Page(source)
    for _, attrs in page.elements:
        for name in ("src", "href", "action", "data", "srcset"):
            assert attrs.get(name, "#").startswith(("#", "data:"))
    assert not page.all("script") and not page.all("link")
    assert "url(" not in source and "@import" not in source
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv")]
    assert policy.startswith("default-src 'none'")


def test_the_page_can_be_read_by_everyone(make_run):
    page = Page(render_report(**make_run()))
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert all(header.get("scope") in ("row", "col") for header in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    identifiers = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(identifiers) == len(set(identifiers))
    assert {link["href"][1:] for link in page.all("a")} <= set(identifiers)


def test_examples_tell_different_cells_from_prompt_to_confession(make_run):
    page = Page(render_report(**make_run()))
    assert len(page.all("article")) == 9
    people = page.text[page.text.index("rollout people-1") : page.text.index("rollout people-0")]
    for part in (
        "Question 1.",
        "not complied",
        "0.32 out of fold, fires",
        "does not mention it",
        "claimed",
        "12",
        "+1.25",
    ):
        assert part in people
    assert "(guided 0)" in people and "(free 0)" in people and "(free 1)" not in people
    assert "the first of 2, read as “unparsed”" in people


def test_neutral_rollouts_are_no_examples(make_run):
    run = make_run()
    run["rollouts"]["condition"] = "neutral"
    assert not Page(render_report(**run)).all("article")


def test_rollouts_without_a_cell_are_told_by_their_behaviour(make_run):
    run = make_run()
    run["tables"]["witnesses"] = run["tables"]["witnesses"].iloc[:0]
    run["rollouts"].loc[0, "behaviour"] = "neither"
    text = Page(render_report(**run)).text
    assert "Not complied" in text and "Neither" in text


def test_hostile_text_is_shown_and_not_obeyed(make_run):
    run = make_run(HOSTILE)
    run["manifest"] = {"command": HOSTILE, "created": HOSTILE, "model": {"name": HOSTILE}, "config": {HOSTILE: HOSTILE}}
    run["manifest"] |= {"stages": {HOSTILE: {"status": HOSTILE, "key": HOSTILE + "\ud800"}}, "versions": {"a": HOSTILE}}
    for table in run["tables"].values():
        for column in table.columns.intersection(["note", "text", "cot_quote", "evals", "site"]):
            table[column] = [f"{HOSTILE}{row}" for row in range(len(table))]
        if "eval" in table:
            table["eval"] = HOSTILE + table["eval"]
    run["rollouts"]["eval"] = HOSTILE + run["rollouts"]["eval"]
    run["confessions"]["claim"] = HOSTILE
    source = render_report(**run)
    page = Page(source)
    assert not page.all("script") and not page.all("img")
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert source.count("</style>") == 1 and source.count("</title>") == 1
    assert "<script>alert(1)</script></style></title></div><img src=x onerror=alert(2)>" in page.text
    assert "{{ 7 * 7 }} &lt;b&gt;" in page.text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", source)
    assert "⟨U+202E⟩gnp.exe⟨U+202C⟩" in page.text and "⟨U+0000⟩" in page.text and "שלום" in page.text
    assert source.encode("utf-8")


def test_long_text_is_cut_and_says_so(make_run):
    text = Page(render_report(**make_run("a" * 7000))).text
    assert "(1000 more characters, left out here)" in text
    assert "a" * 6001 not in text


def test_unreadable_json_is_shown_as_it_is(make_run):
    run = make_run()
    run["rollouts"]["messages"] = "{not json"
    run["rollouts"]["evidence"] = "also not"
    text = Page(render_report(**run)).text
    assert "{not json" in text and "also not" in text and "unreadable" in text


def test_limits_of_the_embedded_model_are_said_for_it_alone(make_run):
    run = make_run()
    assert "cannot reliably add 3 + 9" in Page(render_report(**run)).text
    run["manifest"]["model"] = {"name": "other/model-8b"}
    text = Page(render_report(**run)).text
    assert "cannot reliably add" not in text
    assert "2508.19505" in text and "evidence level L3" in text


def test_provenance_is_told(make_run):
    text = Page(render_report(**make_run())).text
    for part in (
        "confesslens run --preset quick",
        "sha256:0123abcd",
        "sampling.temperature",
        "0.8",
        "2.10.0",
        "61.2 s",
        "cd34",
    ):
        assert part in text


def test_a_run_of_which_nothing_is_known_still_has_a_page():
    page = Page(render_report({}, pd.DataFrame(), pd.DataFrame(), {}, {}))
    for part in (
        "nothing to compare",
        "no pictures",
        "this table is empty",
        "no rollouts to show",
        "says nothing of how",
    ):
        assert part in page.text


def test_a_picture_of_another_kind_is_refused(make_run, tmp_path):
    path = tmp_path / "picture.html"
    path.write_text("<script>")
    with pytest.raises(ValueError, match=r"\.svg"):
        render_report(**{**make_run(), "figures": {"cells": path}})
