"""Where the time of a compilation went: what each thread did, and how much of the wall clock that was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar

from jitinspect.errors import UnavailableError
from jitinspect.ir.trace import Event, Node, Span, nested, spans
from jitinspect.jaxapi.traces.compilation import TimedCompilation
from jitinspect.jaxapi.traces.recording import MARK
from jitinspect.model.flames import Stack
from jitinspect.readings.timings import xla_phases
from jitinspect.readings.timings.kernel_times import Slot, compiled_modules
from jitinspect.readings.timings.wall_clock import divided
from jitinspect.readings.timings.xla_phases import Part, part_of

_WITHOUT_LENGTH = "ThreadpoolListener::"
_COMPILING = "compiling thread"
_HELPING = "code generation thread"
_WAITS = "waits for the other threads"

Key = TypeVar("Key", bound=Hashable)


class Work(NamedTuple):
    """What a thread did: `wall` seconds in which all waited for it, of the `threads` seconds that it took."""

    thread: str
    part: Part
    wall: float
    threads: float
    event: Event


class Seconds(NamedTuple):
    """Sums of work, and how many events it consists of."""

    wall: float
    threads: float
    runs: int


class XlaTime:
    """Reads a compilation. Raises `UnavailableError` if XLA recorded nothing."""

    def __init__(self, compilation: TimedCompilation) -> None:
        tracks = [_nodes(track.events) for track in compilation.tracks]
        self._leading = [nodes for nodes in tracks if any(map(_leads, _all(nodes)))]
        self._helping = [
            nodes for nodes in tracks if any(map(_helps, _all(nodes))) and nodes not in self._leading
        ]
        self._mark = self._first(lambda event: event.name == MARK)
        self._compiler = self._first(lambda event: event.name in xla_phases.COMPILING)
        self.compiled = compiled_modules(compilation.kernels, [_llvm_slots(nodes) for nodes in tracks])
        self._module_of = {one.slot: one.kernel.module for one in self.compiled}

    @property
    def threads(self) -> int:
        """How many did anything."""
        return len({one.thread for one in self.work})

    @cached_property
    def work(self) -> list[Work]:
        """All of it: the seconds on the wall clock add up to those of the whole compilation."""
        leading = list(self._within(self._leading))
        helping = {
            f"{_HELPING} {number}": [
                one for one in self._within([nodes]) if any(map(xla_phases.is_helping, one.path))
            ]
            for number, nodes in enumerate(self._helping, 1)
        }
        threads = {id(span): name for name, of in helping.items() for span in of}
        wall: defaultdict[int, float] = defaultdict(float)
        found = []
        shares = divided(leading, (one for of in helping.values() for one in of), _waits)
        for span, start, seconds in shares:
            if id(span) in threads:
                wall[id(span)] += seconds
            else:
                found.append(self._work(_COMPILING, span, start, seconds, seconds))
        for name, of in helping.items():
            found += [self._work(name, one, one.start, wall[id(one)], one.end - one.start) for one in of]
        return found

    def _work(self, thread: str, span: Span, start: float, wall: float, threads: float) -> Work:
        part, event = part_of(span.path)
        if part.phase == xla_phases.CONVERSION and start > self._compiler.start:
            part = Part(xla_phases.OTHER)
        module = self._module_of.get(Slot(event.start, event.end), part.module)
        return Work(thread, part._replace(module=module), wall, threads, event)

    def stacks(self, name_of: Callable[[str], str]) -> list[Stack]:
        """Thread by thread, what it did: the phase, and in it the pass of a pipeline, or the kernel, which is
        the `name_of` a module.
        """
        seconds: defaultdict[tuple[str, ...], float] = defaultdict(float)
        for one in self.work:
            part = one.part._replace(module=name_of(one.part.module) if one.part.module else "")
            seconds[one.thread, *filter(None, part)] += one.threads
        own = sum(one.threads for one in self.work if one.thread == _COMPILING)
        seconds[_COMPILING, _WAITS] = max(self._mark.seconds - own, 0.0)
        return [Stack(frames, spent) for frames, spent in seconds.items() if spent]

    def _within(self, tracks: Iterable[list[Node]]) -> Iterator[Span]:
        """What lies in the compilation: a thread may end its last event only after that has gone on."""
        for nodes in tracks:
            for one in spans(nodes):
                start, end = max(one.start, self._mark.start), min(one.end, self._mark.end)
                if start < end:
                    yield one._replace(start=start, end=end)

    def _first(self, is_it: Callable[[Event], bool]) -> Event:
        events = [node.event for nodes in self._leading for node in _all(nodes) if is_it(node.event)]
        if not events:
            raise UnavailableError("XLA recorded no events of this compilation")
        return min(events, key=lambda event: event.start)


def grouped(work: Iterable[Work], key: Callable[[Work], Key | None]) -> dict[Key, Seconds]:
    """The longest first; what has no key is left out."""
    groups: defaultdict[Key, list[Work]] = defaultdict(list)
    for one in work:
        name = key(one)
        if name is not None:
            groups[name].append(one)
    sums = {name: _sum(of) for name, of in groups.items()}
    return dict(sorted(sums.items(), key=lambda item: (-item[1].wall, -item[1].threads)))


def _sum(work: Sequence[Work]) -> Seconds:
    wall, threads = (sum(column) for column in zip(*((one.wall, one.threads) for one in work), strict=True))
    return Seconds(wall, threads, len({id(one.event) for one in work}))


def _llvm_slots(nodes: Iterable[Node]) -> list[Slot]:
    events = (node.event for node in _all(nodes))
    return [Slot(event.start, event.end) for event in events if event.name == xla_phases.LLVM_MODULE]


def _nodes(events: Iterable[Event]) -> list[Node]:
    found = nested(event for event in events if not event.name.startswith(_WITHOUT_LENGTH))
    for node in _all(found):
        node.event = xla_phases.with_kernel(node.event, [one.event for one in node.inner])
    return found


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    return (inner for node in nodes for inner in node.within())


def _leads(node: Node) -> bool:
    return node.event.name == MARK or xla_phases.is_leading(node.event)


def _helps(node: Node) -> bool:
    return xla_phases.is_helping(node.event)


def _waits(span: Span) -> bool:
    return xla_phases.is_waiting(span.path[-1])
