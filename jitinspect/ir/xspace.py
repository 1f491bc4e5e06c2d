"""A trace as a profiler of XLA writes it, an `XSpace` → the events of the operations that were executed.

The messages are read by field numbers, as `xplane.proto` of OpenXLA has them: `jax.profiler.ProfileData`
takes 10 µs for the statistics of one event, and a trace has a million (0.10.2). Names of planes, lines and
statistics are those of OpenXLA's `xplane_schema.cc`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jitinspect.ir.trace import Event, Track, in_order
from jitinspect.ir.wire_format import fields, repeated, spans

_FIELDS = 4
"""Of an `XSpace`: planes, errors, warnings, host names."""
_PICO, _NANO = 1e-12, 1e-9
_VARINT = rb"[\x80-\xff]*[\x00-\x7f]"
_EVENT = re.compile(rb"(?:\x08(%b))?(?:\x10(%b))?(?:\x18(%b))?" % (_VARINT, _VARINT, _VARINT), re.DOTALL)
"""Metadata, offset, duration; the statistics follow."""
_INSTRUCTION = re.compile(r"[\w.\-]+")
_DEVICE = "/device:"
_OPS, _MODULES = "XLA Ops", "XLA Modules"
_METADATA, _HEAD = b"/host:metadata", 64
"""A plane's name, and the bytes of a plane in which its name is."""
_REGION = "ThreadpoolListener::StartRegion"
_NUMBERS = ("_p", "_c", "run_id")
"""Statistics that differ in every event, or in every run."""


def operation_tracks(xspace: bytes) -> list[Track]:
    """Of the host only the events of executed operations, of their ends, and of the regions of work in which
    they ran; of devices all, or where there is a line `XLA Ops`, that one and `XLA Modules`: the others have
    the same again.

    Raises `ValueError` for bytes that are no trace.
    """
    with _reading():
        found = [track for plane in _planes(xspace) for track in plane.tracks()]
    return [track for track in found if track.events]


def recorded_seconds(xspace: bytes) -> float | None:
    """From the beginning of the profile to its end; None if it does not say."""
    with _reading():
        stats = [plane.stats for plane in _planes(xspace) if plane.name == "Task Environment"]
    times = stats[0] if stats else {}
    if not {"profile_start_time", "profile_stop_time"} <= times.keys():
        return None
    return float(times["profile_stop_time"] - times["profile_start_time"]) * _NANO


def event_bytes(xspace: bytes) -> int:
    """How many bytes are of events: all but the plane that holds the HLO of the process's programs."""
    planes = spans(xspace, 1)
    return sum(end - begin for begin, end in planes if _METADATA not in xspace[begin : begin + _HEAD])


def _planes(xspace: bytes) -> Iterator[_Plane]:
    for number, message in fields(xspace):
        if number > _FIELDS:
            raise ValueError("a field that no trace has")
        if number == 1:
            yield _Plane(message)


@contextmanager
def _reading() -> Iterator[None]:
    """What other bytes than a trace lead to is a `ValueError`."""
    try:
        yield
    except (ValueError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise ValueError(f"this is no XSpace: {error}") from None


class _Plane:
    """A host or device: its lines of events, and what they refer to by number."""

    def __init__(self, message: bytes) -> None:
        self.name = ""
        self._lines: list[bytes] = []
        self._events: dict[int, bytes] = {}
        self._stat_names: dict[int, str] = {}
        self._own_stats: list[bytes] = []
        self._known: dict[bytes, dict[str, Any]] = {}
        for number, value in fields(message):
            if number == 2:
                self.name = value.decode()
            elif number == 3:
                self._lines.append(value)
            elif number == 4:
                item = dict(fields(value))
                self._events[item.get(1, 0)] = item.get(2, b"")
            elif number == 5:
                item = dict(fields(value))
                self._stat_names[item.get(1, 0)] = b"".join(repeated(item.get(2, b""), 2)).decode()
            elif number == 6:
                self._own_stats.append(value)

    @property
    def stats(self) -> dict[str, Any]:
        return dict(map(self._stat, self._own_stats))

    def tracks(self) -> Iterator[Track]:
        lines = [(b"".join(repeated(line, 2)).decode(), line) for line in self._lines]
        if self.name.startswith(_DEVICE) and any(name == _OPS for name, _ in lines):
            lines = [(name, line) for name, line in lines if name in (_OPS, _MODULES)]
        kinds = self._kinds()
        for name, line in lines:
            yield Track(self.name, name, in_order(self._read(line, kinds)))

    def _kinds(self) -> dict[bytes, tuple[str, dict[str, Any]]]:
        """By its number as it is written, the name of each kind of event that is needed, and the statistics
        that all events of it have: on a TPU, those of the operation.
        """
        kinds = {}
        for number, message in self._events.items():
            name = b"".join(repeated(message, 2)).decode()
            if self._is_needed(name):
                given = dict(self._stat(stat) for stat in repeated(message, 5))
                kinds[_as_varint(number)] = name, given
        return kinds

    def _read(self, line: bytes, kinds: Mapping[bytes, tuple[str, dict[str, Any]]]) -> Iterator[Event]:
        apart, known, match = self._apart(), self._known, _EVENT.match
        began = _timestamp(line) * _NANO
        for begin, end in spans(line, 4):
            head = match(line, begin, end)
            assert head is not None  # it matches nothing, too
            written, offset, duration = head.groups()
            if written not in kinds:
                continue
            name, given = kinds[written]
            start = began + _number(offset or b"") * _PICO
            rest, numbers = apart(line[head.end() : end])
            if rest not in known:
                known[rest] = dict(self._stat(stat) for stat in repeated(rest, 4))
            stats = {**given, **known[rest], **numbers}
            yield Event(name, start, start + _number(duration or b"") * _PICO, stats)

    def _is_needed(self, name: str) -> bool:
        """An instruction's name has letters, digits and `_.-` alone."""
        if self.name.startswith(_DEVICE):
            return True
        return name.startswith(("end: ", _REGION)) or _INSTRUCTION.fullmatch(name) is not None

    def _apart(self) -> Callable[[bytes], tuple[bytes, dict[str, Any]]]:
        """Takes those of `_NUMBERS` apart: what is left has been seen before."""
        numbers = {number: name for number, name in self._stat_names.items() if name in _NUMBERS}
        if not numbers:
            return lambda stats: (stats, {})
        keys = {_as_varint(number): name for number, name in numbers.items()}
        values: dict[bytes, int] = {}
        one = b"|".join(re.escape(key) for key in keys)
        pattern = re.compile(rb"\x22[\x00-\x7f]\x08(%b)[\x18\x20](%b)" % (one, _VARINT), re.DOTALL)

        def split(stats: bytes) -> tuple[bytes, dict[str, Any]]:
            found: dict[str, Any] = {}
            left, at = b"", 0
            for one in pattern.finditer(stats):
                key, written = one.groups()
                if written not in values:
                    values[written] = _signed(_number(written))
                found[keys[key]] = values[written]
                left += stats[at : one.start()]
                at = one.end()
            return left + stats[at:], found

        return split

    def _stat(self, message: bytes) -> tuple[str, Any]:
        name, value = "", None
        for number, field in fields(message):
            if number == 1:
                name = self._stat_names.get(field, "")
            elif number == 2:
                (value,) = struct.unpack("<d", field)
            elif number == 4:
                value = _signed(field)
            elif number == 5:
                value = field.decode(errors="replace")
            elif number == 7:
                value = self._stat_names.get(field, "")
            else:
                value = field
        return name, value


def _timestamp(line: bytes) -> int:
    """Nanoseconds; it comes before the events."""
    found = 0
    for number, value in fields(line):
        if number == 3:
            found = value
        if number >= 3:
            break
    return found


def _number(written: bytes) -> int:
    """That of a whole varint; 0 for no bytes."""
    number = 0
    for byte in reversed(written):
        number = number << 7 | byte & 0x7F
    return number


def _signed(number: int) -> int:
    """Of 64 bits."""
    return number - (1 << 64) if number >> 63 else number


def _as_varint(number: int) -> bytes:
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])
