"""Where the page of `explore` goes if no file is named, and what opens it."""

import sys
import webbrowser
from pathlib import Path

import pytest

from jitinspect.cli.explorer import opened
from jitinspect.cli.options import OutputOptions


@pytest.fixture
def pages(monkeypatch, tmp_path):
    """The addresses that were opened; by a browser that is there where a display is."""
    found = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(webbrowser, "open", lambda address: found.append(address) or True)
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return found


def written(options):
    with opened(options) as output:
        output.output.write_text("page")
    return output.output


def test_what_is_asked_for_otherwise_opens_nothing(pages, tmp_path):
    for options in (OutputOptions(as_json=True), OutputOptions(output=tmp_path / "x.html")):
        with opened(options) as same:
            assert same is options
    assert not pages and not [*tmp_path.iterdir()]


@pytest.mark.parametrize("variable", ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"])
def test_the_page_is_opened_where_it_can_be(pages, monkeypatch, capsys, variable):
    monkeypatch.setenv(variable, "some")
    page = written(OutputOptions())
    assert pages == [page.as_uri()] and page.read_text() == "page" and page.suffix == ".html"
    assert not capsys.readouterr().err


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="has no such variables")
def test_without_a_display_the_file_is_named(pages, capsys):
    page = written(OutputOptions())
    assert not pages and capsys.readouterr().err == f"no browser can be opened here: {page} is the page\n"
    assert page.exists()


def test_a_browser_that_does_not_start_is_told(pages, monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    assert str(written(OutputOptions())) in capsys.readouterr().err


def test_an_error_leaves_no_file(pages, tmp_path):
    with pytest.raises(ValueError, match="of the user's"), opened(OutputOptions()):
        raise ValueError("of the user's")
    assert not [*Path(tmp_path).iterdir()] and not pages
