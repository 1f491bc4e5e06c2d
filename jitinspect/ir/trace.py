"""What a profiler recorded: events on tracks, nested by time. A track is a thread or a device's stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Event(NamedTuple):
    """`start` and `end` are seconds on the trace's own clock."""

    name: str
    start: float
    end: float
    stats: Mapping[str, Any]

    @property
    def seconds(self) -> float:
        return self.end - self.start


class Track(NamedTuple):
    """Events in the order of their starts, an outer one before those inside it."""

    plane: str
    name: str
    events: tuple[Event, ...]


@dataclass(slots=True)
class Node:
    """An event, and those that ran inside it on the same track."""

    event: Event
    inner: list[Node] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.event.seconds

    @property
    def self_seconds(self) -> float:
        """Without those inside it."""
        return self.event.seconds - sum(one.seconds for one in self.inner)

    def within(self) -> Iterator[Node]:
        """This one and all inside it, outer ones first."""
        yield self
        for one in self.inner:
            yield from one.within()


class Span(NamedTuple):
    """A piece of time within an event, in which no event inside it runs; `path` are the events around it and
    itself, outermost first.
    """

    start: float
    end: float
    path: tuple[Event, ...]


def spans(nodes: Iterable[Node], around: tuple[Event, ...] = ()) -> Iterator[Span]:
    """All time of the events, each piece once, in order."""
    for node in nodes:
        path, at = (*around, node.event), node.event.start
        for inner in node.inner:
            if inner.event.start > at:
                yield Span(at, inner.event.start, path)
            yield from spans((inner,), path)
            at = inner.event.end
        if node.event.end > at:
            yield Span(at, node.event.end, path)


class WrittenKernel(NamedTuple):
    """One of LLVM's modules, by the files that its compilation wrote: the first at `begun`, the object file
    at `written`, in seconds on the trace's clock. `symbols` are strings of the object file, the names of its
    functions among them.
    """

    module: str
    begun: float
    written: float
    symbols: frozenset[str] = frozenset()


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """As a track has them."""
    return tuple(sorted(events, key=lambda event: (event.start, -event.end)))


def nested(events: Iterable[Event]) -> list[Node]:
    """The outermost events of a track. One that ends after the one around it, as clocks may have it, counts
    as inside, and is cut there.
    """
    outermost: list[Node] = []
    around: list[Node] = []
    for event in events:
        while around and around[-1].event.end <= event.start:
            around.pop()
        if around:
            node = Node(event._replace(end=min(event.end, around[-1].event.end)))
            around[-1].inner.append(node)
        else:
            node = Node(event)
            outermost.append(node)
        around.append(node)
    return outermost
