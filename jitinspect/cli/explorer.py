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
from jitinspect.errors import UsageError


@contextmanager
def opened(output: OutputOptions, watch: bool = False) -> Iterator[OutputOptions]:
    """Options to write the page by, which then is opened; as they are, where they ask for something else."""
    if output.as_json or output.output is not None:
        yield output
        return
    if watch:
        raise UsageError("--watch needs -o or --json", hint="--serve keeps a page in a browser up to date")
    number, name = tempfile.mkstemp(prefix="jitinspect-", suffix=".html")
    os.close(number)
    page = Path(name)
    try:
        yield replace(output, output=page)
    except BaseException:
        page.unlink()
        raise
    if not is_opened(page.as_uri()):
        sys.stderr.write(f"no browser can be opened here: {page} is the page\n")


def is_opened(address: str) -> bool:
    """Whether a browser shows it now."""
    import webbrowser

    return _has_display() and webbrowser.open(address)


def _has_display() -> bool:
    """Whether a browser would have a window: without one, Python would start one in the terminal."""
    if os.environ.get("BROWSER") or sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
