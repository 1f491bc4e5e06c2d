"""HTML for a notebook: it touches nothing around it, and takes nothing in a text for mark-up."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitinspect.model import Artifact, CompileEvent, Environment, Report, Target
from jitinspect.render import cell, fragments
from tests.unit.made import ENVIRONMENT, FIRST, SHAPE, compilation, report

EVIL = "</pre><script>alert(1)</script><style>* { display: none }</style>&amp;"
EVENT = CompileEvent(0, "trace", EVIL, EVIL, 0.5, f"{EVIL}:3")
TOLD = Report(
    "show",
    Target(EVIL, EVIL, EVIL, f"{EVIL}.py", 3, signature=f"f({EVIL})"),
    (
        Artifact("jaxpr", EVIL, "", signature=EVIL),
        Artifact("hlo", f'%a = f32[] add(), metadata={{op_name="{EVIL}"}}', "", signature=EVIL),
        Artifact("asm", "", "", unavailable=EVIL),
    ),
    (EVENT, replace(EVENT, internal=True, source=None)),
    ENVIRONMENT,
)
CELL = replace(
    report(
        compilation(0, signature=EVIL, reasons=(replace(FIRST, text=EVIL),), at=f"{EVIL}:1"),
        compilation(1, reasons=(replace(SHAPE, hint=EVIL),), avoidable=True),
        compilation(2, raised="trace", error=EVIL, compilations=0),
        calls={(f"<lambda>{EVIL}", "train.py:3"): {None: 4}},
    ),
    program="cell [3]",
    warnings=(EVIL,),
)
SHOWN = {
    "inspection": fragments.of_inspection(TOLD),
    "run": fragments.of_run(CELL),
    "cell": fragments.of_cell(CELL),
}
VOID = {"br"}
MAY_BE_LEFT_OPEN = {"td", "th", "tr"}


class Read(HTMLParser):
    """The elements in their order, what the texts say, and the style."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.outermost, self.text, self.style = [], set(), [], "", ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        if not self.open:
            self.outermost.append((tag, attributes))
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open[-1] != tag:
            assert self.open.pop() in MAY_BE_LEFT_OPEN
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text += data


def selectors(style):
    """Each selector of each rule; commas in brackets are no ends."""
    for rule in re.findall(r"([^{}]+)\{[^{}]*\}", style):
        plain = re.sub(r"\[[^\]]*\]", "[]", rule)
        while re.search(r"\([^()]*\)", plain):
            plain = re.sub(r"\([^()]*\)", "", plain)
        yield from (one.strip() for one in plain.split(","))


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_its_style_is_for_what_is_in_it_alone(shown):
    style = Read(shown).style
    found = list(selectors(style))
    assert len(found) > 20
    for selector in found:
        assert selector.startswith(".jitinspect") and not re.search("[+~]", selector), selector
    assert "@" not in style and "url(" not in style


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_it_is_one_whole_element_without_a_script(shown):
    read = Read(shown)
    assert read.open == [] and read.outermost == [("div", [("class", "jitinspect")])]
    assert not read.tags & {"html", "head", "body", "script", "iframe", "link", "img"}
    assert not re.search(r"\son\w+=", re.sub(r"<style>.*?</style>", "", shown, flags=re.DOTALL))


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_text_of_the_program_is_text(shown):
    assert EVIL in Read(shown).text and EVIL not in shown


@given(st.lists(st.tuples(st.sampled_from(["", "1", "2", "1;31", "36", "7;32"]), st.text("a<&> \n"))))
def test_colors_of_a_terminal_are_those_of_the_page(parts):
    text = "".join(f"\x1b[{sgr}m{part}\x1b[0m" if sgr and part else part for sgr, part in parts)
    read = Read(f"<p>{fragments.painted(text)}</p>")
    assert read.open == [] and read.text == "".join(part for _, part in parts)


def test_each_color_has_a_rule():
    painted = fragments.painted("\x1b[1;31ma\x1b[0m \x1b[36mb\x1b[0m \x1b[7;32mc\x1b[0m")
    assert painted == '<span class="s1 s31">a</span> <span class="s36">b</span> <span class="s7 s32">c</span>'
    style = Read(fragments.fragment([painted])).style
    assert all(f" .s{code} {{" in style for code in (1, 31, 36)) and " .s7.s32 {" in style


def test_a_single_stage_is_not_folded():
    one = replace(TOLD, artifacts=TOLD.artifacts[:1], events=())
    assert "details" not in Read(fragments.of_inspection(one)).tags
    assert "details" in Read(SHOWN["inspection"]).tags


def test_the_head_says_what_is_known():
    here = Environment("0.1.0", "0.10.2", "0.10.2", "3.11.0", "cpu", "cpu", 1, "")
    shown = Read(fragments.of_inspection(replace(TOLD, environment=here))).text
    assert "jax 0.10.2 · cpu" in shown
    assert "jax 0" not in Read(fragments.of_inspection(replace(TOLD, environment=None))).text


def test_a_cell_says_in_html_what_it_says_in_text():
    text = "".join(cell.render(CELL, 120))
    html = Read(SHOWN["cell"]).text
    for said in (
        "cell [3]: 2 compilations",
        "1 of 2 avoidable, 750.0 ms",
        "4 calls cached",
        "CACHED",
        "RAISED",
    ):
        assert said in text and said in html, said
