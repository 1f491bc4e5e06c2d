"""Where the time went while JAX traced or lowered: by Python line, by function and by kind of operation.

A sample's line is the innermost of the user's on the stack, or, if that is further in, the user's line of the
equation that JAX is at work on: a transposed equation, or one that is lowered, is charged to what made it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from itertools import takewhile
from typing import NamedTuple

from jitinspect.ir.attribution import Innermost, Line, is_users
from jitinspect.ir.program import Frame
from jitinspect.jaxapi.source_lines.equations_on_stack import EquationAt, is_jax, uses_jax
from jitinspect.model.flames import Stack
from jitinspect.process.paths import package, relative
from jitinspect.process.stack_sampling import Samples, Site

_JAX = "jax"


class FunctionTime(NamedTuple):
    """`self_seconds` at lines of the function; `total_seconds` with what it called. `line` is the first of
    those that were seen.
    """

    function: str
    file: str
    line: int
    self_seconds: float
    total_seconds: float


class PrimitiveTime(NamedTuple):
    """Seconds spent on all equations of a primitive, and on those of each line."""

    primitive: str
    seconds: float
    lines: Mapping[Line | None, float]


_Function = tuple[str, str]
"""File and name."""


class _Row(NamedTuple):
    """A stack: its frames that count, innermost first; the one it is charged to; the innermost equation."""

    sites: tuple[Site, ...]
    frames: tuple[Frame, ...]
    at: Frame | None
    primitive: str | None
    seconds: float

    @property
    def is_in_jax(self) -> bool:
        """Whether JAX, or a library that uses it, is further in than the frame that it is charged to."""
        ahead = takewhile(lambda site: _frame(site) != self.at, self.sites)
        return any(_is_of_jax(site.code.co_filename) for site in ahead)


class PythonTime:
    """What was sampled by `with sampled(equation_of) as samples`; `own` is the target's file.

    The seconds by line, and those of the stacks, add up to `samples.seconds` less `samples.own_seconds`.
    """

    def __init__(self, samples: Samples, own: str | None = None) -> None:
        self.samples = samples
        self._innermost = Innermost(own)
        self._frames_of = cache(EquationAt.frames)

    def by_line(self) -> dict[Line | None, float]:
        """The most first; None is what no line of the user's is known of."""
        return _by_line(self._rows)

    def outside_of_jax(self) -> dict[Line | None, float]:
        """By line, what Python itself took: it called nothing of JAX, nor of a library that uses JAX."""
        return _by_line(row for row in self._rows if not row.is_in_jax)

    def within(self, is_inside: Callable[[Line], bool]) -> float:
        """Seconds in which such a line of the user's was on the stack, or on that of an equation."""
        return sum(row.seconds for row in self._rows if any(map(is_inside, map(_line, row.frames))))

    def by_function(self) -> list[FunctionTime]:
        """Functions of the user's, and of libraries those that are charged; the longest first."""
        own: defaultdict[_Function, float] = defaultdict(float)
        total: defaultdict[_Function, float] = defaultdict(float)
        lines: dict[_Function, int] = {}
        for row in self._rows:
            inside = {
                (one.file, one.function): one.line
                for one in row.frames
                if one is row.at or is_users(one.file)
            }
            for function, line in inside.items():
                total[function] += row.seconds
                lines[function] = min(line, lines.get(function, line))
            if row.at is not None:
                own[row.at.file, row.at.function] += row.seconds
        found = (
            FunctionTime(name, file, lines[file, name], own[file, name], seconds)
            for (file, name), seconds in total.items()
        )
        return sorted(found, key=lambda one: (-one.total_seconds, -one.self_seconds))

    def by_primitive(self) -> list[PrimitiveTime]:
        """The longest first. What is spent outside of equations is not in it."""
        groups: defaultdict[str, list[_Row]] = defaultdict(list)
        for row in self._rows:
            if row.primitive is not None:
                groups[row.primitive].append(row)
        found = (
            PrimitiveTime(name, sum(row.seconds for row in rows), _by_line(rows))
            for name, rows in groups.items()
        )
        return sorted(found, key=lambda one: -one.seconds)

    def stacks(self) -> list[Stack]:
        """For a flame graph: a box for each frame of the user's and for each equation; what a package does in
        between is one box with its name.
        """
        seconds: defaultdict[tuple[str, ...], float] = defaultdict(float)
        for row in self._rows:
            seconds[self._boxes(row.sites)] += row.seconds
        return [Stack(frames, spent) for frames, spent in seconds.items()]

    @cached_property
    def _rows(self) -> list[_Row]:
        rows = [self._row(sites, seconds) for sites, seconds in self.samples.stacks()]
        return [*rows, _Row((), (), None, None, self.samples.last_seconds)]

    def _row(self, sites: tuple[Site, ...], seconds: float) -> _Row:
        frames = tuple(self._frames(sites))
        primitive = next((site.note.primitive for site in sites if site.note), None)
        return _Row(sites, frames, self._innermost(frames), primitive, seconds)

    def _frames(self, sites: tuple[Site, ...]) -> Iterator[Frame]:
        """Those that may be charged: of equations and of whatever is neither JAX's nor Python's, unless it is
        what is looked at.
        """
        for site in sites:
            if site.note:
                yield from self._frames_of(site.note)
            if self._counts(site.code.co_filename):
                yield _frame(site)

    def _counts(self, file: str) -> bool:
        """A library that does not use JAX, such as NumPy, is at work for whoever called it: JAX, too."""
        is_library = _is_of_jax(file) and not is_jax(file)
        return is_library or is_users(file) or self._innermost.is_near(file)

    def _boxes(self, sites: tuple[Site, ...]) -> tuple[str, ...]:
        """Outermost first, none twice in a row. What JAX does inside of an equation is part of its box."""
        boxes = [""]
        in_equation = False
        for site in reversed(sites):
            box = self._box(site)
            if box in (None, boxes[-1]) or (in_equation and box == _JAX):
                continue
            in_equation = site.note is not None
            boxes.append(str(box))
        return tuple(boxes[1:])

    def _box(self, site: Site) -> str | None:
        file = site.code.co_filename
        if is_users(file) or self._innermost.is_near(file):
            return _text(_frame(site))
        if site.note:
            made = self._innermost(self._frames_of(site.note))
            name: str = site.note.primitive
            return _text(made._replace(function=name)) if made else name
        library = _JAX if is_jax(file) else package(file)
        return library if library != "jitinspect" else None


def _is_of_jax(file: str) -> bool:
    name = package(file)
    return is_jax(file) or (name is not None and uses_jax(name))


def _text(frame: Frame) -> str:
    return f"{frame.function} {relative(str(_line(frame)))}"


def _line(frame: Frame) -> Line:
    return Line(frame.file, frame.line)


def _frame(site: Site) -> Frame:
    return Frame(site.code.co_filename, site.line, site.code.co_qualname)


def _by_line(rows: Iterable[_Row]) -> dict[Line | None, float]:
    seconds: defaultdict[Line | None, float] = defaultdict(float)
    for row in rows:
        seconds[_line(row.at) if row.at else None] += row.seconds
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))
