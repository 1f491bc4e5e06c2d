"""The explorer's search, heat, tooltips, folds, graph, help and themes; by keyboard, and on a narrow page."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.explorations import lines, small, write

SCHEMES = ("light", "dark")


def search(page, text):
    page.keyboard.press("/")
    page.keyboard.type(text)


def test_a_search_counts_the_hits_of_each_pane_and_steps_through_all(opened):
    page = opened("#panes=net.py,jaxpr")
    search(page, "tanh")
    expect(page.locator(".counts button")).to_have_text(["net.py 1", "jaxpr 1", "stablehlo 1", "hlo 2"])
    expect(page.locator(".counts > span")).to_have_text("5")
    expect(page.locator(".hit")).to_have_text(["tanh", "tanh"])
    page.keyboard.press("Enter")
    expect(page.locator(".counts > span")).to_have_text("1 of 5")
    expect(page.locator(".hit.current")).to_be_visible()
    expect(page.locator(".cm-line.chosen")).to_have_text(re.compile("return jax.numpy.tanh"))
    page.keyboard.press("Enter")
    expect(page.locator(".cm-line.chosen")).to_have_text(re.compile("tanh d"))
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")  # behind the first comes the last
    expect(page.locator(".counts > span")).to_have_text("5 of 5")
    expect(page.locator(".counts button[aria-current]")).to_have_text("hlo 2")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "hlo"


def test_the_first_step_is_from_where_the_keyboard_is(opened):
    page = opened()
    lines(page, "hlo").nth(5).click()
    search(page, "dot")
    page.keyboard.press("Enter")
    expect(page.locator(".cm-line.chosen")).to_have_text(re.compile("%dot.1"))
    lines(page, "jaxpr").nth(4).click()
    page.get_by_label("Search all panes").fill("mul")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".counts > span")).to_have_text("5 of 5")


def test_a_hit_in_a_pane_that_is_not_shown_opens_it(opened):
    page = opened("#panes=net.py,jaxpr")
    search(page, "stablehlo.tanh")
    page.keyboard.press("Enter")
    expect(lines(page, "stablehlo").locator(".hit.current")).to_be_visible()
    page.set_viewport_size({"width": 800, "height": 700})
    page.get_by_label("Search all panes").fill("ret void")
    page.locator(".counts button", has_text="llvm 1").click()
    expect(lines(page, "llvm").locator(".hit.current")).to_be_visible()


def test_a_search_for_a_regular_expression(opened):
    page = opened()
    lines(page, "hlo").nth(11).click()
    page.keyboard.press("Control+f")
    page.keyboard.type(r"f32\[8,2\]")
    expect(page.locator(".counts > span")).to_have_text("0")
    page.get_by_role("button", name="Regular expression").click()
    expect(page.locator(".counts button", has_text="jaxpr")).to_have_text("jaxpr 3")
    page.get_by_label("Search all panes").fill("f32[")
    expect(page.locator(".counts")).to_have_text("no regular expression")
    expect(page.get_by_label("Search all panes")).to_have_attribute("aria-invalid", "true")


def test_capitals_are_looked_for_only_if_asked_for(opened):
    page = opened()
    search(page, "root")
    expect(page.locator(".counts button")).to_have_text(["hlo 2"])
    page.get_by_label("Search all panes").fill("ROOT")
    expect(page.locator(".counts button")).to_have_text(["hlo 2"])
    page.get_by_label("Search all panes").fill("Root")
    expect(page.locator(".counts")).to_have_text("0")


def test_heat_shows_what_a_line_costs(opened):
    page = opened()
    heat = page.get_by_label("Heat in the gutter")
    assert heat.locator("option").all_inner_texts() == [
        "no heat",
        "heat: FLOPs",
        "heat: bytes",
        "heat: seconds",
    ]
    heat.select_option("flops")
    bars = page.get_by_role("region", name="hlo").locator(".heat [title]:not([title=''])")
    assert [bar.get_attribute("title") for bar in bars.all()] == ["104 M FLOPs", "52.0 M FLOPs", "16 FLOPs"]
    full, half, least = (bar.bounding_box()["width"] for bar in bars.all())
    assert half == pytest.approx(full / 2, abs=1) and least == 2
    heat.select_option("bytes")
    assert [bar.get_attribute("title") for bar in bars.all()] == ["3.99 MB", "400 B"]
    heat.select_option("")
    expect(page.locator(".heat")).to_have_count(0)


def test_a_page_may_begin_with_heat_which_the_address_can_leave_out(page, tmp_path):
    address = write(tmp_path, small(), heat="flops")
    page.goto(address)
    heat = page.get_by_label("Heat in the gutter")
    expect(heat).to_have_value("flops")
    expect(page.locator(".heat").first).to_be_visible()
    heat.select_option("")
    page.wait_for_url(re.compile("&heat=none$"))
    for fragment, value in (
        ("#heat=none", ""),
        ("#at=hlo:12", "flops"),
        ("#heat=bytes", "bytes"),
        ("#heat=", ""),
    ):
        page.goto("about:blank")
        page.goto(address + fragment)
        expect(heat).to_have_value(value)
        expect(page.locator(".heat")).to_have_count(0 if not value else 2)


def test_only_heat_that_there_is_can_be_chosen(page, tmp_path):
    exploration = small()
    for pane in exploration["panes"]:
        pane["costs"] = [{**cost, "seconds": None, "bytes": 0} for cost in pane["costs"]]
    page.goto(write(tmp_path, exploration))
    options = page.get_by_label("Heat in the gutter").locator("option")
    expect(options).to_have_text(["no heat", "heat: FLOPs"])


TOLD = {
    "type": "f32[8,2]{1,0}",
    "costs": "104 M FLOPs · 3.99 MB · 1.58 ms",
    "operation": "dot_general",
    "Python": "net.py:4\nnet.py:10",
}


def told(page):
    tooltip = page.locator(".cm-tooltip")
    tooltip.wait_for()
    names, values = tooltip.locator("dt").all_inner_texts(), tooltip.locator("dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def test_hovering_tells_type_costs_and_source(opened):
    page = opened()
    lines(page, "hlo").nth(11).hover(position={"x": 60, "y": 6})
    assert told(page) == TOLD


def test_a_key_tells_the_same_and_another_takes_it_away(opened):
    page = opened("#panes=jaxpr,hlo&at=hlo:12")
    page.keyboard.press("2")
    page.keyboard.press("i")
    assert told(page) == TOLD
    page.keyboard.press("Escape")
    expect(page.locator(".cm-tooltip")).to_have_count(0)


def test_a_computation_is_folded_and_unfolded(opened):
    page = opened()
    hlo = lines(page, "hlo")
    page.get_by_role("region", name="hlo").locator(".cm-foldGutter").get_by_text("▾").nth(1).click()
    expect(page.locator(".folded")).to_have_text("… 6 lines")
    expect(hlo).to_have_count(9)
    page.get_by_role("button", name="Unfold all").click()
    expect(hlo).to_have_count(15)
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect(hlo).to_have_count(5)
    lines(page, "net.py").nth(3).click()  # what belongs to it is in a fold, which opens
    expect(page.locator(".cm-line.step").filter(has_text="%tanh.1")).to_be_visible()
    page.locator(".folded").click()
    expect(hlo).to_have_count(15)
    hlo.nth(8).click()
    page.keyboard.press("f")
    expect(hlo).to_have_count(9)


def nodes(page):
    return sorted(
        node.get_attribute("aria-label") for node in page.get_by_role("dialog").locator(".node").all()
    )


def test_a_graph_shows_operands_and_users(opened):
    page = opened("#panes=hlo,jaxpr&at=hlo:12")
    page.keyboard.press("g")
    assert nodes(page) == [
        "dot.1 dot, f32[8,2]{1,0}",
        "fusion fusion, f32[8,2]{1,0}",
        "sum.1 reduce, f32[]",
        "w parameter, f32[4,2]{1,0}",
        "x parameter, f32[8,4]{1,0}",
    ]
    expect(page.locator(".edge")).to_have_count(4)
    page.keyboard.press("ArrowDown")
    expect(page.locator(".node:focus")).to_have_attribute("aria-label", re.compile("^fusion"))
    page.keyboard.press("Enter")  # chooses it, and draws what is near it
    expect(page.locator(".node[aria-current]")).to_have_attribute("aria-label", re.compile("^fusion"))
    page.keyboard.press("ArrowUp")
    expect(page.locator(".node:focus")).to_have_attribute("aria-label", re.compile("^dot.1"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".cm-line.chosen")).to_have_text(re.compile("%fusion"))


def test_a_line_without_operands_has_no_graph(opened):
    page = opened("#panes=hlo&at=hlo:1")
    page.get_by_role("button", name="Operands and users").click()
    expect(page.locator(".status")).to_contain_text("no operands or users are known")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_help_lists_the_keys(opened):
    page = opened()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys and marks")
    expect(dialog.locator("tr")).to_have_count(9)
    expect(dialog).to_contain_text("jitinspect explore net:loss -o x.html")
    page.keyboard.press("n")  # the page's keys rest
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_tab_reaches_every_part_of_the_page(opened):
    page = opened()
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        told = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        reached.append(page.evaluate(told))
    tools = [
        "Search all panes",
        "Regular expression",
        "Heat in the gutter",
        "Add a pane",
        "Fold all",
        "Unfold all",
    ]
    panes = ["Shown instead of jaxpr", "Close jaxpr", "jaxpr", "Width of jaxpr", "Shown instead of hlo"]
    for parts in (tools, panes):
        start = reached.index(parts[0])
        assert reached[start : start + len(parts)] == parts


def test_nothing_without_a_name(opened):
    page = opened()
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, [role]")]
            .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim()))
            .map((one) => one.outerHTML)"""
    )
    assert unnamed == []


CONTRASTS = """() => {
    const channels = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (text) => channels(text).slice(0, 3).map((one) => one / 255)
        .map((one) => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
        .reduce((sum, one, at) => sum + one * [.2126, .7152, .0722][at], 0);
    const behind = (node) => {
        const color = getComputedStyle(node).backgroundColor;
        return channels(color)[3] === 0 ? behind(node.parentElement) : color;
    };
    const ratio = (node) => {
        const [low, high] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => a - b);
        return (high + .05) / (low + .05);
    };
    const texts = document.createNodeIterator(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        const node = text.parentElement;
        const isHidden = node.closest("script, style, noscript, option, dialog:not([open])");
        if (!text.data.trim() || isHidden) continue;
        found.push([ratio(node), node.className, text.data.slice(0, 30)]);
    }
    return found;
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("state", ["#at=net.py:4", "#at=net.py:10", "help", "search"])
def test_every_text_stands_out_from_what_is_behind_it(opened, scheme, state):
    page = opened(state if state.startswith("#") else "#at=hlo:12")
    page.emulate_media(color_scheme=scheme)
    if state == "help":
        page.keyboard.press("?")
    if state == "search":
        search(page, "a")
        page.locator(".hit").first.wait_for()
    found = page.evaluate(CONTRASTS)
    assert len(found) > 200
    assert [one for one in found if one[0] < 4.5] == []


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_the_theme_is_the_systems_until_the_button_says_otherwise(opened):
    page = opened()
    page.emulate_media(color_scheme="dark")
    dark = background(page)
    page.emulate_media(color_scheme="light")
    light = background(page)
    assert dark != light
    page.get_by_role("button", name="Colours: system").click()
    page.get_by_role("button", name="Colours: light").click()
    page.get_by_role("button", name="Colours: dark").wait_for()
    assert background(page) == dark


def test_a_narrow_page_has_tabs_and_no_horizontal_scroll(opened):
    page = opened(width=360, height=740)
    tabs = page.get_by_role("tab")
    expect(page.locator(".pane")).to_have_count(1)
    expect(tabs).to_have_count(7)
    page.locator(".cm-line").nth(3).click()
    page.get_by_role("tab", name="hlo", exact=True).click()
    expect(page.get_by_role("tabpanel", name="hlo", exact=True)).to_be_visible()
    expect(page.locator(".cm-line.step")).to_have_text(re.compile("%tanh.1"))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="llvm")).to_have_attribute("aria-selected", "true")
    search(page, "multiply")
    page.keyboard.press("Enter")
    expect(page.locator(".hit.current")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.documentElement.scrollHeight") == 740
    for part in page.locator("button:visible, select:visible, input:visible").all():
        box = part.bounding_box()
        assert part.evaluate("one => one.closest('.tabs, .counts')") or box["x"] + box["width"] <= 360


@pytest.mark.parametrize("width", [360, 1024, 1440])
def test_a_page_without_any_text_says_why(page, tmp_path, width):
    exploration = small()
    exploration["panes"] = exploration["panes"][-1:]
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(write(tmp_path, exploration))
    expect(page.locator(".unavailable")).to_contain_text("no machine code is known")


def test_a_hundred_thousand_characters_in_one_line(page, tmp_path):
    """A literal of that many; the page draws what is seen of it."""
    exploration = small()
    exploration["panes"][4]["text"] += "\n" + "0.25, " * 20_000
    exploration["panes"][4]["origins"] += [0]
    page.goto(write(tmp_path, exploration))
    lines(page, "hlo").nth(11).click(position={"x": 60, "y": 6})
    expect(page.locator(".status")).to_contain_text("hlo:12")
