"""The compile log: a line for each trace, lowering and compilation, as it happens."""

from __future__ import annotations

from contextlib import suppress
from typing import TextIO

from jitinspect.model import CompileEvent, Phase
from jitinspect.render.text import cut_middle, seconds, shown_path

_PHASE_COLOURS: dict[Phase, str] = {"trace": "36", "lower": "34", "compile": "35"}
CLEAR_LINE = "\r\x1b[2K"


class CompileLog:
    """Writes events to `stream` (stderr) as they happen; JAX's own compilations are folded into one line.

    `live`, for a terminal, adds a status line that is erased again.
    """

    def __init__(self, stream: TextIO, *, color: bool, live: bool, verbose: bool, width: int) -> None:
        self._stream = stream
        self._color = color
        self._live = live
        self._verbose = verbose
        self._width = width
        self._folded: list[CompileEvent] = []
        self._status = ""

    @property
    def is_live(self) -> bool:
        return self._live

    def on_start(self, phase: Phase, function: str) -> None:
        self._status = f"{phase} {function} …"
        if self._live:
            self._write(self._status)

    def still(self, waited: float) -> None:
        """Show for how many seconds the stage has been going on."""
        if self._live:
            self._write(f"{self._status} {waited:.0f} s")

    def on_event(self, event: CompileEvent) -> None:
        if event.internal and not self._verbose:
            self._folded.append(event)
            self._write("")
        else:
            self._write(event_line(event, self._width, self._color) + "\n")

    def note(self, text: str) -> None:
        """Write a note into the log."""
        self._write(_paint("note", "33", self._color) + f"  {text}\n")

    def close(self) -> None:
        """Write the line for the folded events."""
        self._write("")
        if self._folded:
            self._write(_paint(_folded_line(self._folded), "2", self._color) + "\n")
        self._folded.clear()

    def _write(self, text: str) -> None:
        """A failure to write the log must not lose the report."""
        with suppress(OSError):
            self._stream.write((CLEAR_LINE if self._live else "") + text)
            self._stream.flush()


def event_line(event: CompileEvent, width: int, color: bool) -> str:
    """`compile   40.1 ms  loss_fn(f32[128,784])  mlp.py:12`; a long signature is cut in the middle."""
    source = shown_path(event.source) if event.source else ""
    outcome = {"hit": "  from disk", "miss": "  not on disk"}.get(event.cache or "", "")
    room = max(16, width - len(source) - len(outcome) - 23)
    signature = cut_middle(event.signature or event.function, room)
    return "".join(
        (
            _paint(f"{event.phase:<8}", _PHASE_COLOURS[event.phase], color),
            f"{seconds(event.seconds):>9}  ",
            _highlighted(signature) if color else signature,
            outcome,
            _paint(f"  {source}", "2", color) if source else "",
        )
    )


def _highlighted(signature: str) -> str:
    from jitinspect.render.highlight import highlight
    from jitinspect.render.highlight.theme import TERMINAL

    return "".join(highlight(signature, "jaxpr", TERMINAL))


def _folded_line(events: list[CompileEvent]) -> str:
    compilations = sum(event.phase == "compile" for event in events)
    what = f"{compilations} compilations" if compilations else f"{len(events)} steps"
    total = seconds(sum(event.seconds for event in events))
    return f"+ {total} for {what} by JAX itself (eager operations); -v shows them"


def _paint(text: str, sgr: str, color: bool) -> str:
    return f"\x1b[{sgr}m{text}\x1b[0m" if color else text
