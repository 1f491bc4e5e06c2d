"""Small texts that several renderers share."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from jitinspect.model import AbsentDevice

DIM = "2"

WIDE = 10_000
"""The width of output that is not a terminal: wide enough that nothing is cut."""

ALL = 10**9
"""The width, or number of rows, to show everything."""


def seconds(value: float) -> str:
    """A duration to about three digits: `840 µs`, `12.3 ms`, `4.56 s`."""
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


def cut_middle(text: str, width: int) -> str:
    """`text` in at most `width` printable characters; both ends stay, because they say the most."""
    text = printable(text)
    if len(text) <= width:
        return text
    if width < 3:
        return text[: max(width, 0)]
    left = (width - 1) // 2
    return f"{text[:left]}…{text[left + 1 - width :]}"


def cut_place(place: str, width: int) -> str:
    """A path, with its line, in at most `width` columns: cut from the left, where the folders are."""
    place = printable(shown_path(place))
    return place if len(place) <= width else f"…{place[len(place) - max(width, 1) + 1 :]}"


def whole(texts: Sequence[str], more: int, room: int) -> str:
    """As many of the texts as fit into `room` columns, none of them cut, and the number of the others, to
    which `more` is added: `a: 1 → 2, b: 3 → 4 (+7 more)`. Empty if not even the first fits.
    """
    for shown in range(len(texts), 0, -1):
        left = len(texts) - shown + more
        text = printable(", ".join(texts[:shown]) + (f" (+{left} more)" if left else ""))
        if len(text) <= room:
            return text
    return ""


def whole_lines(texts: Sequence[str], more: int, room: int) -> list[str]:
    """The same in one line; a first text that does not fit is continued on other lines."""
    if fits := whole(texts, more, room):
        return [fits]
    return wrapped(whole(texts[:1], len(texts[1:]) + more, ALL), room)


def wrapped(text: str, room: int) -> list[str]:
    """All of the text, in lines of at most `room` columns that end between words where they can; at least
    one line.
    """
    kept = _MORE.sub("\\1\N{NO-BREAK SPACE}\\2", printable(text))
    lines = textwrap.wrap(kept, max(room, 1), break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines] or [""]


_MORE = re.compile(r"(\(\+\d+) (more\))")
"""Not to be torn."""


def printable(text: str) -> str:
    """Escape control characters: names and reprs come from the program."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shown_path(path: str) -> str:
    """Relative to the current folder or to `site-packages`, if it is below one of them."""
    try:
        below = os.getcwd() + os.sep
    except OSError:  # the program removed it
        return path
    return path.removeprefix(below) if path.startswith(below) else path.rpartition("/site-packages/")[2]


def shown_places(places: Iterable[str]) -> str:
    """`net.py:6, 7, nn.py:3`: a file is written once for lines that follow each other."""
    parts: list[str] = []
    before = None
    for place in map(shown_path, places):
        file, _, number = place.rpartition(":")
        parts.append(number if file == before else place)
        before = file
    return ", ".join(parts)


class Painter:
    """Paints text, if `color`."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, text: str, sgr: str) -> str:
        return f"\x1b[{sgr}m{text}\x1b[0m" if self.color and text and sgr else text


def fitted(widths: Sequence[int], room: int, least: int) -> list[int]:
    """The widths of columns; the widest are reduced until all fit, or have the `least` width."""
    given = list(widths)
    while sum(given) > room and max(given) > least:
        given[given.index(max(given))] -= 1
    return given


def joined(parts: list[str], width: int) -> list[str]:
    """The parts with a dot between them, in as few lines as possible, of about the same length: no part is
    left alone below a full line.
    """
    lines = list(_joined(parts, width))
    while len(narrower := list(_joined(parts, max(map(len, lines)) - 1))) == len(lines) > 1:
        if max(map(len, narrower)) >= max(map(len, lines)):
            break
        lines = narrower
    return lines


def _joined(parts: list[str], width: int) -> Iterator[str]:
    line = parts[0]
    for part in parts[1:]:
        if len(line) + 3 + len(part) <= width:
            line += f" · {part}"
        else:
            yield line
            line = f"  {part}"
    yield line


def hanging(text: str, width: int) -> list[str]:
    """A sentence in as many lines as needed; all but the first are indented."""
    return textwrap.wrap(text, max(width, 20), subsequent_indent="  ", break_on_hyphens=False)


def count(number: int, what: str, one: str = "", many: str = "s") -> str:
    """`1 call`, `2 calls`; `one` and `many` are the endings of the word."""
    return f"{number:,} {what}{one if number == 1 else many}"


def amount(number: float) -> str:
    """A count to about three digits: `840`, `12.3 k`, `4.56 G`."""
    return _scaled(number, 1000, ("", "k", "M", "G", "T", "P", "E"))


def size(number: float) -> str:
    """Bytes to about three digits, by powers of ten: `840 B`, `12.3 kB`, `4.56 GB`."""
    return _scaled(number, 1000, ("B", "kB", "MB", "GB", "TB", "PB", "EB"))


def significant(number: float) -> str:
    """Three digits, without an exponent: `0.00123`, `12.3`, `1,230`."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}" if number >= 1e-4 else f"{number:.6f}"


def duration(value: float) -> str:
    """Seconds to about three digits, however few: `840 ns`, `12.3 µs`, `4.56 s`."""
    return _scaled(value * 1e9, 1000, ("ns", "µs", "ms", "s"))


def _scaled(number: float, step: int, units: Sequence[str]) -> str:
    power = 0
    while number >= step - 0.5 and power < len(units) - 1:
        number, power = number / step, power + 1
    digits = 0 if power == 0 or number >= 99.95 else 1 if number >= 9.995 else 2
    return f"{number:.{digits}f} {units[power]}".rstrip()


def compiled_for(device: AbsentDevice) -> str:
    """What the figures and texts stand for: no device was there to try them on."""
    how = "to the end" if device.full else "up to the scheduled HLO (--full: to the end)"
    many = f"{device.count} × " if device.count > 1 else ""
    return (
        f"compiled for {device.name} ({many}{device.kind}) by {device.compiler}, {how}; "
        "no device was involved"
    )
