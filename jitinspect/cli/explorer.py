"""`explore` without a file to write: the page goes to a temporary file, and a browser shows it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from jitinspect.cli.options import OutputOptions


@contextmanager
def opened(output: OutputOptions) -> Iterator[OutputOptions]:
    """Options to write the page by, which then is opened; as they are, where they ask for something else."""
    if output.as_json or output.output is not None:
        yield output
        return
    number, name = tempfile.mkstemp(prefix="jitinspect-", suffix=".html")
    os.close(number)
    page = Path(name)
    try:
        yield replace(output, output=page)
    except BaseException:
        page.unlink()
        raise
    if not _shown(page):
        sys.stderr.write(f"no browser can be opened here: {page} is the page\n")


def _shown(page: Path) -> bool:
    import webbrowser

    return _has_display() and webbrowser.open(page.as_uri())


def _has_display() -> bool:
    """Whether a browser would have a window: without one, Python would start one in the terminal."""
    if os.environ.get("BROWSER") or sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
