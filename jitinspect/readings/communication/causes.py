"""The lines that caused a collective.

That is the line of its own frames. The partitioner's have those of the operation that they were made for, if
any: then a reduction is for the operation that made its parts, anything else for the operation that uses its
result. If XLA merged several into one, only one of them left its frames. Then each part is followed to its
own line: if the program asked for it, to a collective of the jaxpr that no other instruction stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from math import prod
from typing import NamedTuple

from jitinspect.ir.attribution import Attribution, Line
from jitinspect.ir.collectives import CollectiveOperation
from jitinspect.ir.dataflow import Dataflow, Place
from jitinspect.ir.op_names import primitive as primitive_of
from jitinspect.ir.program import Frame, Operation
from jitinspect.readings.communication.asked import SCATTERING

_REDUCTIONS = ("all-reduce", "reduce-scatter")
_SPLIT = ("all-to-all", "ragged-all-to-all", "send", "recv")
"""Those with several operands of one value."""


class OwnCollective(NamedTuple):
    """A collective of the program's own, in its jaxpr: one array of it, on one device."""

    primitive: str
    dims: tuple[int, ...]
    line: Line


class Laid(NamedTuple):
    """A constraint of the program's on how a value lies: its frames, and the axes that it is then sharded
    over. `of` are the frames of what made the value, or the path of the argument that it is.
    """

    frames: tuple[Frame, ...]
    axes: frozenset[str]
    of: tuple[Frame, ...] | str


class Cause(NamedTuple):
    """A line, and how many of the bytes that are received are for it."""

    line: Line
    bytes: int


class Causes:
    """Of the collectives of one program. `own` gives those of its jaxpr, and `laid` the constraints there;
    they are called if they are needed.
    """

    def __init__(
        self,
        attribution: Attribution,
        flow: Dataflow,
        own: Callable[[], Sequence[OwnCollective]],
        laid: Callable[[], Sequence[Laid]],
    ) -> None:
        self._attribution = attribution
        self._flow = flow
        self._find_own = own
        self._find_laid = laid

    @cached_property
    def _unclaimed(self) -> list[OwnCollective]:
        return list(self._find_own())

    @cached_property
    def _laid(self) -> dict[Line | str, list[Laid]]:
        """By the line that made the value, or the path."""
        found: dict[Line | str, list[Laid]] = {}
        for laid in self._find_laid():
            for of in (laid.of,) if isinstance(laid.of, str) else self._attribution.framed(laid.of):
                found.setdefault(of, []).append(laid)
        return found

    def claim(self, one: CollectiveOperation, primitive: str) -> None:
        """Call this first for each that the program asked for and that is not merged."""
        lines = self._framed(one)
        dims = one.received[0].dims
        found = (own for own in self._unclaimed if own.line in lines and own.primitive == primitive)
        best = sorted(found, key=lambda own: own.dims != dims)
        if best:
            self._unclaimed.remove(best[0])

    def own_primitive(self, one: CollectiveOperation) -> str | None:
        """That of the program's own collective that it must stand for, though no metadata says so; None if
        there is none that is alike. XLA for TPUs makes several small `reduce_scatter` one all-reduce.
        """
        if one.kind not in _REDUCTIONS:
            return None
        found = (own for own in self._unclaimed if _stands_for(one, one.received[0].dims, own))
        return next((own.primitive for own in found), None)

    def of(
        self, one: CollectiveOperation, primitive: str | None, axes: Sequence[str], value: str | None
    ) -> tuple[Cause, ...]:
        """Each line once, that of its own frames first; empty if none is known. `primitive` is that of the
        program, None for one of the partitioner's. `axes` are those it runs over, `value` the path of the
        argument that it is of, if it is of one.
        """
        own = self._framed(one)
        moved = primitive is None and self._is_of_the_moved(one, own)
        framed = () if moved else own
        if not is_merged(one):
            found = framed or self._for_part(one, 0, None) or own
            constraint = None if primitive else self._constraint(one, (value, *(own if moved else ())), axes)
            whole = constraint or found or self._inherited(one)
            return tuple(Cause(line, one.bytes_out) for line in whole)
        parts: dict[Line, int] = dict.fromkeys(framed, 0)
        for part, array in enumerate(one.received):
            lines = (
                self._own_line(one, primitive, array.dims) if primitive else self._for_part(one, part, part)
            )
            for line in lines or framed or self._inherited(one):
                parts[line] = parts.get(line, 0) + array.bytes // len(lines or framed or (line,))
        return tuple(Cause(line, bytes_) for line, bytes_ in parts.items())

    def _constraint(
        self, one: CollectiveOperation, of: Sequence[Line | str | None], axes: Sequence[str]
    ) -> tuple[Line, ...]:
        """The line of the constraint that is followed, if there is one: what gathers along an axis leaves
        nothing along it, what exchanges along one leaves something.
        """
        if one.kind in _REDUCTIONS:
            return ()
        names = {axis.partition(":")[0] for axis in axes}
        found = (laid for key in of if key for laid in self._laid.get(key, ()))
        followed = (laid for laid in found if (one.kind == "all-gather") != bool(names & laid.axes))
        return next((self._attribution.framed(laid.frames) for laid in followed), ())

    def _framed(self, one: CollectiveOperation) -> tuple[Line, ...]:
        return self._first_of([one.operation, *(other for _, other in one.others)])

    def _is_of_the_moved(self, one: CollectiveOperation, own: tuple[Line, ...]) -> bool:
        """Whether its frames are those of what it moves, as the partitioner of jaxlib 0.12.0.1 gives them to
        a gather, and not those of what wants it moved.
        """
        if one.kind in _REDUCTIONS or not own:
            return False
        return own == self._first(self._flow.sources(Place(one.block, one.operation), 0))

    def _inherited(self, one: CollectiveOperation) -> tuple[Line, ...]:
        """The lines of what calls the computation that it is in, such as a fusion."""
        return self._attribution.lines(one.operation)

    def _own_line(self, one: CollectiveOperation, primitive: str, dims: tuple[int, ...]) -> tuple[Line, ...]:
        known = (own for own in self._unclaimed if own.primitive == primitive)
        own = next((own for own in known if _stands_for(one, dims, own)), None)
        if own is None:
            return ()
        self._unclaimed.remove(own)
        return (own.line,)

    def _for_part(self, one: CollectiveOperation, part: int, element: int | None) -> tuple[Line, ...]:
        sources = self._flow.sources(Place(one.block, one.operation), part)
        if one.kind in _REDUCTIONS:
            return self._first(sources)
        return self._used_at(one, element) or self._first(sources)

    def _used_at(self, one: CollectiveOperation, element: int | None) -> tuple[Line, ...]:
        """The line of the first use; that of what only calls it, such as a fusion, if there is no other."""
        calling: tuple[Line, ...] = ()
        for place in self._flow.uses(Place(*one.last), element):
            lines = self._first((place,))
            if lines and not place.operation.calls:
                return lines
            calling = calling or lines
        return calling

    def _first(self, places: Iterable[Place]) -> tuple[Line, ...]:
        return self._first_of(place.operation for place in places)

    def _first_of(self, operations: Iterable[Operation]) -> tuple[Line, ...]:
        """The end of an asynchronous collective has the frames of one that it was merged of. A loop, and what
        XLA takes out of it, has those of the loop, which say nothing of what is in it.
        """
        makers = (one for one in operations if not one.opcode.endswith("-done"))
        found = ((one, self._attribution.framed(one.frames)) for one in makers)
        return next((lines for one, lines in found if lines and not self._is_of_a_loop(one)), ())

    def _is_of_a_loop(self, operation: Operation) -> bool:
        line = self._flow.line(operation)
        return "while" in line and primitive_of(line) == "while"


def is_merged(one: CollectiveOperation) -> bool:
    """Whether XLA may have made one of several: each operand stands for one of them."""
    return len(one.operation.operands) > 1 and one.kind not in _SPLIT


def _stands_for(one: CollectiveOperation, dims: tuple[int, ...], own: OwnCollective) -> bool:
    """Whether an array that is received may be that of one of the program's own: if XLA sums all of what the
    program scatters, it is larger by as many as exchange.
    """
    if one.kind == "all-reduce" and own.primitive in SCATTERING:
        return prod(own.dims) * one.group == prod(dims)
    return own.dims == dims
