"""The flame graph as its user has it: in a browser, by mouse and by keyboard."""

import json

import pytest

from jitinspect.model.flames import Stack
from jitinspect.render.html import render_reading
from tests.support.browser import told_by
from tests.support.flames import timed

STACKS = [
    Stack(("compile", "LLVM", "fusion.1"), 4.0),
    Stack(("compile", "LLVM", "fusion.2 <lambda>"), 2.0),
    Stack(("compile", "passes"), 1.0),
    Stack(("trace", "net.py:3 loss"), 1.0),
    Stack(("trace",), 2.0),
]
PAGE = "".join(render_reading(timed(*STACKS)))
TOOLS = """
const all = () => [...document.querySelectorAll(".flame")];
const box = (name) => all().find((one) => one.textContent.startsWith(name));
const shown = () => all().map((one) => one.textContent.replace(/ +/g, " "));
const part = (name) => document.querySelector(`.flames-${name}`);
const share = (name) => Math.round(100 * box(name).offsetWidth / part("graph").clientWidth);
const press = (key) => new KeyboardEvent("keydown", { key, bubbles: true });
const key = (key) => document.activeElement.dispatchEvent(press(key));
const search = (text) => { part("search").value = text; part("search").dispatchEvent(new Event("input")); };
const focused = () => document.activeElement.ariaLabel?.split(", ")[0];
"""


@pytest.fixture
def in_page(tmp_path):
    return lambda script, page=PAGE, **more: told_by(page, TOOLS + script, tmp_path, **more)


def test_boxes_are_as_wide_as_their_time_and_below_the_one_around(in_page):
    names = "'compile', 'LLVM', 'fusion.1', 'fusion.2 <lambda>', 'passes', 'trace', 'net.py:3 loss'"
    widths, tops = in_page(f"""return [[{names}].map(share), [{names}].map((one) => box(one).offsetTop)];""")
    assert widths == [70, 60, 40, 20, 10, 30, 10]
    row = tops[0]
    assert [round(top / row) for top in tops] == [1, 2, 3, 3, 2, 1, 2]


def test_a_click_enlarges_a_box_and_escape_shows_all(in_page):
    script = """
        box("LLVM").click();
        const inside = [shown(), share("LLVM"), share("fusion.1"), part("reset").disabled];
        box("constants").click();
        const whole = share("compile");
        box("trace").click();
        key("Escape");
        return [inside, whole, share("compile"), part("reset").disabled];
    """
    (names, llvm, fusion, _), whole, again, at_end = in_page(script)
    assert names == [
        "constants net:loss 10 s", "compile 7 s", "LLVM 6 s", "fusion.1 4 s", "fusion.2 <lambda> 2 s",
    ]  # fmt: skip
    assert (llvm, fusion, whole, again, at_end) == (100, 67, 70, 70, True)


def test_the_mouse_and_the_focus_tell_seconds_and_shares(in_page):
    script = """
        const told = () => part("told").innerText;
        const first = told();
        box("trace").dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
        const over = told();
        part("graph").dispatchEvent(new MouseEvent("mouseleave"));
        const left = told();
        box("fusion.1").focus();
        return [first, over, left, told()];
    """
    first, over, left, focus = in_page(script)
    assert first == left == "constants net:loss\n10 s"
    assert over == "trace\n3 s · 30.0 % of all · 2 s of it itself"
    assert focus == "fusion.1\n4 s · 40.0 % of all · 66.7 % of LLVM"


def test_a_search_marks_boxes_and_adds_up_what_does_not_overlap(in_page):
    script = """
        const results = [];
        for (const text of ["FUSION", "l", "nothing like it", ""]) {
            search(text);
            const marked = all().filter((one) => one.classList.contains("found"));
            results.push([part("found").textContent, marked.length]);
        }
        search("lambda");
        part("search").focus();
        key("Enter");
        return [results, focused()];
    """
    results, at = in_page(script)
    assert results == [
        ["2 boxes, 6 s, 60.0 %", 2], ["4 boxes, 8 s, 80.0 %", 4], ["nothing found", 0], ["", 0],
    ]  # fmt: skip
    assert at == "fusion.2 <lambda>"


def test_the_keyboard_goes_everywhere_and_tab_stops_once(in_page):
    script = """
        all()[0].focus();
        const path = [];
        for (const one of ["Down", "Down", "Down", "Right", "Right", "Up", "Right"]) {
            key(`Arrow${one}`);
            path.push(focused());
        }
        key("Enter");
        const stops = all().filter((one) => one.tabIndex === 0).length;
        const enlarged = [share("passes"), focused(), stops];
        key("/");
        return [path, enlarged, document.activeElement === part("search")];
    """
    path, enlarged, searching = in_page(script)
    assert path == ["compile", "LLVM", "fusion.1", "fusion.2 <lambda>", "fusion.2 <lambda>", "LLVM", "passes"]
    assert enlarged == [100, "passes", 1] and searching


def test_each_box_is_told_to_a_screen_reader(in_page):
    labels = in_page("return all().map((one) => [one.role, one.ariaLevel, one.ariaLabel]);")
    assert labels[:2] == [
        ["treeitem", "1", "constants net:loss, 10 s, 100.0 %"], ["treeitem", "2", "compile, 7 s, 70.0 %"],
    ]  # fmt: skip


def test_what_is_too_narrow_to_see_is_drawn_when_it_is_enlarged(in_page):
    many = [Stack(("wide", f"narrow.{n}", "inner"), 1.0) for n in range(20_000)]
    page = "".join(render_reading(timed(*many, Stack(("other", "one"), 1.0))))
    script = """
        const before = all().length;
        all()[0].focus();
        search("one");
        part("search").focus();
        key("Enter");
        return [before, focused(), share("one")];
    """
    before, at, share = in_page(script, page)
    assert before < 100 and (at, share) == ("one", 100)


def test_a_narrow_window_has_no_sideways_scroll(in_page):
    assert in_page("return document.documentElement.scrollWidth - innerWidth;", width=500) <= 0


MLP = ("samples.mlp:loss_fn", "-s", "64,64", "-s", "64,64", "-q")


@pytest.mark.parametrize("command", ["compile-time", "profile"])
def test_what_was_measured_can_be_looked_at(shell, in_page, command):
    """And a saved report gives the same files as the run did."""
    assert shell(command, *MLP, "-o", "a.json").returncode == 0
    for name in ("b.json", "b.html", "b.speedscope.json"):
        assert shell("view", "a.json", "-o", name).returncode == 0
    document = json.loads((shell.folder / "a.json").read_text())
    assert document == json.loads((shell.folder / "b.json").read_text())
    stacks = document[command.replace("-", "_")]["stacks"]
    (profile,) = json.loads((shell.folder / "b.speedscope.json").read_text())["profiles"]
    assert profile["endValue"] == pytest.approx(sum(stack["seconds"] for stack in stacks))
    outermost = {stack["frames"][0] for stack in stacks if stack["seconds"] > 0}
    script = "return [...document.querySelectorAll('.flame')].filter((one) => one.ariaLevel == 2).length;"
    assert 1 <= in_page(script, (shell.folder / "b.html").read_text()) <= len(outermost)


def test_what_measures_nothing_has_no_flame_graph(shell):
    finished = shell("jaxpr", *MLP, "-o", "a.speedscope.json")
    assert finished.returncode == 2 and "jaxpr has no flame graph" in finished.stderr
    assert not (shell.folder / "a.speedscope.json").exists()
