"""A page that is served, in a browser: what a save changes is shown in the view that the user has."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import watched_page
from tests.browser.explorations import lines
from tests.e2e.conftest import Shell
from tests.support.saving import Saving

NET = """
import jax.numpy as jnp

def f(x, w):
    y = jnp.tanh(x @ w){}
    return y.sum()
"""
CALL = ("net:f", "-s", "4,8", "-s", "8,2")
NO_BROWSER = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""}
VIEW = "#panes=jaxpr,net.py&widths=30,70&at=net.py:6&heat=flops"


@pytest.fixture
def session(tmp_path):
    shell = Shell(tmp_path, **NO_BROWSER)
    shell.write("net.py", NET.format(""))
    with Saving(shell, "explore", *CALL, "--serve", watches=True) as session:
        yield session


@pytest.fixture
def served(session):
    """The address."""
    return re.search(r"serving (\S+)", session.until(["Ctrl-C ends\n"])[1])[1]


@pytest.fixture
def page(served, browser, told):
    """A page that may ask its own server, and nobody else."""
    yield from watched_page(browser, told, served)


def changed(page, name):
    """The text of the lines that are marked in a pane."""
    pane = page.get_by_role("region", name=name, exact=True)
    pane.locator(".changes").wait_for()
    return pane.evaluate(
        """(pane) => {
            const shown = (one) => one.style.visibility !== "hidden";
            const top = (one) => Math.round(one.getBoundingClientRect().top);
            const marks = [...pane.querySelectorAll(".changes .cm-gutterElement")].filter(shown);
            const tops = new Set(marks.filter((mark) => mark.firstChild).map(top));
            const lines = [...pane.querySelectorAll(".cm-line")];
            return lines.filter((line) => tops.has(top(line))).map((line) => line.textContent.trim());
        }"""
    )


def test_a_save_is_shown_in_the_same_view(session, served, page):
    page.goto(served + VIEW)
    expect(lines(page, "jaxpr").filter(has_text="tanh")).to_have_count(1)
    expect(page.locator(".changed:visible")).to_have_count(0)
    session.save("net.py", NET.format(" * 3\n    y = y + 1"))
    expect(lines(page, "jaxpr").filter(has_text="mul")).to_have_count(1)
    status = page.get_by_role("status").filter(has_text="saved")
    expect(status).to_have_text(re.compile(r"^net\.py saved · made again in \d+\.\d\d s$"))
    assert changed(page, "net.py") == ["y = jnp.tanh(x @ w) * 3", "y = y + 1"]
    assert [re.search(r"= (\w+)", line)[1] for line in changed(page, "jaxpr")] == ["mul", "add"]
    expect(page.get_by_role("region", name="net.py").locator(".changed")).to_have_text("2 lines changed")
    expect(lines(page, "net.py").locator("visible=true").and_(page.locator(".chosen"))).to_have_text(
        "    return y.sum()"
    )
    page.wait_for_url(re.compile(r"#panes=jaxpr,net\.py&widths=30,70&at=net\.py:7&heat=flops$"))
    page.get_by_role("button", name="2 lines changed").first.click()
    page.get_by_role("searchbox").fill("jnp")
    page.get_by_role("textbox", name="net.py", exact=True).focus()
    session.save("net.py", NET.format(" * 3"))
    expect(page.get_by_role("region", name="net.py").locator(".changed")).to_have_text("1 line removed")
    page.wait_for_url(re.compile(r"at=net\.py:6&heat=flops$"))
    expect(page.get_by_role("searchbox")).to_have_value("jnp")
    expect(page.locator(".counts")).to_contain_text("net.py 2")
    expect(page.get_by_role("textbox", name="net.py", exact=True)).to_be_focused()


FIRST_LINE = """async (pane, beginning) => {
    const first = () => {
        const { top } = pane.getBoundingClientRect();
        const lines = [...pane.querySelectorAll(".cm-line")];
        return lines.find((line) => line.getBoundingClientRect().bottom > top + 5)?.textContent ?? "";
    };
    for (let frames = 0; frames < 300 && !first().startsWith(beginning); frames++)
        await new Promise(requestAnimationFrame);
    return first();
}"""
"""The first line in view, once that begins so: lines are drawn in the frames after a page is scrolled."""


def test_a_pane_stays_where_it_was_scrolled_to(session, served, page):
    """However often the page is made again, and whatever comes above."""
    page.goto(f"{served}#panes=net.py")
    text = NET.format("".join(f"\n    # line {number}" for number in range(300)))
    session.save("net.py", text)
    expect(page.locator(".changed:visible")).to_have_text("300 lines changed")
    pane = page.locator(".cm-scroller")
    pane.evaluate("(pane) => pane.scrollTop = 2000")
    before = pane.evaluate(FIRST_LINE, "    # line ")
    for more in range(1, 4):
        with page.expect_event("load"):
            session.save("net.py", text.replace("    y =", "    # above\n" * more + "    y ="))
        expect(page.locator(".changed:visible")).to_have_text("1 line changed")
        assert pane.evaluate(FIRST_LINE, before) == before
    with page.expect_event("load"):
        session.save("net.py", (session.folder / "net.py").read_text())
    expect(page.get_by_role("status").filter(has_text="saved")).to_contain_text(" s · no change")


INNER = """
import jax
import jax.numpy as jnp

def f(x, w):
    y = jnp.tanh(x @ w){}
    return jax.lax.fori_loop(0, 3, lambda _, y: jnp.sin(y), y).sum()
"""


def test_what_is_folded_stays_folded_where_it_still_is(session, served, page):
    page.goto(f"{served}#panes=jaxpr")
    session.save("net.py", INNER.format(""))
    jaxpr = page.get_by_role("region", name="jaxpr", exact=True)
    expect(lines(page, "jaxpr").filter(has_text="= sin")).to_have_count(1)
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect(jaxpr.locator(".folded").first).to_be_visible()
    folded = jaxpr.locator(".folded").all_inner_texts()
    with page.expect_event("load"):
        session.save("net.py", INNER.format(" * 3"))
    expect(lines(page, "jaxpr").filter(has_text="mul")).to_have_count(1)
    expect(jaxpr.locator(".folded")).to_have_text(folded)
    expect(lines(page, "jaxpr").filter(has_text="= sin")).to_have_count(0)
    with page.expect_event("load"):
        session.save("net.py", NET.format(" * 3"))
    expect(lines(page, "jaxpr").filter(has_text="mul")).to_have_count(1)
    expect(jaxpr.locator(".folded")).to_have_count(0)


def test_an_error_is_shown_above_the_last_page_that_there_was(session, served, page):
    page.goto(served)
    expect(lines(page, "jaxpr").filter(has_text="tanh")).to_have_count(1)
    session.save("net.py", NET.format(" +"))
    bar = page.get_by_role("alert")
    expect(bar).to_contain_text("net.py saved · failed")
    expect(bar).to_contain_text("SyntaxError: invalid syntax")
    expect(lines(page, "jaxpr").filter(has_text="tanh")).to_have_count(1)
    session.save("net.py", NET.format(" * 3"))
    expect(lines(page, "jaxpr").filter(has_text="mul")).to_have_count(1)
    expect(bar).to_have_count(0)


def test_the_page_stays_when_the_server_ends(session, served, page, told):
    page.goto(served)
    expect(lines(page, "jaxpr").filter(has_text="tanh")).to_have_count(1)
    assert session.interrupt() == 130
    expect(page.get_by_role("alert")).to_have_text("The server has ended: this page stays as it is.")
    expect(lines(page, "jaxpr").filter(has_text="tanh")).to_have_count(1)
    assert told
    assert all("ERR_CONNECTION_REFUSED" in one for one in told), told
    told.clear()
