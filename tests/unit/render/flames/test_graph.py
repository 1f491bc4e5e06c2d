"""The flame graph's section of a page; what its script does in a browser, other tests see to."""

import json
import re
from html.parser import HTMLParser

from hypothesis import given

from jitinspect.model.flames import Stack
from jitinspect.render.flames.graph import graph
from jitinspect.render.flames.reports import Flames
from jitinspect.render.html import render_reading
from tests.support.flames import stacks, timed


def columns(page):
    return json.loads(re.search(r'class="flames-data">(.*)</script>', page)[1])


class Elements(HTMLParser):
    """The elements of a page and the texts of its scripts, as a browser splits them."""

    def __init__(self, page):
        super().__init__()
        self.opened, self.scripts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.opened.append(tag)
        self.scripts += [""] if tag == "script" else []

    def handle_data(self, data):
        if self.opened and self.opened[-1] == "script" and self.cdata_elem:
            self.scripts[-1] += data


@given(stacks)
def test_the_boxes_are_a_tree_whose_widths_are_the_seconds(given_stacks):
    data = columns("".join(graph(Flames("all", tuple(given_stacks)))))
    assert len(data["frame"]) == len(data["depth"]) == len(data["seconds"])
    assert data["frames"][data["frame"][0]] == "all" and data["depth"][0] == 0
    inside = []
    for depth, seconds in zip(data["depth"], data["seconds"], strict=True):
        assert depth <= len(inside)
        inside[depth:] = [seconds]
        if depth:
            assert seconds <= inside[depth - 1] * (1 + 1e-5)


def test_names_are_text_and_end_no_script():
    stack = Stack(("<lambda>", "</script><b>", "a & b"), 1.0)
    page = "".join(render_reading(timed(stack)))
    found = Elements(page)
    assert found.opened.count("script") == 2 and "b" not in found.opened and "lambda" not in found.opened
    assert json.loads(found.scripts[0])["frames"][1:] == list(stack.frames)


def test_a_page_needs_nothing_from_elsewhere():
    page = "".join(render_reading(timed(Stack(("a",), 1.0))))
    assert not re.search(r"\bsrc=|href=|@import|url\(|https?://|fetch\(|XMLHttp", page)


def test_a_report_without_seconds_has_no_graph():
    for report in (timed(), timed(Stack(("a",), 0.0))):
        page = "".join(render_reading(report))
        assert "flame" not in page and "<script" not in page


def test_thousands_of_stacks_are_a_small_page():
    """Frames are written once, and a box is three numbers."""
    many = [
        Stack(tuple(f"site-packages/flax/linen/module.py:{(n >> level) % 97} call" for level in range(12)), n)
        for n in range(1, 4001)
    ]
    text = sum(len(frame) for stack in many for frame in stack.frames)
    assert len("".join(graph(Flames("all", tuple(many))))) < text / 4
