"""Which computations of an HLO text are alike but for names: a program of many layers repeats a few."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping

from jitinspect.ir.readable_hlo import without_op_names

_NAME = re.compile(r"%([\w.\-]+)")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_BEFORE_AN_INSTRUCTION = ("  ", "  ROOT ")


def structures(computations: Iterable[tuple[str, str]]) -> Iterator[int]:
    """A number for each, the same for those that are alike, with all that they call. Given are their names,
    and the texts of their instructions, what is called before what calls it, as XLA prints them.
    """
    numbers: dict[Hashable, int] = {}
    known: dict[str, int] = {}
    for name, text in computations:
        known[name] = numbers.setdefault(_structure(text, known), len(numbers))
        yield known[name]


def _structure(text: str, known: Mapping[str, int]) -> Hashable:
    """Places stand for names. What is in strings has to be the same, if it looks like a name or not."""
    text = without_op_names(text)
    between = _NAME.split(text)
    names = between[1::2]
    del between[1::2]
    rest = "%".join(between)
    places = dict(zip(names, range(len(names)), strict=True))
    return (
        rest,
        tuple(map(places.get, names)),
        _called(between, names, known) if "=%" in rest or "={%" in rest else (),
        tuple(_STRING.findall(text)) if '"' in rest else (),
    )


def _called(between: list[str], names: list[str], known: Mapping[str, int]) -> tuple[int | str | None, ...]:
    """The structures of computations that are called, and the names of those that are not known."""
    own = {name for name, text in zip(names, between, strict=False) if text.endswith(_BEFORE_AN_INSTRUCTION)}
    return tuple(known.get(name, None if name in own else name) for name in names)


def renamed(text: str, like: str) -> dict[str, str]:
    """What the names in `like` are called in `text`, which is alike."""
    names, others = (_NAME.findall(without_op_names(one)) for one in (text, like))
    return dict(zip(others, names, strict=True))
