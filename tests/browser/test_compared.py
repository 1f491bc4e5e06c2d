"""The page of `diff` in a browser: both sides of each stage aligned, what changed, and what a line became."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.explorations import click, expected
from tests.browser.test_explorer_tools import CONTRASTS
from tests.e2e.conftest import Shell
from tests.support.pages import data_of

MARKUP = "</script><img src=x onerror=\"document.title='broken'\"><b>bold</b>"
NET = f"""import jax
import jax.numpy as jnp


def layer(x, w):  # {MARKUP}
    return {{}}


def loss(w, x):
    h = x
    for _ in range(3):
        h = layer(h, w)
{{}}    return jnp.mean(h**2)


step = jax.jit(jax.grad(loss))
"""
FILES = {
    "before.py": NET.format("jnp.tanh(x @ w)", ""),
    "after.py": NET.format("jax.nn.relu(x @ w) * 2", "    h = h - h.max()\n"),
}
CALL = ("before:step", "after:step", "-s", "16,16", "-s", "8,16")
SIGNS = {0: "", 1: "±", 2: "−", 3: "+", 4: ""}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The address of the page, what it has in it, and the report of all its stages as JSON."""
    shell = Shell(tmp_path_factory.mktemp("compared"))
    for name, text in FILES.items():
        shell.write(name, text)
    assert shell("diff", *CALL, "-o", "page.html", "-q").returncode == 0
    report = json.loads(shell("diff", *CALL, "--stage", "jaxpr,stablehlo,hlo", "--json", "-q").stdout)
    file = shell.folder / "page.html"
    return file.as_uri(), data_of(file.read_text(encoding="utf-8"))["exploration"], report


@pytest.fixture
def opened(page, made):
    def go(fragment="", width=1440, height=900):
        page.set_viewport_size({"width": width, "height": height})
        page.goto("about:blank")
        page.goto(made[0] + fragment)
        page.locator(".compared .cm-line").first.wait_for()
        return page

    return go


def comparison(made, name):
    return next(one for one in made[1]["comparisons"] if one["name"] == name)


def rows(made, name):
    """Kind and lines of each row."""
    return [
        (kind, *(first + step if first >= 0 else -1 for first in (before, after)))
        for kind, before, after, many in comparison(made, name)["rows"]
        for step in range(many)
    ]


def texts(made, name):
    one, panes = comparison(made, name), {pane["name"]: pane for pane in made[1]["panes"]}
    return [panes[one[side]]["text"].split("\n") for side in ("before", "after")]


DRAWN = """() => [...document.querySelectorAll(".compared .cm-editor")].map((editor) => {
    const at = (one) => Math.round(one.getBoundingClientRect().top);
    const gutter = (name) => new Map([...editor.querySelectorAll(`${name} .cm-gutterElement`)]
        .filter((one) => one.style.visibility !== "hidden").map((one) => [at(one), one.textContent]));
    const [numbers, signs] = [gutter(".cm-lineNumbers"), gutter(".signs")];
    return [...editor.querySelectorAll(".cm-line")].map((line) => [
        at(line), numbers.get(at(line)) ?? "", signs.get(at(line)) ?? "", line.textContent,
        [...line.querySelectorAll(".word")].map((one) => one.textContent).join(""),
    ]);
})"""
"""Of each document, its lines on the page: how high, number, sign, text and the words that are marked."""


@pytest.mark.parametrize(
    ("name", "title"),
    [("python", "before.py → after.py"), ("jaxpr", "jaxpr compared"), ("stablehlo", "stablehlo compared"),
     ("hlo", "hlo compared")],
)  # fmt: skip
def test_what_corresponds_is_beside_each_other(made, opened, name, title):
    found = rows(made, name)
    page = opened(f"#panes={title}", height=len(found) * 20 + 400)
    page.get_by_role("button", name="Unfold all").click()
    expect(page.locator(".unchanged")).to_have_count(0)
    left, right = page.evaluate(DRAWN)
    assert [line[0] for line in left] == [line[0] for line in right]
    sides = texts(made, name)
    for side, drawn in enumerate((left, right)):
        for (kind, *lines), (_, number, sign, text, words) in zip(found, drawn, strict=True):
            line = lines[side]
            assert number == (str(line + 1) if line >= 0 else "")
            assert text == (sides[side][line] if line >= 0 else "")
            assert sign == (SIGNS[kind] if line >= 0 else "")
            assert not words or kind == 1
    changed = [at for at, (kind, *_) in enumerate(found) if kind == 1]
    assert changed and all(left[at][4] or right[at][4] for at in changed)


def test_the_rows_are_those_of_the_report(made):
    """Whose texts have the names of the side before: operations that only have other names are no change."""
    stages = {one["stage"]: one for one in made[2]["stages"]}
    for name in ("jaxpr", "stablehlo", "hlo"):
        one, summary = comparison(made, name), stages[name]["summary"]
        assert [one[word] for word in ("changed", "added", "removed")] == [
            summary[word] for word in ("changed", "added", "removed")
        ]
        assert one["operations"] == [summary["operations"][side] for side in ("before", "after")]
        for side, text in enumerate(texts(made, name)):
            shown = [row[side + 1] for row in rows(made, name) if row[side + 1] >= 0]
            assert sorted(shown) == list(range(len(text)))
    lines = [line for change in stages["hlo"]["changes"] for line in change["lines"]]
    before = texts(made, "hlo")[0]
    removed = {line[2:] for line in lines if line.startswith("-")} - {before[0]}
    marked = {before[line].strip() for kind, line, _ in rows(made, "hlo") if kind in (1, 2)}
    assert removed and removed <= marked
    assert comparison(made, "hlo")["flops"] == [
        stages["hlo"]["summary"]["flops"][side] for side in ("before", "after")
    ]


def test_the_head_says_how_much_changed(made, opened):
    page, one = opened(), comparison(made, "hlo")
    summary = page.locator(".summary")
    before, after = one["operations"]
    expect(summary).to_contain_text(f"{before} → {after} instructions")
    for word in ("changed", "added", "removed"):
        expect(summary.locator(f".{word}")).to_have_text(f"{one[word]} {word}")
    expect(summary).to_contain_text(re.compile(r"FLOPs [\d.]+ k → [\d.]+ k"))


def test_unchanged_stretches_open_by_click_and_by_keyboard(opened):
    page = opened("#panes=hlo compared")
    folded = page.locator(".cm-editor").first.locator(".unchanged button")
    expect(folded.first).to_contain_text("unchanged lines")
    before, text = folded.count(), folded.first.inner_text()
    many = int(re.search(r"\d+", text)[0])
    assert many >= 4
    folded.first.click()
    expect(folded.filter(has_text=text)).to_have_count(before - 1)
    page.keyboard.press("f")
    expect(folded).to_have_count(before)
    folded.first.focus()
    page.keyboard.press("Enter")
    expect(folded).to_have_count(before - 1)
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect(folded).to_have_count(before)
    left, right = page.evaluate(DRAWN)
    assert [line[0] for line in left] == [line[0] for line in right]


def test_changes_are_stepped_through_and_the_address_says_where_one_is(made, opened):
    page = opened()
    kinds = [kind in (1, 2, 3) for kind, *_ in rows(made, "hlo")]
    total = sum(now and not last for last, now in zip([False, *kinds], kinds, strict=False))
    where = page.locator(".compared .step-of")
    page.keyboard.press("j")
    expect(where).to_have_text(f"change 1 of {total}")
    page.keyboard.press("j")
    page.get_by_role("button", name="Next change").click()
    expect(where).to_have_text(f"change 3 of {total}")
    page.keyboard.press("k")
    expect(where).to_have_text(f"change 2 of {total}")
    page.wait_for_url(
        re.compile(r"#panes=hlo%20compared,before\.py&widths=67,33&at=hlo%20(before|after):\d+$")
    )
    chosen = page.locator(".compared .cm-line.chosen").inner_text()
    for number in (1, total):
        address = page.url
        page.get_by_role("button", name="Previous change").click()
        expect(where).to_have_text(f"change {number} of {total}")
        page.wait_for_url(lambda url, before=address: url != before)
    page.reload()
    page.locator(".compared .cm-line.chosen").wait_for()
    last = page.locator(".compared .cm-line.chosen").inner_text()
    assert last != chosen
    expect(page.locator(".compared .cm-line.chosen")).to_be_in_viewport()


LINKED = """() => [...document.querySelectorAll(".compared")].map((pane) =>
    [...pane.querySelectorAll(".cm-editor")].map((editor) => {
        const lines = [...editor.querySelectorAll(".cm-line")];
        const of = (name) => lines.flatMap((line, row) => line.classList.contains(name) ? [row] : []);
        return [of("strong"), of("weak")];
    }))"""


def test_a_line_marks_what_it_became_on_its_own_side_alone(made, opened):
    names = ("jaxpr", "hlo")
    found = {name: rows(made, name) for name in names}
    height = max(map(len, found.values())) * 20 + 400
    page = opened("#panes=jaxpr compared,hlo compared", width=2600, height=height)
    page.get_by_role("button", name="Unfold all").click()
    expect(page.locator(".unchanged")).to_have_count(0)
    panes = {pane["name"]: pane for pane in made[1]["panes"]}
    editors = page.locator(".compared").nth(0).locator(".cm-editor")
    clicks = 0
    for side, word in enumerate(("before", "after")):
        chosen = panes[f"jaxpr {word}"]
        for row, lines in enumerate(found["jaxpr"]):
            line = lines[side + 1]
            if line < 0 or not chosen["origins"][line] or clicks > 24:
                continue
            clicks += 1
            click(page, editors.nth(side).locator(".cm-line").nth(row))
            marks = expected(made[1], chosen, line)
            drawn = page.evaluate(LINKED)
            for name, documents in zip(names, drawn, strict=True):
                here = [lines[side + 1] for lines in found[name]]
                strong, weak = ({here[at] for at in marked} for marked in documents[side])
                assert (strong, weak) == marks(panes[f"{name} {word}"]), (name, line)
                assert documents[1 - side] == [[], []]
    assert clicks > 10


def test_a_line_of_python_marks_what_it_became(made, opened):
    page = opened("#panes=before.py → after.py,hlo compared", width=2000)
    page.locator(".compared").nth(0).locator(".cm-editor").nth(1).locator(".cm-line").nth(5).click()
    expect(page.locator(".status")).to_have_text(re.compile(r"^after\.py:6 → .*equations, .*instructions"))
    left, right = page.locator(".compared").nth(1).locator(".cm-editor").all()
    expect(left.locator(".strong")).to_have_count(0)
    expect(right.locator(".strong").first).to_be_in_viewport()


def test_costs_of_what_differs(made, opened):
    page = opened()
    page.get_by_role("button", name="What the operations that differ cost").click()
    dialog = page.get_by_role("dialog", name="Operations that differ")
    table = dialog.locator("tbody tr")
    panes = {pane["name"]: pane for pane in made[1]["panes"]}
    costs = [{one["line"] for one in panes[f"hlo {word}"]["costs"]} for word in ("before", "after")]
    wanted = [
        kind
        for kind, before, after in rows(made, "hlo")
        if kind in (1, 2, 3) and (before in costs[0] or after in costs[1])
    ]
    signs = [SIGNS[kind] for kind in wanted]
    expect(table).to_have_count(len(signs))
    assert sorted(table.locator("td:first-child").all_inner_texts()) == sorted(signs)
    expect(dialog).to_contain_text(".py:")
    button = table.first.locator("button")
    name = button.inner_text().split(" ")[0]
    button.click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".compared .cm-line.chosen")).to_contain_text(f"%{name} = ")


def test_a_search_goes_through_both_sides(opened):
    page = opened("#panes=hlo compared")
    page.keyboard.press("/")
    page.keyboard.type("tanh")
    expect(page.locator(".counts")).to_contain_text("hlo before")
    page.locator(".counts").get_by_title("First hit in hlo before", exact=True).click()
    hit = page.locator(".compared .hit.current")
    expect(hit).to_have_text("tanh")
    expect(hit).to_be_in_viewport()
    expect(page.locator(".pane")).to_have_count(1)


def test_a_narrow_page_has_both_sides_in_one(made, opened):
    page = opened("#panes=hlo compared", width=360, height=740)
    expect(page.locator(".compared .cm-editor")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Next change").click()
    expect(page.locator(".compared .cm-line.chosen")).to_be_in_viewport()
    (drawn,) = page.evaluate(DRAWN)
    signs = {sign: text for _, _, sign, text, _ in drawn}
    assert {"+", "−"} <= {*signs} and "±" not in signs
    before, after = texts(made, "hlo")
    for _, number, sign, text, _ in drawn:
        assert text == (before if sign == "−" else after)[int(number) - 1] or sign == ""
    page.set_viewport_size({"width": 1200, "height": 740})
    expect(page.locator(".compared .cm-editor")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("key", ["", "j"])
def test_every_text_stands_out_from_what_is_behind_it(opened, scheme, key):
    page = opened()
    page.emulate_media(color_scheme=scheme)
    if key:
        page.keyboard.press(key)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 200
    assert [one for one in found if one[0] < 4.5] == []


def test_nothing_of_the_program_is_markup(opened):
    page = opened("#panes=before.py → after.py")
    expect(page.locator(".compared .cm-line").filter(has_text=MARKUP).first).to_be_visible()
    assert page.locator("img").count() == 0 and "broken" not in page.title()


def test_a_page_of_equal_sides_says_so(page, tmp_path):
    shell = Shell(tmp_path)
    shell.write("net.py", FILES["before.py"])
    call = ("net:step", "net:step", "-s", "16,16", "-s", "8,16")
    assert shell("diff", *call, "-o", "page.html", "-q").returncode == 0
    page.goto((tmp_path / "page.html").as_uri())
    expect(page.locator(".summary")).to_contain_text("no change")
    expect(page.get_by_role("button", name="Next change")).to_be_disabled()
    expect(page.locator(".compared .cm-line").first).to_be_visible()
