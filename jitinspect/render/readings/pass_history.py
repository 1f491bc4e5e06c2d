"""The history of an instruction, pass by pass: what happened to it, and its lines before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jitinspect.model.pass_histories import InstructionHistory, PassEvent, Replacement
from jitinspect.render.text import Painter

_ADDED, _REMOVED, _DIM, _BOLD = "32", "31", "2", "1"
_NO_PASS = {"pipeline-start": "(before its passes)", "after_optimizations": "(after all passes)"}
_HOW = {"metadata": "same metadata", "users": "its users use it now"}
_UNKNOWN = {
    "appeared": ["what it was made of is unknown"],
    "vanished": ["what is in its place, if anything, is unknown"],
}
_NAMES = 6
"""That are written out."""


def history(one: InstructionHistory, painter: Painter) -> Iterator[str]:
    """The events in their order; lines are never cut, as those of a diff are not."""
    yield painter(f"history of %{one.instruction}", _BOLD) + "\n"
    for event in one.events:
        yield f"{painter(_pass(event), '36')}  {'; '.join(_told(event))}\n"
        for sign, line in _lines(event):
            yield painter(f"{sign} {line}", _ADDED if sign == "+" else _REMOVED if sign == "-" else "") + "\n"


def pass_name(name: str) -> str:
    """Of a dump: XLA also names those that no pass is before."""
    return _NO_PASS.get(name, name)


def _pass(event: PassEvent) -> str:
    if event.index is None:
        return "(XLA's input)"
    return f"{event.index} {pass_name(event.pass_)} ({event.pipeline})"


def _told(event: PassEvent) -> Iterator[str]:
    yield f"%{event.instruction} {_happened(event)}"
    if event.fuses:
        yield f"a fusion of {_named(event.fuses)}"
    if not event.replacements and not event.fuses:
        yield from _UNKNOWN.get(event.event, ())
    for one in event.replacements:
        yield _replacement(one, event.event == "appeared")


def _happened(event: PassEvent) -> str:
    place = _place(event)
    if event.event == "given":
        return f"is{place}"
    if event.event == "moved":
        return f"moved from %{event.from_computation}{place.replace(' in ', ' to ', 1)}"
    return event.event + (place if event.event == "appeared" or _is_moved(event) else "")


def _is_moved(event: PassEvent) -> bool:
    return event.event == "changed" and event.from_computation != event.computation


def _place(event: PassEvent) -> str:
    called = f", which {_named(event.called_by)} calls" if event.called_by else ""
    return f" in %{event.computation}{called}"


def _replacement(one: Replacement, is_new: bool) -> str:
    if one.how != "unknown":
        return f"{'made of' if is_new else 'replaced by'} {_named(one.others)} ({_HOW[one.how]})"
    if is_new:
        return f"what it was made of is unknown: {_named(one.others)} vanished with the same metadata"
    return f"what is in its place is unknown: {_named(one.others)} appeared with the same metadata"


def _named(names: Sequence[str]) -> str:
    left = len(names) - _NAMES
    shown = [f"%{name}" for name in names[:_NAMES]]
    return ", ".join([*shown, *([f"{left} more"] if left > 0 else [])])


def _lines(event: PassEvent) -> Iterator[tuple[str, str]]:
    """A diff: what an instruction was made of, or what is in its place, stands on the other side."""
    others = dict.fromkeys(line for one in event.replacements if one.how != "unknown" for line in one.lines)
    if event.event in ("given", "moved"):
        yield " ", event.after or ""
        return
    yield from (("-", line) for line in ([event.before] if event.before else others))
    yield from (("+", line) for line in ([event.after] if event.after else others))
