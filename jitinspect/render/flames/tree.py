"""Stacks that begin alike → one tree of boxes, the widest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jitinspect.model.flames import Stack


@dataclass(slots=True)
class Box:
    """A frame within those around it: `seconds` in all, `own` without the boxes inside."""

    frame: str
    depth: int
    seconds: float = 0.0
    own: float = 0.0
    inner: dict[str, Box] = field(default_factory=dict)


def tree(stacks: Iterable[Stack], name: str = "") -> Box:
    """The box around all stacks, which says `name`."""
    around = Box(name, 0)
    for stack in stacks:
        box = around
        box.seconds += stack.seconds
        for frame in stack.frames:
            if frame not in box.inner:
                box.inner[frame] = Box(frame, box.depth + 1)
            box = box.inner[frame]
            box.seconds += stack.seconds
        box.own += stack.seconds
    return around


def boxes(around: Box) -> Iterator[Box]:
    """This box and all inside it, each before those inside it, and the widest first.

    Stacks may be deeper than Python recurses.
    """
    waiting = [around]
    while waiting:
        box = waiting.pop()
        yield box
        waiting += sorted(box.inner.values(), key=lambda one: one.seconds)
