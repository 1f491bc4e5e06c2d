"""A progress bar on a terminal, erased when the work is done."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

DELAY, INTERVAL = 0.3, 0.1
"""Seconds until a bar first appears, and between redraws."""


class Bar:
    """A bar on `stream`, a terminal, that `advance` moves by characters out of `total`.

    The caller of `advance` draws it, not a thread, which a program that counts its threads would see.
    """

    def __init__(self, stream: TextIO, total: int, color: bool) -> None:
        self._stream, self._color = stream, color
        self._total = total
        self._done = 0
        self._text = ""
        self._due = time.monotonic() + DELAY
        self._progress: Progress | None = None

    def advance(self, characters: int) -> None:
        self._done += characters
        if time.monotonic() >= self._due:
            self._draw()

    def say(self, text: str) -> None:
        """Show what is going on, beside the bar; at once, because it may take long."""
        self._text = text
        if self._progress is not None:
            self._draw()

    def clear(self) -> None:
        """Make room for another line; the bar comes back when it is next due."""
        if self._progress is not None:
            with suppress(OSError):
                self._progress.stop()
            self._progress = None

    def _draw(self) -> None:
        self._due = time.monotonic() + INTERVAL
        with suppress(OSError):  # a failure to draw must not stop the work
            if self._progress is None:
                self._progress = started(self._stream, self._color, self._total)
            task = self._progress.task_ids[0]
            self._progress.update(task, completed=self._done, description=self._text, refresh=True)


def started(stream: TextIO, color: bool, total: int) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(
        file=stream,
        force_terminal=True,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
    )
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    progress = Progress(
        *columns,
        console=console,
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    progress.add_task("", total=total)
    progress.start()
    return progress
