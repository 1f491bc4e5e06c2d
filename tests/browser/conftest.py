"""A real Chromium, driven by clicks and keys."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Of the system: Playwright's own would have to be downloaded."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
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
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    opened.on("console", lambda message: told.append(f"console: {message.text}"))
    opened.on("pageerror", lambda error: told.append(f"error: {error}"))
    opened.on("request", lambda asked: asked.url.startswith("file:") or told.append(f"request: {asked.url}"))
    yield opened
    context.close()
    assert told == []
