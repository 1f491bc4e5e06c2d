"""The explorer's links of real functions, in one view: what a click marks is what the report says."""

import json
from dataclasses import asdict

import pytest

from jitinspect.readings import explore
from jitinspect.stages import inspection
from tests.browser.explorations import click, expected, write
from tests.browser.test_explorer import marked
from tests.support.explored import NAMES, calls

STAGES = ("jaxpr", "stablehlo", "hlo")
MOST_CLICKS, DRAWN = 16, 5000
"""In each pane, spread over its lines that belong to something; fewer where each click draws many lines."""


def explored(name):
    function, arguments = calls()[name]
    request = inspection.Request(command="explore", ref="", stages=())
    report = inspection.read_call(function, (arguments, {}), request, explore.read)
    return json.loads(json.dumps(asdict(report.exploration)))


def clicked(exploration, pane, count):
    """So many lines to click on: those with marks in other panes are the ones that count."""
    if pane["file"] is None:
        linked = [line for line, found in enumerate(pane["origins"]) if found]
    else:
        places = [one for one in exploration["places"] if one["file"] == pane["file"]]
        every = range(pane["text"].count("\n") + 1)
        linked = sorted({one["line"] - pane["first"] for one in places} & {*every})
    return linked[:: max(1, len(linked) // count)]


@pytest.mark.parametrize("name", NAMES)
def test_a_click_marks_in_all_panes_what_the_report_links(page, tmp_path, name):
    exploration = explored(name)
    python = next(pane for pane in exploration["panes"] if pane["file"] is not None)
    shown = [python, *(pane for pane in exploration["panes"] if pane["name"] in STAGES)]
    tallest = max(pane["text"].count("\n") for pane in shown)
    clicks = {pane["name"]: clicked(exploration, pane, min(MOST_CLICKS, DRAWN // tallest)) for pane in shown}
    assert len(clicks) == 4 and all(clicks.values())
    page.set_viewport_size({"width": 2000, "height": 20 * tallest + 300})  # a page draws what is in view
    page.goto(write(tmp_path, exploration) + "#panes=" + ",".join(pane["name"] for pane in shown))
    page.locator(".cm-line").first.wait_for()
    for number, chosen in enumerate(shown):
        for line in clicks[chosen["name"]]:
            click(page, page.locator(".pane").nth(number).locator(".cm-line").nth(line))
            marks = expected(exploration, chosen, line)
            assert marked(page) == [marks(pane) for pane in shown], (chosen["name"], line)
