"""`explore --serve`: the page in a browser, made again whenever a file of the user's is saved."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jitinspect.cli.explorer import is_opened
from jitinspect.cli.options import OutputOptions
from jitinspect.cli.page_server import PageServer, Served
from jitinspect.cli.watch import watched
from jitinspect.cli.watch_output import Shown, heading
from jitinspect.cli.work import Work
from jitinspect.errors import JitinspectError, UsageError
from jitinspect.render.errors import error_text
from jitinspect.render.html import render_reading


def to_serve(output: OutputOptions) -> OutputOptions:
    """Options to make a page by that is served."""
    if output.as_json or output.output is not None:
        asked, instead = ("--json", "--json") if output.as_json else ("-o", "-o FILE")
        raise UsageError(
            f"--serve and {asked} cannot be combined", hint=f"{instead} --watch, or --serve alone"
        )
    return replace(output, output=Path("page.html"))


def serve(work: Work) -> None:
    """Serve its page, which is made again whenever a file is saved, until Ctrl-C."""
    with PageServer() as server:
        watched(work, _Pages(work, server))


class _Pages(Shown):
    """The reports of one command, each as a page that takes the place of the one before."""

    def __init__(self, work: Work, server: PageServer) -> None:
        super().__init__(work, lambda report, pager: None)
        self._server = server
        self._served: Served | None = None

    def next(self, report: Any, error: JitinspectError | None, saved: Sequence[str], seconds: float) -> None:
        super().next(report, error, saved, seconds)
        before = self._served
        if error is None:
            told = heading(saved, f"made again in {seconds:.2f} s") if saved else ""
            self._served = _page(report, before.version + 1 if before else 1, told)
        elif before is not None:
            told = heading(saved, "failed")
            self._served = replace(before, error=f"{told}\n\n{error_text(error, color=False)}")
        if self._served is not None:
            self._server.show(self._served)
        if before is None and self._served is not None:
            self._open()

    def _open(self) -> None:
        """The address is said in any case: the page can be opened again."""
        sys.stderr.write(f"serving {self._server.url}\n")
        sys.stderr.flush()
        if not is_opened(self._server.url):
            sys.stderr.write("no browser can be opened here: open this address in one\n")


def _page(report: Any, version: int, told: str) -> Served:
    page = "".join(render_reading(report, served=version))
    return Served(page.encode("utf-8", "backslashreplace"), version, told)
