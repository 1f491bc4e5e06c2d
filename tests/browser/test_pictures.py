"""The README's pictures of pages are current; the pages show the same at every width, light and dark."""

import platform

import jax
import pytest

from tests import page_pictures
from tests.browser.explorations import expected
from tests.e2e.test_readme import PINNED, README
from tests.support import png

SIZES = ((1440, 900), (1024, 768), (360, 740))
IN_VIEW = """() => Object.fromEntries([...document.querySelectorAll(".pane")].map((pane) => {
    const { top, bottom, left, right } = pane.querySelector(".cm-scroller").getBoundingClientRect();
    const inside = (box) => box.top >= top && box.bottom <= bottom && box.left < right && box.right > left;
    const marked = [...pane.querySelectorAll(".cm-line.strong")];
    const shown = marked.filter((line) => inside(line.getBoundingClientRect()));
    return [pane.getAttribute("aria-label"), shown.map((line) => line.textContent)];
}))"""


@pytest.fixture(scope="module", params=page_pictures.PICTURES, ids=lambda picture: picture.name)
def picture(request):
    return request.param


@pytest.fixture(scope="module")
def file(picture, tmp_path_factory):
    return page_pictures.write_page(picture, tmp_path_factory.mktemp("pictures"))


@pytest.mark.skipif(
    not jax.__version__.startswith(PINNED) or platform.machine() != "x86_64",
    reason="XLA compiles otherwise for another processor, and in another version",
)
def test_a_picture_is_of_the_page_that_the_command_makes_now(picture, file):
    kept = png.note_of(picture.path.read_bytes())
    assert kept == page_pictures.digest(page_pictures.exploration_of(file)), "python tests/pictures.py"


def test_a_picture_is_small_and_in_the_readme(picture):
    kept = picture.path.read_bytes()
    assert png.size_of(kept) == SIZES[0]
    assert len(kept) < 150_000
    assert f"({picture.path.relative_to(page_pictures.ROOT)})" in README


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_chosen_line_and_what_belongs_to_it_are_in_view(browser, picture, file, size, scheme):
    with page_pictures.opened(browser, file, picture, scheme, *size) as page:
        assert png.size_of(page.screenshot()) == size
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        in_view = page.evaluate(IN_VIEW)
    exploration = page_pictures.exploration_of(file)
    assert len(in_view) == {1440: 3, 1024: 2, 360: 1}[size[0]]
    for name, texts in in_view.items():
        assert texts and {*texts} <= {*marked(exploration, picture.fragment, name)}, name


def marked(exploration, fragment, name):
    """Texts of the lines in a pane that belong to the one that the fragment asks for."""
    chosen, _, line = fragment.partition("&")[0].removeprefix("#at=").rpartition(":")
    panes = {pane["name"]: pane for pane in exploration["panes"]}
    strong, _ = expected(exploration, panes[chosen], int(line) - 1)(panes[name])
    lines = panes[name]["text"].split("\n")
    return [lines[at] for at in strong]


def test_light_and_dark_are_not_the_same(browser, picture, file):
    grounds = []
    for scheme in ("light", "dark"):
        with page_pictures.opened(browser, file, picture, scheme) as page:
            grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


@pytest.fixture(scope="module", params=page_pictures.PROGRAMS, ids=lambda picture: picture.name)
def program(request):
    return request.param


@pytest.fixture(scope="module")
def program_file(program, tmp_path_factory):
    return page_pictures.write_page(program, tmp_path_factory.mktemp("programs"))


@pytest.mark.skipif(not jax.__version__.startswith(PINNED), reason="another JAX may compile otherwise")
def test_a_picture_of_a_program_is_of_the_page_that_the_command_makes_now(program, program_file):
    kept = program.path.read_bytes()
    assert png.note_of(kept) == page_pictures.digest_of_program(program_file), "python tests/pictures.py"
    assert png.size_of(kept) == program.size and len(kept) < 150_000
    assert f"({program.path.relative_to(page_pictures.ROOT)})" in README


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_what_was_compiled_and_why_is_on_the_page_of_a_program(browser, program, program_file, size, scheme):
    grounds = {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}
    with page_pictures.opened(browser, program_file, program, scheme, *size) as page:
        assert png.size_of(page.screenshot()) == size
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == grounds[scheme]
        cause = page.get_by_text("f32[128,784] → f32[64,784]" if "calls" in program.command else "f32[232,8]")
        assert cause.first.is_visible()
