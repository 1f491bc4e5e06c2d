"""A real Chromium, driven by clicks and keys."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.explorations import small, write
from tests.support.working import PATIENCE

expect.set_options(timeout=1000 * PATIENCE)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def executable() -> str | None:
    """The Chromium of the system: Playwright's own would have to be downloaded."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = executable()
    if path is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def told() -> list[str]:
    """What a page wrote to the console, raised or asked for. A test that expects some of it takes it out."""
    return []


@pytest.fixture
def page(browser: Browser, told: list[str]) -> Iterator[Page]:
    """A page that must neither write to the console, nor raise, nor ask anything of anybody."""
    yield from watched_page(browser, told, "file:", offline=True)


def watched_page(browser: Browser, told: list[str], asked: str, offline: bool = False) -> Iterator[Page]:
    """One that may ask for nothing but what begins so."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=offline)
    opened = context.new_page()
    opened.set_default_timeout(1000 * PATIENCE)
    opened.on("console", lambda message: told.append(f"console: {message.text}"))
    opened.on("pageerror", lambda error: told.append(f"error: {error}"))
    opened.on("request", lambda one: one.url.startswith(asked) or told.append(f"request: {one.url}"))
    yield opened
    context.close()
    assert told == []


@pytest.fixture(scope="session")
def address(tmp_path_factory) -> str:
    """Of the page with the small exploration."""
    return write(tmp_path_factory.mktemp("page"), small())


@pytest.fixture
def opened(page: Page, address: str) -> Callable[..., Page]:
    """Opens the page at a fragment."""

    def go(fragment="", width=1440, height=900):
        page.set_viewport_size({"width": width, "height": height})
        page.goto("about:blank")
        page.goto(address + fragment)
        page.locator(".cm-line").first.wait_for()
        return page

    return go
