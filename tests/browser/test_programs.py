"""The pages of `run`, `trace-cache` and `summary`, as their users have them: by clicks and by keys."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from jitinspect.model import Call, CallReport, CallTotals, FunctionTotals, Reason
from jitinspect.render.pages.programs import page as html
from tests.support.working import PATIENCE
from tests.unit.made import compilation, report, span

ROOT = Path(__file__).parents[2]
ZOOMED = re.compile("[#&]view=")
MARKUP = "<img src=x onerror=alert(1)>"
PROGRAM = f"""
import threading
import jax, jax.numpy as jnp, numpy as np

@jax.jit
def step(w, x):
    return w - jnp.mean(jnp.tanh(x @ w))

def named(x):
    return x + 1

named.__name__ = {MARKUP!r}
marked = jax.jit(named, static_argnames="x")
w = np.ones((8, 4), np.float32)
for rows in (32, 32, 17, 9):
    w = step(w, np.ones((rows, 8), np.float32))
threads = [threading.Thread(target=jax.jit(lambda x, k=k: x * k), args=(np.ones(3),)) for k in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
marked(x=1)
marked(x=2)
try:
    step(w, np.ones((3, 3), np.float32))
except TypeError:
    pass
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of `run.html`, `calls.html` and `summary.html`, of one program."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "train.py").write_text(PROGRAM)

    def jitinspect(*words):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
        command = [sys.executable, "-m", "jitinspect", *words]
        finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr

    jitinspect("run", "-q", "--profile", "--record", "a.jsonl", "-o", "run.html", "train.py")
    jitinspect("trace-cache", "-q", "-o", "calls.json", "train.py")
    jitinspect("view", "calls.json", "-o", "calls.html")
    (folder / "b.jsonl").write_bytes((folder / "a.jsonl").read_bytes())
    jitinspect("summary", "a.jsonl", "b.jsonl", "-o", "summary.html")
    return folder


@pytest.fixture
def opened(page, made):
    """Opens one of the pages, with a fragment."""

    def open_(name, fragment=""):
        page.goto(f"{(made / name).as_uri()}#{fragment}")
        expect(page.locator("main")).to_be_visible()
        return page

    return open_


def shown(page):
    return page.locator("tr.line")


def choice(page, label):
    return page.locator(".choices label").filter(has_text=re.compile(rf"^{re.escape(label)}"))


def search_of(page):
    return page.get_by_role("searchbox", name="Search calls and reasons")


def seconds(text):
    number, unit = text.split()
    return float(number) * {"µs": 1e-6, "ms": 1e-3, "s": 1}[unit]


def fragment(page):
    return page.evaluate("Object.fromEntries(new URLSearchParams(location.hash.slice(1)))")


def becomes(page, holds):
    """Asked from here: Playwright's own waiting evaluates code in the page, whose policy forbids that."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(25)


def test_totals_and_avoidable_time_come_first(opened):
    page = opened("run.html")
    assert page.locator("h1").inner_text() == "run train.py"
    totals = page.locator(".totals li").all_inner_texts()
    assert totals[0] == "7 compilations" and totals[-1].startswith("2 of 7 avoidable, ")
    assert [one.split()[0] for one in totals[2:5]] == ["trace", "lower", "compile"]
    headings = page.locator("main h2").all_inner_texts()
    assert headings[:3] == ["Avoidable time", "Timeline", "Calls"]
    first = page.locator(".cause").first
    assert "x: f32[32,8] → f32[17,8]" in first.inner_text() and "2 ×" in first.inner_text()
    assert "step called at train.py:16" in first.inner_text() and "pad x to 32 and mask" in first.inner_text()
    assert first.locator(".saved").inner_text() == totals[-1].rpartition(", ")[2]


def test_a_cause_shows_its_calls_and_once_more_shows_all(opened):
    page = opened("run.html")
    everything = shown(page).count()
    cause = page.locator(".cause").first
    cause.focus()
    page.keyboard.press("Enter")
    expect(shown(page)).to_have_count(2)
    expect(cause).to_have_attribute("aria-pressed", "true")
    assert all("avoidable" in text for text in shown(page).all_inner_texts())
    assert fragment(page) == {
        "avoidable": "could be avoided",
        "cause": "shape",
        "function": "step train.py:5",
        "site": "train.py:16",
    }
    cause.click()
    expect(shown(page)).to_have_count(everything)
    assert fragment(page) == {}


def test_each_filter_shows_as_many_rows_as_it_says(opened):
    page = opened("calls.html")
    for group in page.locator(".choices details").all():
        box = group.locator("label").first
        count = int(box.locator(".count").inner_text())
        box.locator("input").focus()
        page.keyboard.press("Space")
        expect(shown(page)).to_have_count(count)
        page.keyboard.press("Space")
    choice(page, "COMPILED").click()
    choice(page, "shape").click()
    expect(shown(page)).to_have_count(2)
    expect(choice(page, "RAISED").locator(".count")).to_have_text("1")
    page.get_by_role("button", name="Show all").click()
    expect(shown(page)).to_have_count(9)


def test_a_search_looks_at_calls_and_reasons(opened):
    page = opened("calls.html")
    search = search_of(page)
    search.fill("f32[32,8]")
    expect(shown(page)).to_have_count(3)
    search.fill("no such thing")
    expect(shown(page)).to_have_count(0)
    expect(page.get_by_text("No call matches these filters.")).to_be_visible()
    search.fill("")
    search.press_sequentially("a/b")
    assert search.input_value() == "a/b" and fragment(page) == {"text": "a/b"}


def test_rows_are_sorted_by_time_and_back(page, tmp_path):
    spent = [0.3, 0.01, 2.0, 0.002, 0.4]
    rows = [compilation(n, seconds={"compile": seconds}) for n, seconds in enumerate(spent)]
    opened_page(page, tmp_path, report(*rows))
    times = lambda: [seconds(text) for text in page.locator("td.time").all_inner_texts()]  # noqa: E731
    assert times() == spent
    head = page.get_by_role("columnheader", name="time", exact=True)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert times() == [2.0, 0.4, 0.3, 0.01, 0.002]
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert times() == [0.002, 0.01, 0.3, 0.4, 2.0]
    page.get_by_role("button", name="order").click()
    assert times() == spent and fragment(page) == {}


def test_a_row_opens_and_leads_to_the_call_it_is_compared_with(opened):
    page = opened("calls.html")
    page.locator("tr.line button").first.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    third = shown(page).nth(2)
    expect(third.locator("button")).to_have_attribute("aria-expanded", "true")
    expect(third.locator("button")).to_be_focused()
    details = page.locator("tr.details")
    assert "defined at train.py:5" in details.inner_text() and "shape" in details.inner_text()
    page.get_by_role("button", name="0  step(f32[8,4], f32[32,8])").click()
    expect(page.locator("tr.details")).to_have_count(2)
    expect(shown(page).first.locator("button")).to_be_focused()
    shown(page).first.locator("td.reasons").click()
    expect(page.locator("tr.details")).to_have_count(1)


def test_an_error_has_its_traceback(opened):
    page = opened("calls.html", "status=RAISED")
    expect(shown(page)).to_have_count(1)
    page.locator("tr.line button").click()
    assert "TypeError" in shown(page).inner_text()
    assert "step(w, np.ones((3, 3), np.float32))" in page.locator("tr.details pre").inner_text()


def test_the_fragment_brings_back_what_was_seen(opened):
    page = opened("run.html")
    choice(page, "shape").click()
    search_of(page).fill("step")
    page.get_by_role("button", name="time", exact=True).click()
    page.locator("tr.line button").first.click()
    page.get_by_role("button", name="Zoom in").click()
    rows, address = shown(page).all_inner_texts(), page.url
    ticks = page.locator(".tick").all_inner_texts()
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("tr.details")).to_have_count(1)
    assert shown(page).all_inner_texts() == rows and page.url == address
    expect(page.locator(".tick").first).to_have_text(ticks[0])
    expect(choice(page, "shape").locator("input")).to_be_checked()
    page.evaluate("location.hash = 'cause=closure&cause=magic&page=99'")
    expect(page.locator("tr.details")).to_have_count(0)
    expect(search_of(page)).to_have_value("")


def test_the_timeline_has_a_lane_for_each_thread_and_tells_of_events(opened):
    page = opened("run.html")
    assert page.locator(".lane").all_inner_texts() == ["thread 1", "thread 2", "thread 3"]
    event = page.locator(".event.call.avoidable").first
    event.hover()
    told = page.locator(".told")
    expect(told).to_contain_text("call step(f32[8,4], f32[17,8])")
    expect(told).to_contain_text("x: f32[32,8] → f32[17,8] · avoidable")
    assert "train.py:16" in event.get_attribute("aria-label")
    event.click()
    expect(page.locator("tr.details")).to_have_count(1)
    assert "f32[17,8]" in page.locator("tr.line:has(+ tr.details)").inner_text()


def test_the_timeline_is_walked_and_zoomed_by_keys(opened):
    page = opened("run.html")
    page.locator(".event[tabindex='0']").focus()
    first = page.evaluate("document.activeElement.ariaLabel")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.ariaLabel") != first
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.ariaLabel") == first and first.startswith("call ")
    width = lambda: page.locator(".event.current").bounding_box()["width"]  # noqa: E731
    before = width()
    page.keyboard.press("+")
    expect(page).to_have_url(ZOOMED)
    expect(page.locator(".event.current")).to_be_focused()
    becomes(page, lambda: width() > 1.5 * before)
    view = fragment(page)["view"]
    page.keyboard.press("d")
    becomes(page, lambda: fragment(page)["view"] != view)
    page.keyboard.press("0")
    becomes(page, lambda: "view" not in fragment(page))
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.ariaLabel").startswith("trace ")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("tr.details")).to_have_count(1)
    expect(page.locator("tr.line:has(+ tr.details) button")).to_be_focused()


def test_the_timeline_is_zoomed_and_moved_by_the_mouse(opened):
    page = opened("run.html")
    box = page.locator(".events").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + 8)
    page.mouse.move(*middle)
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(50)
    assert "view" not in fragment(page)  # the wheel alone scrolls the page
    page.locator(".events").scroll_into_view_if_needed()
    box = page.locator(".events").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + 8)
    page.mouse.move(*middle)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    expect(page).to_have_url(ZOOMED)
    seen = lambda: [float(at) for at in fragment(page)["view"].split("~")]  # noqa: E731
    before = seen()
    page.mouse.down()
    page.mouse.move(middle[0] - 200, middle[1], steps=4)
    page.mouse.up()
    after = seen()
    assert after[0] > before[0] and after[1] - after[0] == pytest.approx(before[1] - before[0], abs=1e-5)
    expect(page.locator("tr.details")).to_have_count(0)
    page.get_by_role("button", name="Show all of the timeline").click()
    assert "view" not in fragment(page)


def test_what_is_filtered_away_fades_in_the_timeline(opened):
    page = opened("run.html", "function=step train.py:5")
    expect(page.locator(".event.call.faded").first).to_be_visible()
    faded = page.locator(".event.call.faded").evaluate_all("all => all.map((one) => one.ariaLabel)")
    assert faded and not any("step(" in label for label in faded)
    page.locator(".event.call.faded").first.click()  # its row is not shown: the filter goes
    expect(page.locator("tr.details")).to_have_count(1)
    assert "function" not in fragment(page)


def test_without_start_times_there_is_no_timeline_but_a_reason(opened):
    page = opened("calls.html")
    expect(page.get_by_text("trace-cache does not keep when a call began")).to_be_visible()
    assert page.locator(".timeline").count() == 0
    assert page.locator("td.executable").nth(1).inner_text() == "#1"


def test_a_summary_has_its_recordings_and_filters_by_them(opened):
    page = opened("summary.html")
    table = (
        page.locator("section").filter(has=page.get_by_role("heading", name="Processes")).locator("tbody tr")
    )
    expect(table).to_have_count(2)
    whole = shown(page).count()
    page.locator(".choices label").filter(has_text="b.jsonl").click()
    expect(shown(page)).to_have_count(whole // 2)
    assert all("b.jsonl" in text for text in shown(page).all_inner_texts())
    assert page.locator(".lane").first.inner_text() == "a.jsonl · thread 1"


def test_of_planned_calls_it_counts(page, tmp_path):
    """No time is known, so none is shown."""
    reason = Reason("shape", "x", "f32[3]", "f32[4]", "pad x", "x: f32[3] → f32[4]", True)
    calls = [
        Call(n, "step", "a.py:3", f"a.calls:{n % 3 % 2}", "step(f32[3])", "COMPILED", n, ("compile",), {}, 1,
             None, (reason,))
        for n in range(6)
    ]  # fmt: skip
    told = CallReport("a.calls", tuple(calls), (), CallTotals(6, 6), planned=True)
    opened_page(page, tmp_path, told)
    assert page.locator(".saved").all_inner_texts() == ["4 ×", "2 ×"]
    assert page.get_by_text("µs").count() == 0 and page.locator("td.time").all_inner_texts() == [""] * 6


def test_a_function_of_the_small_table_shows_its_calls(opened):
    page = opened("run.html")
    page.get_by_role("button", name="step", exact=True).click()
    assert fragment(page) == {"function": "step train.py:5"}
    assert all("step(" in text for text in shown(page).all_inner_texts())


@pytest.mark.parametrize("name", ["run.html", "calls.html", "summary.html"])
def test_markup_is_text(opened, name):
    page = opened(name)
    assert page.locator("img").count() == 0
    assert page.get_by_text(MARKUP).count() >= 3
    search_of(page).fill(MARKUP)
    assert shown(page).count() >= 2


def test_markup_in_any_text_is_text_and_long_words_are_broken(page, tmp_path):
    word = MARKUP + "x" * 300
    reason = Reason("shape", word, None, None, word, word)
    changed = Reason("dtype", word, word, f"{word}2", word, f"{word}: {word} → {word}2")
    one = compilation(
        0, function=word, definition=word, at=word, signature=word, reasons=(reason, changed), raised="trace",
        error=f"{word}\n{word}",
    )  # fmt: skip
    told = replace(
        report(one, compilation(1, reasons=(changed, reason)), stopped=word), program=word, notes=(word,)
    )
    opened_page(page, tmp_path, told)
    page.set_viewport_size({"width": 360, "height": 800})
    page.locator("tr.line button").first.click()
    assert page.locator("img").count() == 0 and page.locator("tr.details").count() == 1
    assert page.locator("tr.details .reason").all_inner_texts() == [reason.text, changed.text]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_light_and_dark_by_the_system_and_by_the_button(opened):
    page = opened("run.html")
    colour = lambda: page.evaluate("getComputedStyle(document.body).backgroundColor")  # noqa: E731
    page.emulate_media(color_scheme="dark")
    dark = colour()
    page.emulate_media(color_scheme="light")
    light = colour()
    assert light == "rgb(255, 255, 255)" != dark
    button = page.get_by_role("button", name="Colours: system")
    button.click()
    page.get_by_role("button", name="Colours: light").click()
    assert page.get_by_role("button", name="Colours: dark").count() == 1 and colour() == dark


@pytest.mark.parametrize("width", [360, 1024])
@pytest.mark.parametrize("name", ["run.html", "calls.html", "summary.html"])
def test_a_narrow_window_has_no_sideways_scroll(opened, name, width):
    page = opened(name)
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("tr.line button").first.click()
    page.locator(".text").evaluate("text => (text.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ends = "all => Math.max(...all.map((one) => one.getBoundingClientRect().right))"
    assert page.locator("tr.line td").evaluate_all(ends) <= width
    assert page.get_by_role("button", name="order").is_visible()


def test_the_flame_graph_and_the_text_of_a_profile_are_in_the_page(opened):
    page = opened("run.html")
    assert page.locator(".flame").count() > 1
    page.locator(".flame").nth(1).click()
    expect(page.locator(".flames-reset")).to_be_enabled()
    assert "what ran" in page.locator(".text pre").inner_text()


def opened_page(page, tmp_path, told):
    file = tmp_path / "page.html"
    file.write_text("".join(html(told)), encoding="utf-8")
    page.goto(file.as_uri())
    expect(page.locator("main")).to_be_visible()


def test_a_hundred_thousand_calls_are_a_page_at_a_time(page, tmp_path):
    reason = Reason("shape", "x", "f32[3]", "f32[4]", "pad x", "x: f32[3] → f32[4]", True)
    calls = tuple(
        Call(
            n, f"step{n % 500}", "train.py:3", f"train.py:{n % 2000}", f"step(f32[{n % 20_000}])", "COMPILED",
            n, ("compile",), {"compile": (n * 7919 % 100_000) / 1e6}, 1, None, (reason,),
        )
        for n in range(100_000)
    )  # fmt: skip
    functions = (FunctionTotals("step", "train.py:3", 100_000, 100_000, 0, 1.0),)
    opened_page(page, tmp_path, CallReport("train.py", calls, functions, CallTotals(100_000, 100_000)))
    assert shown(page).count() == 100
    assert page.evaluate("document.querySelectorAll('*').length") < 6000
    expect(page.locator(".pager output")).to_have_text("1 to 100 of 100,000 rows")
    page.get_by_role("button", name="time", exact=True).click()
    assert page.locator("td.time").first.inner_text() == "100.0 ms"
    page.get_by_role("button", name="Last page").click()
    assert page.locator("td.time").last.inner_text() == "" and shown(page).count() == 100
    search_of(page).fill("step(f32[19999])")
    expect(page.locator(".pager output")).to_have_text("5 rows")
    assert fragment(page)["sort"] == "-time" and "page" not in fragment(page)


def test_thousands_of_events_are_drawn_as_what_can_be_told_apart(page, tmp_path):
    rows = [compilation(n, began=n / 100, ended=n / 100 + 0.002) for n in range(10_000)]
    spans = [span(began=n / 100, seconds=0.002) for n in range(10_000)]
    opened_page(page, tmp_path, report(*rows, spans=spans))
    many = page.locator(".event.many")
    expect(many.first).to_be_visible()
    assert page.locator(".event").count() < 2500
    first = int(many.first.get_attribute("aria-label").split(" events")[0])
    many.first.click()
    expect(page).to_have_url(ZOOMED)
    assert first > 1 and page.locator(".event").count() < 2500


def test_of_many_functions_the_most_expensive_are_offered(page, tmp_path):
    rows = [compilation(n, function=f"f{n}", seconds={"compile": n / 1000}) for n in range(1000)]
    opened_page(page, tmp_path, report(*rows))
    functions = page.locator(".choices details").filter(has_text="Function")
    expect(functions.locator("label")).to_have_count(8)
    assert functions.locator("label").first.inner_text().startswith("f999")
    functions.get_by_role("button", name="992 more").click()
    expect(functions.locator("label")).to_have_count(300)
    expect(functions.get_by_role("button", name="700 more: search for them")).to_be_disabled()
    search_of(page).fill("f99")
    expect(page.locator(".pager output")).to_have_text("11 rows")


def test_a_program_that_compiled_nothing_says_so(page, tmp_path):
    opened_page(page, tmp_path, report())
    expect(page.get_by_text("nothing was traced, lowered or compiled")).to_be_visible()
    assert page.locator("table.calls").count() == 0
