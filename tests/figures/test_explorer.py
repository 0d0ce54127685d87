"""The explorer in a real browser: filters, links, keys, comparing, hostile text, a phone's width, many rollouts."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from confesslens.figures import render_explorer
from confesslens.figures.explorer.data import explorer_data

HOSTILE = (
    "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>{{ 7 * 7 }} <!-- &lt;b&gt; "
    "\u202egnp.exe\u202c \x00 \u2028 \x1b[31m שלום " + "w" * 9000
)
PHONE = {"width": 390, "height": 844}


def arguments(make_run, text=None):
    run = make_run(text)
    names = ("rollouts", "confessions", "manifest")
    return {name: run[name] for name in names} | {"witnesses": run["tables"]["witnesses"]}


@pytest.fixture
def show(browser, tmp_path):
    """Open a page of the explorer; every error that the browser tells fails the test."""
    errors, pages = [], []

    def open_page(html, hash="", **viewport):
        path = tmp_path / "explorer.html"
        path.write_text(html, encoding="utf-8")
        page = browser.new_page(viewport=viewport or {"width": 1280, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{path.as_uri()}{hash}")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert errors == []


def listed(page):
    return page.locator("#list button").count()


def test_filters_and_words(make_run, show):
    run = arguments(make_run)
    page = show(render_explorer(**run))
    everything = len(run["rollouts"])
    assert listed(page) == everything
    page.select_option("select[name=eval]", "people")
    assert listed(page) == 6
    page.select_option("select[name=cell]", "B1P1C0")
    assert listed(page) == 1 and page.locator("#status").inner_text() == f"1 of {everything} rollouts."
    page.click("button[type=reset]")
    page.wait_for_function(f"document.querySelectorAll('#list button').length === {everything}")
    page.fill("input[name=words]", "question 3.")
    assert listed(page) == 3
    page.fill("input[name=words]", "no such words anywhere")
    assert listed(page) == 0


def test_a_rollout_is_told_whole(make_run, show):
    page = show(render_explorer(**arguments(make_run)), "#people-2")
    text = page.locator("#reading").inner_text()
    assert "people-2" in text and "ignorance (B1P0C0)" in text and "+0.33 out of fold" in text
    assert "Question 2. The answer has twelve words (12)." in text
    assert "confession: guided, three part, read as complied, logit +1.25" in text
    assert page.locator('#list button[aria-current="true"]').inner_text().startswith("people-2")
    assert text.count("Objective: count words.") == 3


def test_keys_move_compare_and_search(make_run, show):
    run = arguments(make_run)
    names = run["rollouts"]["rollout_id"].tolist()
    twins = pd.DataFrame([{"pair": 0, "aware": names[0], "unaware": names[2]}])
    page = show(render_explorer(**run, twins=twins))
    heading = page.locator("#reading h2").first
    assert heading.inner_text() == names[0]
    page.keyboard.press("c")
    assert page.locator("#reading h2").all_inner_texts() == [names[0], names[2]]
    page.keyboard.press("c")
    assert page.locator("#reading h2").count() == 1
    for key, at in (("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        assert heading.inner_text() == names[at]
    page.locator("#list button").nth(1).focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.id") == names[2] == page.url.rpartition("#")[2]
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "words"
    page.keyboard.type("jk/c")
    assert heading.inner_text() == names[2]


def test_tokens_are_coloured_and_marked_for_who_sees_no_colour(make_run, show):
    run = arguments(make_run)
    name = run["rollouts"]["rollout_id"][0]
    tokens = pd.DataFrame(
        {"rollout_id": name, "span": "answer", "token": ["<b>I", " lied", " now"], "score": [-2.0, 3.0, float("nan")]}
    )
    page = show(render_explorer(**run, tokens=tokens))
    spans = page.locator(".tokens span")
    assert spans.all_inner_texts() == ["<b>I", " lied", " now"]
    assert [spans.nth(i).get_attribute("class") for i in range(3)] == [None, "up", None]
    assert spans.nth(1).get_attribute("title") == "+3.00"
    colours = [spans.nth(i).evaluate("e => getComputedStyle(e).backgroundColor") for i in range(2)]
    assert colours[0].startswith("rgba(0, 114, 178") and colours[1].startswith("rgba(213, 94, 0")


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
def test_hostile_text_is_text_and_fits_the_width(make_run, show, viewport):
    run = arguments(make_run, HOSTILE)
    run["rollouts"].loc[0, "rollout_id"] = run["witnesses"].loc[0, "rollout_id"] = HOSTILE[:300]
    page = show(render_explorer(**run), **viewport)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#reading img, #reading script").count() == 0
    text = page.locator("#reading").inner_text()
    assert "</script><script>window.hacked = 1</script>" in text
    assert "⟨U+202E⟩" in text and "⟨U+0000⟩" in text and "more characters, left out here" in text
    page.keyboard.press("j")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_page_is_named_for_readers_of_screens(make_run, show):
    page = show(render_explorer(**arguments(make_run)))
    assert page.locator("h1").count() == 1 and page.locator("html").get_attribute("lang") == "en"
    unnamed = "[...document.querySelectorAll('button, select, input, nav, form, [role=region]')].filter(e => !("
    unnamed += "e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label'))).length"
    assert page.evaluate(unnamed) == 0


def test_five_thousand_rollouts_are_quick(make_run, show):
    """Filtering redraws within what a reader notices (generous here: machines are slow)."""
    run = arguments(make_run)
    times = -(-5000 // len(run["rollouts"]))
    for name in ("rollouts", "witnesses", "confessions"):
        copies = [run[name].assign(rollout_id=run[name]["rollout_id"] + f"-{i}") for i in range(times)]
        run[name] = pd.concat(copies, ignore_index=True)
    page = show(render_explorer(**run))
    assert listed(page) == 200
    page.click("#more")
    assert listed(page) == 400
    page.fill("input[name=words]", "question 4.")
    assert page.locator("#status").inner_text().startswith(f"{3 * times} of {len(run['rollouts'])} rollouts")


def test_shared_messages_are_kept_once(make_run):
    run = arguments(make_run)
    del run["manifest"]
    data = explorer_data(**run)
    asked = {m["content"] for text in run["rollouts"]["messages"] for m in json.loads(text)}
    assert sorted(data["texts"]) == sorted(asked)
    assert all(data["texts"][place] in asked for row in data["rollouts"] for _, place in row["messages"])
    assert json.dumps(data, allow_nan=False)
