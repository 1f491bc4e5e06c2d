"""The history of an instruction in the explorer's page, by clicks and keys: it is what a terminal prints."""

import json
import re
from dataclasses import asdict, replace

import pytest
from playwright.sync_api import expect

from jitinspect.readings import passes
from jitinspect.readings.explore import read as explore
from jitinspect.readings.pass_histories.histories import histories
from jitinspect.render.readings.pass_history import history as in_terminal
from jitinspect.stages import inspection
from tests.browser.explorations import lines, small, write
from tests.support.explored import calls


def defined(line):
    """The name of the instruction that a line defines."""
    found = re.match(r" *(?:ROOT )?%([\w.\-]+) = ", line)
    return found and found[1]


class Made:
    """The exploration of one compilation, and the histories that the terminal would print."""

    def __init__(self, folder):
        function, arguments = calls()["sgd_step"]
        request = inspection.Request(command="explore", ref="", stages=())
        report = inspection.read_call(
            function, (arguments, {}), request, lambda *both: explore(*both, passes=True)
        )
        self.exploration = report.exploration
        self.histories = histories(self.exploration.history)
        self.json = json.loads(json.dumps(asdict(self.exploration)))
        self.address = write(folder, self.json)
        self.hlo = next(pane for pane in self.exploration.panes if pane.name == "hlo").text.split("\n")

    def line(self, name):
        return next(
            at for at, line in enumerate(self.hlo) if re.match(rf" +(ROOT )?%{re.escape(name)} = ", line)
        )

    def terminal(self, name):
        """The terminal's lines after the first: of each event its head, and the lines of its diff."""
        _, *found = "".join(in_terminal(self.histories.of(name), lambda text, *_: text)).splitlines()
        return [line.rstrip() for line in found]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("history"))


@pytest.fixture
def at(page, made):
    """Opens the page with a line of a pane chosen."""

    def go(pane, line, width=1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("about:blank")
        page.goto(
            f"{made.address}#panes={pane},hlo&at={pane}:{line}"
            if pane != "hlo"
            else f"{made.address}#panes=hlo&at=hlo:{line}"
        )
        page.locator(".cm-line").first.wait_for()
        return page.get_by_role("complementary", name="History by pass")

    return go


def chooser(panel):
    return panel.get_by_role("combobox", name="Instruction")


def shown(panel):
    """As the terminal has it."""
    found = []
    for item in panel.get_by_role("listitem").all():
        found.append(f"{item.locator('h3').text_content()}  {item.locator('p').first.text_content()}")
        found += [line.rstrip() for line in item.locator("> pre").text_content().splitlines()]
    return found


def some_names(made):
    """Fusions, what is in them, and what was there from the beginning."""
    names = [*filter(None, map(defined, made.hlo))]
    return [*(name for name in names if "fusion" in name), *names[::9]]


def test_the_panel_shows_what_the_terminal_prints(made, at, page):
    panel = at("hlo", made.line(some_names(made)[0]) + 1)
    for name in some_names(made):
        page.goto(f"{made.address}#panes=hlo&at=hlo:{made.line(name) + 1}")
        expect(chooser(panel)).to_have_value(name)
        assert shown(panel) == made.terminal(name), name


def test_a_click_on_an_instruction_shows_its_history_and_its_difference_by_words(made, at, page):
    name, event = next(
        (name, event)
        for name in some_names(made)
        for event in made.histories.of(name).events
        if event.event == "changed" and event.instruction == name
    )
    panel = at("hlo", 1)
    expect(panel).to_contain_text("No instruction of XLA's is known to belong to this line")
    lines(page, "hlo").filter(has_text="HloModule").click()
    page.goto(f"{made.address}#panes=hlo&at=hlo:{made.line(name)}")
    lines(page, "hlo").filter(has_text=re.compile(rf"%{re.escape(name)} = ")).click()
    expect(chooser(panel)).to_have_value(name)
    item = panel.get_by_role("listitem").filter(has_text=f"{event.index} {event.pass_} ")
    others = [*item.locator("del b").all_text_contents(), *item.locator("ins b").all_text_contents()]
    assert others and all(one in event.before or one in event.after for one in others)
    assert item.locator("del").text_content().strip() == f"- {event.before}"
    assert item.locator("ins").text_content().strip() == f"+ {event.after}"


def test_keys_go_through_the_passes_and_hide_the_panel(made, at, page):
    name = max(some_names(made), key=lambda name: len(made.histories.of(name).events))
    panel = at("hlo", made.line(name) + 1)
    expect(chooser(panel)).to_have_value(name)
    items, count = panel.get_by_role("listitem"), len(made.histories.of(name).events)
    expect(items).to_have_count(count)
    current = panel.locator("li[aria-current=step]")
    expect(current).to_have_count(0)
    for number in range(count):
        page.keyboard.press("j")
        expect(items.nth(number)).to_be_focused()
        expect(items.nth(number)).to_have_attribute("aria-current", "step")
        expect(current).to_have_count(1)
    page.keyboard.press("j")  # there is none after the last
    expect(items.nth(count - 1)).to_be_focused()
    page.keyboard.press("k")
    expect(items.nth(count - 2)).to_be_focused()
    panel.get_by_role("button", name="Next pass that changed it").click()
    expect(items.nth(count - 1)).to_be_focused()
    page.keyboard.press("h")
    expect(panel).to_be_hidden()
    page.keyboard.press("h")
    expect(items).to_have_count(count)
    panel.get_by_role("button", name="Close the history").click()
    expect(page.locator(".history")).to_be_hidden()
    page.get_by_role("button", name="What XLA's passes did to the chosen line").click()
    expect(panel).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys and marks")).to_contain_text("previous pass that changed it")


def test_a_line_of_python_has_the_instructions_that_it_became_and_those_removed(made, at, page):
    file = next(pane for pane in made.exploration.panes if pane.language == "python")
    line = next(at for at, text in enumerate(file.text.split("\n"), file.first) if "jax.nn.gelu(" in text)
    panel = at(file.name, line)
    options = chooser(panel).locator("option")
    expect(options.first).to_be_attached()
    texts = options.all_text_contents()
    removed = [text for text in texts if text.endswith(" (removed)")]
    kept = [text for text in texts if not text.endswith(" (removed)")]
    assert removed and kept and texts == [*kept, *removed]
    compiled = {f"%{defined(text)}" for text in made.hlo}
    assert {*kept} <= compiled and not {text.removesuffix(" (removed)") for text in removed} & compiled
    name = removed[0].removeprefix("%").removesuffix(" (removed)")
    chooser(panel).select_option(name)
    assert shown(panel) == made.terminal(name)


def test_jaxpr_and_stablehlo_lead_to_the_same_instructions(made, at):
    for stage, word in (("jaxpr", " = tanh"), ("stablehlo", "stablehlo.tanh")):
        text = next(pane for pane in made.exploration.panes if pane.name == stage).text
        line = next(at for at, line in enumerate(text.split("\n"), 1) if word in line)
        panel = at(stage, line)
        expect(chooser(panel).locator("option", has_text=re.compile(r"^%tanh"))).not_to_have_count(0)


def test_names_lead_to_their_own_histories_and_back(made, at):
    name, event = next(
        (name, event)
        for name in some_names(made)
        for event in made.histories.of(name).events
        if event.replacements and event.instruction == name
    )
    other = event.replacements[0].others[0]
    panel = at("hlo", made.line(name) + 1)
    back = panel.get_by_role("button", name="Back to the instruction before")
    expect(chooser(panel)).to_have_value(name)
    expect(back).to_be_hidden()
    panel.get_by_role("button", name=f"%{other}", exact=True).first.click()
    expect(chooser(panel)).to_have_value(other)
    assert shown(panel) == made.terminal(other)
    back.click()
    expect(chooser(panel)).to_have_value(name)


def test_the_text_of_the_module_after_a_pass_can_be_opened(made, at):
    name = next(name for name in some_names(made) if made.histories.of(name).events[-1].index is not None)
    event = made.histories.of(name).events[-1]
    panel = at("hlo", made.line(name) + 1)
    item = panel.get_by_role("listitem").last
    item.locator("summary").click()
    text = item.get_by_label("Module text after the pass")
    expect(text.locator("mark")).to_have_text(event.after)
    told = item.locator("details p").text_content()
    assert told.startswith("After the pass: ") and told.endswith(f" of %{event.computation}")
    assert text.text_content().count("\n") <= 25


def test_what_is_left_out_for_its_size_is_said(made, page, tmp_path):
    history = replace(made.exploration.history, left_out=7)
    page.goto(
        write(tmp_path, made.json | {"history": json.loads(json.dumps(asdict(history)))})
        + "#panes=hlo&at=hlo:30"
    )
    panel = page.get_by_role("complementary", name="History by pass")
    expect(panel.get_by_role("status")).to_contain_text("of the first 7 passes that changed the module")
    expect(panel.get_by_role("listitem").first).to_contain_text("(earlier passes are left out)")


def test_a_page_without_passes_has_no_panel(page, tmp_path):
    page.goto(write(tmp_path, small()))
    page.locator(".cm-line").first.wait_for()
    assert page.locator(".history").count() == 0
    page.keyboard.press("h")


def test_on_a_narrow_page_it_is_shown_when_asked_for(made, at, page):
    name = some_names(made)[0]
    panel = at("hlo", made.line(name) + 1, width=360)
    expect(page.locator(".history")).to_be_hidden()
    page.keyboard.press("h")
    expect(chooser(panel)).to_have_value(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert panel.bounding_box()["height"] <= 450


def test_the_report_of_passes_has_the_same_histories():
    function, arguments = calls()["loss_fn"]
    request = inspection.Request(command="passes", ref="", stages=())

    def report(**asked):
        return inspection.read_call(
            function, (arguments, {}), request, lambda *both: passes.read(*both, **asked)
        )

    history = report(page=True).exploration.history
    name = next(filter(None, map(defined, history.lines)))
    assert report(op=name).histories[0].events == histories(history).of(name).events
