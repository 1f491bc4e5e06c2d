"""What `--watch` prints: a report, then what a save changed in it."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from jitinspect.cli import streams
from jitinspect.cli.changes import changes
from jitinspect.cli.output import columns, report_error
from jitinspect.cli.work import Work
from jitinspect.errors import CheckFailed, JitinspectError
from jitinspect.process.saved_files import stamp
from jitinspect.render.json import error_to_json, to_json
from jitinspect.render.text import shown_path


class Shown:
    """The reports of one command, shown one after the other: as text the first is whole, and of others what
    changed; as JSON each is a line; a file is written anew.
    """

    def __init__(self, work: Work, emit: Callable[..., None]) -> None:
        self._work = work
        self._emit = emit
        self._stdout = streams.own_stdout()
        self._before: Any = None
        self._told = ""

    def next(self, report: Any, error: JitinspectError | None, saved: Sequence[str], seconds: float) -> None:
        """Show the report, or the error, that a save led to; the first, if nothing was `saved`."""
        if error is not None:
            self._tell(saved, f"{self._work.command} failed")
            self._show_error(error)
        else:
            self._show(report, saved, seconds)

    def watching(self, files: Collection[str]) -> None:
        """Tell which files are waited for, if these are others than before."""
        told = f"watching {_named([*files])}; Ctrl-C ends"
        if told != self._told and not self._work.output.quiet:
            _write(f"{told}\n")
        self._told = told

    def _show(self, report: Any, saved: Sequence[str], seconds: float) -> None:
        before, self._before = self._before, report
        blocks = self._changes(before, report)
        made = f"{self._work.command} made again in {seconds:.2f} s"
        self._tell(saved, f"{made} · no change" if blocks == [] else made)
        if blocks is None:
            if before is None:
                self._work.introduced(report)
            self._print(report)
        elif blocks:
            streams.write(self._stdout, blocks)
        try:
            self._work.ended(report)
        except CheckFailed as failed:
            report_error(failed, sys.argv[1:])

    def _changes(self, before: Any, report: Any) -> list[str] | None:
        """As text; None where the whole report is to be printed."""
        output = self._work.output
        if before is None or output.as_json or output.output is not None:
            return None
        color = streams.wants_color(output.color.value, self._stdout)
        width = columns(self._stdout)
        return list(changes(before, report, self._work.compares_text, color, width, output.verbose))

    def _print(self, report: Any) -> None:
        if self._work.output.as_json and self._work.output.output is None:
            self._print_line(to_json(report))
        else:
            self._emit(report, pager=False)

    def _print_line(self, document: str) -> None:
        streams.write(self._stdout, [json.dumps(json.loads(document), ensure_ascii=False), "\n"])

    def _show_error(self, error: JitinspectError) -> None:
        if self._work.output.as_json:
            self._print_line(error_to_json(self._work.command, error))
        else:
            report_error(error, sys.argv[1:])

    def _tell(self, saved: Sequence[str], what: str) -> None:
        """On stderr; on a terminal as a line across it, with the time."""
        if self._work.output.quiet or not saved:
            return
        text = heading(saved, what)
        if sys.stderr.isatty():
            text = _ruled(text, shutil.get_terminal_size().columns, self._paints())
        _write(f"{text}\n")

    def _paints(self) -> bool:
        return streams.wants_color(self._work.output.color.value, sys.stderr)


def heading(saved: Sequence[str], what: str) -> str:
    """`samples/mlp.py saved · hlo made again in 0.31 s`."""
    return f"{_named(saved)} {'saved' if all(map(stamp, saved)) else 'removed'} · {what}"


def _named(files: Sequence[str]) -> str:
    """`samples/mlp.py and 2 more`."""
    first, *others = map(shown_path, files)
    return f"{first} and {len(others)} more" if others else first


def _ruled(text: str, width: int, color: bool) -> str:
    """`── text ─────── 14:03:12`."""
    clock = time.strftime("%H:%M:%S")
    rule = f"── {text} {'─' * max(2, width - len(text) - len(clock) - 5)} {clock}"
    return f"\x1b[2m{rule}\x1b[0m" if color else rule


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
