"""The explorer: its panes, what belongs together in them, and the address that shows them again."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.explorations import HLO, MARKUP, NET, click, expected, lines, pane, small, write

ALL = "#panes=net.py,%3Cb%3Elib%3C/b%3E.py,jaxpr,stablehlo,hlo,llvm"


def titles(page):
    return page.locator(".pane > header select option:checked").all_inner_texts()


def marked(page):
    """Of each pane on the page: strong and weak lines."""
    found = page.evaluate(
        """() => [...document.querySelectorAll(".pane")].map((pane) => {
            const lines = [...pane.querySelectorAll(".cm-line")];
            const of = (name) => lines.flatMap((line, at) => line.classList.contains(name) ? [at] : []);
            return [of("strong"), of("weak")];
        })"""
    )
    return [(set(strong), set(weak)) for strong, weak in found]


def test_each_line_marks_in_all_panes_what_belongs_to_it(opened):
    exploration = small()
    page = opened(ALL, width=2600)
    panes = [one for one in exploration["panes"] if one["unavailable"] is None]
    for number, chosen in enumerate(panes):
        for line in range(chosen["text"].count("\n") + 1):
            click(page, page.locator(".pane").nth(number).locator(".cm-line").nth(line))
            marks = expected(exploration, chosen, line)
            assert marked(page) == [marks(pane) for pane in panes], (chosen["name"], line)


def test_at_first_source_jaxpr_and_hlo_as_many_as_there_is_room_for(opened):
    assert titles(opened()) == ["net.py", "jaxpr", "hlo"]
    assert titles(opened(width=1024)) == ["net.py", "jaxpr"]
    assert titles(opened(width=360)) == ["net.py"]


def test_the_text_of_a_reading_is_shown_at_first_beside_source_and_hlo(page, tmp_path):
    exploration = small()
    exploration["panes"].insert(0, pane("cost", "text", "104 M  net.py:4", (1,)))
    for width, shown in ((1440, ["cost", "net.py", "hlo"]), (1024, ["cost", "net.py"]), (360, ["cost"])):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("about:blank")
        page.goto(write(tmp_path, exploration))
        page.locator(".cm-line").first.wait_for()
        assert titles(page) == shown


def test_the_text_of_a_comparison_is_shown_at_first_beside_the_hlo_of_both(page, tmp_path):
    exploration = small()
    *others, hlo, llvm, asm = exploration["panes"]
    both = [{**hlo, "name": "hlo before"}, {**hlo, "name": "hlo after"}]
    exploration["panes"] = [pane("diff", "text", "- %tanh.1", (2,)), *others, *both, llvm, asm]
    page.goto(write(tmp_path, exploration))
    lines(page, "hlo after").nth(5).click()
    assert titles(page) == ["diff", "hlo before", "hlo after"]
    assert marked(page)[:2] == [({0}, set()), ({5, 12}, {11})]
    expect(page.locator(".status")).to_contain_text("→ 1 text line, 1 line, 1 equation, ")


def test_the_status_says_in_words_what_is_chosen(opened):
    page = opened()
    status = page.locator(".status")
    lines(page, "net.py").nth(3).click()
    expect(status).to_have_text(
        "net.py:4 → 1 line, 2 equations, 2 operations, 3 instructions, 1 LLVM instruction"
        " · 128 FLOPs · 1.00 kB"
    )
    lines(page, "hlo").nth(0).click()
    expect(status).to_have_text("hlo:1: nothing is known to belong to it")
    lines(page, "hlo").nth(11).click()
    expect(status).to_contain_text("hlo:12 → 1 line, 1 equation, 1 operation, 1 LLVM instruction")
    expect(status).to_contain_text("104 M FLOPs · 3.99 MB · 1.58 ms")


def test_keys_alone_choose_lines_and_walk_through_what_belongs_to_them(opened):
    page = opened()
    page.keyboard.press("1")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    chosen = page.locator(".cm-line.chosen")
    expect(chosen).to_have_text(re.compile("return jax.numpy.tanh"))
    steps = page.locator(".cm-line.step")
    expect(steps).to_have_text([re.compile("c:f32.*dot_general"), re.compile("%tanh.1")])
    page.keyboard.press("n")
    expect(steps).to_have_text([re.compile("e:f32.*tanh"), re.compile("%dot.1")])
    expect(page.locator(".step-of")).to_have_text(["", "2 of 2", "2 of 3"])
    page.keyboard.press("Alt+ArrowUp")
    expect(steps.first).to_have_text(re.compile("dot_general"))
    page.keyboard.press("2")
    page.keyboard.press("Enter")  # where the step left the keyboard's place
    expect(chosen).to_have_text(re.compile("c:f32.*dot_general"))


def test_a_line_that_is_chosen_again_leads_to_the_first_that_belongs_to_it(opened):
    page = opened("#at=net.py:4")
    page.keyboard.press("n")
    expect(page.locator(".step-of")).to_have_text(["", "2 of 2", "2 of 3"])
    lines(page, "net.py").nth(3).click()
    expect(page.locator(".step-of")).to_have_text(["", "1 of 2", "1 of 3"])


def test_a_click_on_the_number_of_a_line_chooses_it(opened):
    page = opened()
    page.get_by_role("region", name="hlo").locator(".cm-lineNumbers").get_by_text("13", exact=True).click()
    expect(page.locator(".cm-line.chosen")).to_have_text(re.compile("%fusion"))


def test_other_panes_scroll_to_what_belongs_to_the_line(page, tmp_path):
    exploration = small()
    long = next(pane for pane in exploration["panes"] if pane["name"] == "hlo")
    long["text"] = "// nothing\n" * 3000 + HLO
    long["origins"] = [0] * 3000 + long["origins"]
    page.goto(write(tmp_path, exploration))
    lines(page, "net.py").nth(3).click()
    expect(page.locator(".cm-line.strong").filter(has_text="%tanh.1")).to_be_in_viewport()
    expect(page.locator(".cm-line.step").filter(has_text="%tanh.1")).to_be_visible()


def test_a_strip_shows_where_in_the_text_the_marked_lines_are(page, tmp_path):
    exploration = small()
    long = next(pane for pane in exploration["panes"] if pane["name"] == "hlo")
    long["text"] += "\n// nothing" * 3000
    long["origins"] += [0] * 3000
    page.goto(write(tmp_path, exploration))
    lines(page, "net.py").nth(3).click()
    strip = page.get_by_role("region", name="hlo").locator(".overview")
    assert strip.locator(".strong").get_attribute("d") == "M0,0h1v1h-1zM0,1h1v1h-1z"  # of 400 rows
    box = strip.bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + box["height"] - 2)
    expect(
        page.get_by_role("region", name="hlo").locator(".cm-lineNumbers").get_by_text("3015")
    ).to_be_in_viewport()


def test_the_address_keeps_the_view(opened, address):
    page = opened()
    lines(page, "hlo").nth(11).click()
    page.get_by_label("Heat in the gutter").select_option("bytes")
    expect(page).to_have_url(re.compile(r"#panes=net.py,jaxpr,hlo&widths=33,33,33&at=hlo:12&heat=bytes$"))
    kept = page.url.removeprefix(address)
    page = opened(kept)
    expect(page.locator(".cm-line.chosen")).to_have_text(re.compile("%dot.1"))
    expect(page.get_by_label("Heat in the gutter")).to_have_value("bytes")
    page = opened("#panes=hlo,jaxpr&widths=70,30&at=jaxpr:5")
    assert titles(page) == ["hlo", "jaxpr"]
    assert lines(page, "hlo").first.bounding_box()["width"] > 800
    expect(page.locator(".cm-line.chosen")).to_have_text(re.compile("mul"))


@pytest.mark.parametrize(
    "fragment",
    ["#%", "#at=hlo:99999", "#at=:1&panes=", "#panes=nothing&widths=a,b", "#heat=love&at=hlo:0", "#at=%ff:1"],
)
def test_a_malformed_address_is_ignored(opened, fragment):
    page = opened(fragment)
    assert titles(page) == ["net.py", "jaxpr", "hlo"] and not page.locator(".chosen").count()


def test_another_address_in_the_same_page_is_followed(opened):
    page = opened()
    page.evaluate("location.hash = '#panes=llvm,hlo&at=hlo:6'")
    expect(page.locator(".cm-line.chosen")).to_have_text(re.compile("%tanh.1"))
    assert titles(page) == ["llvm", "hlo"]


def test_text_of_the_program_is_shown_as_text(opened):
    page = opened(ALL, width=2600)
    assert page.title() == f"net:loss {MARKUP}"
    assert page.locator("h1").inner_text() == f"net:loss {MARKUP}"
    assert lines(page, "net.py").all_inner_texts()[2] == NET.splitlines()[2]
    assert "\n".join(lines(page, "hlo").all_text_contents()) == HLO
    lines(page, "hlo").nth(5).hover(position={"x": 60, "y": 6})
    page.locator(".cm-tooltip").wait_for()
    assert not page.locator("img").count() and not page.locator("b").count()


def test_a_pane_is_added_replaced_and_closed(opened):
    page = opened()
    page.get_by_role("button", name="Add a pane").click()
    assert titles(page) == ["net.py", "jaxpr", "hlo", "<b>lib</b>.py"]
    page.get_by_label("Shown instead of jaxpr").select_option("asm (unavailable)")
    expect(page.locator(".unavailable")).to_have_text("no machine code is known for <b>TPUs</b>")
    assert titles(page) == ["net.py", "asm (unavailable)", "hlo", "<b>lib</b>.py"]
    page.get_by_label("Shown instead of net.py").select_option("hlo")
    assert titles(page) == ["hlo", "asm (unavailable)", "net.py", "<b>lib</b>.py"]
    page.get_by_role("button", name="Close net.py").click()
    assert titles(page) == ["hlo", "asm (unavailable)", "<b>lib</b>.py"]
    expect(page).to_have_url(re.compile("panes=hlo,asm,"))


def test_a_bar_between_panes_sizes_them(opened):
    page = opened()
    bar = page.get_by_role("separator").first
    box, before = bar.bounding_box(), page.locator(".pane").first.bounding_box()["width"]
    page.mouse.move(box["x"] + 3, 400)
    page.mouse.down()
    page.mouse.move(box["x"] - 97, 400, steps=3)
    page.mouse.up()
    after = page.locator(".pane").first.bounding_box()["width"]
    assert before - after == pytest.approx(100, abs=3)
    expect(bar).to_have_attribute("aria-valuenow", "40")
    page.keyboard.press("ArrowRight")
    expect(bar).to_have_attribute("aria-valuenow", "42")
    page.keyboard.press("Home")
    expect(bar).to_have_attribute("aria-valuenow", "10")
    expect(page).to_have_url(re.compile("widths=7,60,33"))
