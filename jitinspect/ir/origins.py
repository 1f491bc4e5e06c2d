"""Where an operation comes from: the lines of Python on its stack, and what JAX calls it, in one form for
jaxpr, StableHLO and HLO.

Two operations have the same origin only where JAX says the same of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from jitinspect.ir.attribution import Attribution, Line, callers_first
from jitinspect.ir.op_names import split_names
from jitinspect.ir.program import Block, Frame, Operation, Program

_OF_ONE_VERSION = ("closed_call", "eval_jaxpr")
"""Words in a path for a call that one JAX makes and another does not (0.10.2 and 0.12.0.1)."""
_PROGRAM = "jit("
_MOST_WAYS = 64


class Origin(NamedTuple):
    """`lines` are innermost first: the user's, or if there is none, the library's that the attribution says.
    `path` is "" if it is not known.
    """

    lines: tuple[Line, ...]
    path: str


class _Way(NamedTuple):
    """One way in which a block is reached: `lines` are those of what called it, of the user's if `is_users`;
    `path` is what comes before those inside, None if that is not known.
    """

    lines: tuple[Line, ...]
    is_users: bool
    path: str | None


class Origins:
    """The origins of each operation of a program: several if several operations became it, or if its block is
    reached in several ways. Their first lines are those of the attribution.
    """

    def __init__(self, program: Program, attribution: Attribution) -> None:
        self._attribution = attribution
        self._blocks = program.named()
        self._stage = program.stage
        begin = _Way((), False, "jit()" if self._stage == "jaxpr" else "")
        self._ways: dict[int, dict[_Way, None]] = {id(program.entry): {begin: None}}
        self._known: dict[int, tuple[Origin, ...]] = {}
        self._stacks: dict[int, tuple[Line, ...]] = {}
        self._paths = cache(_paths)
        for block in callers_first(program, self._blocks):
            self._read(block)

    def __getitem__(self, operation: Operation) -> tuple[Origin, ...]:
        """Empty if nothing is known."""
        return self._known.get(id(operation), ())

    def of_metadata(self, path: str, frames: tuple[Frame, ...]) -> tuple[Origin, ...]:
        """Those of an HLO instruction that is not in the program, such as one that XLA has removed."""
        one = Operation((), "", (), "", "", 0, 0, frames=frames, path=path)
        return tuple(dict.fromkeys(self._of_hlo(one)))

    def _read(self, block: Block) -> None:
        """Operations of a block with the same frames and path, which most share, have the same origins."""
        alike: dict[tuple[int, str], tuple[Origin, ...]] = {}
        for operation in block.operations:
            key = id(operation.frames), operation.path
            is_alone = operation.inner or operation.calls or (self._stage == "hlo" and not operation.frames)
            found = None if is_alone else alike.get(key)
            if found is None:
                made = self._of_hlo(operation) if self._stage == "hlo" else self._of_text(operation, block)
                found = tuple(one for one in dict.fromkeys(made) if any(one))
            if not is_alone:
                alike[key] = found
            self._known[id(operation)] = found

    def _of_hlo(self, operation: Operation) -> Iterator[Origin]:
        """A fusion has those of all instructions in it. Without frames, the lines are those of its data."""
        fused = operation.calls if operation.opcode == "fusion" else ()
        inside = [one for name in fused for one in self._blocks[name].operations]
        framed = [one for one in (operation, *inside) if one.frames]
        for one in framed:
            lines = self._users(one) or self._attribution.framed(one.frames)
            yield from (Origin(lines, path) for path in self._paths(one.path))
        if not any(self._attribution.framed(one.frames) for one in framed):
            lines = self._attribution.lines(operation)
            yield from (Origin((line,), path) for line in lines for path in self._paths(operation.path))

    def _of_text(self, operation: Operation, block: Block) -> Iterator[Origin]:
        """One for each way to the block, whose callers come before it."""
        ways = self._ways.get(id(block), {})
        if self._stage == "stablehlo":  # whose regions have the frames and paths of their function
            self._ways |= {id(inner): ways for inner in operation.inner}
        entered = list(self._entered(operation))
        if len(ways) > _MOST_WAYS:
            self._ways |= {id(inner): ways for inner, _ in entered}
            yield from (Origin((line,), "") for line in self._attribution.lines(operation))
            return
        for way in ways:
            lines, is_users = self._lines(operation, way)
            yield Origin(lines, _plain(_joined(way.path, operation.path)) if operation.path else "")
            for inner, around in entered:
                path = None if around is None else _joined(way.path, around)
                self._ways.setdefault(id(inner), {})[_Way(lines, is_users, path)] = None

    def _entered(self, operation: Operation) -> Iterator[tuple[Block, str | None]]:
        """The blocks that begin anew, and what is before the paths in them."""
        called = [self._blocks[name] for name in operation.calls if name in self._blocks]
        if self._stage == "stablehlo":
            yield from ((block, operation.path or None) for block in called)
            return
        blocks = [*operation.inner, *called]
        known = len(operation.around) == len(blocks)
        yield from zip(blocks, operation.around if known else [None] * len(blocks), strict=True)

    def _lines(self, operation: Operation, way: _Way) -> tuple[tuple[Line, ...], bool]:
        """All on the stack, and whether they are the user's."""
        own = self._users(operation)
        if own or way.is_users:
            return _without_repeats((*own, *(way.lines if way.is_users else ()))), True
        return self._attribution.framed(operation.frames) or way.lines, False

    def _users(self, operation: Operation) -> tuple[Line, ...]:
        """Many operations share their frames, which the program keeps alive."""
        known = self._stacks.get(id(operation.frames))
        if known is None:
            known = _without_repeats(self._attribution.stack(operation))
            self._stacks[id(operation.frames)] = known
        return known


def _paths(path: str) -> tuple[str, ...]:
    """Each of those that XLA merged; "" for an argument, whose name has no path to it."""
    return tuple(dict.fromkeys(_plain(name) if "/" in name else "" for name in split_names(path)))


def _plain(path: str | None) -> str:
    """Without the name of the program, and without calls that only one JAX makes."""
    if not path:
        return ""
    first, _, rest = path.partition("/")
    kept = rest if first.startswith(_PROGRAM) else path
    return "/".join(word for word in kept.split("/") if word not in _OF_ONE_VERSION)


def _joined(before: str | None, path: str) -> str | None:
    if before is None:
        return None
    return f"{before}/{path}" if before and path else before or path


def _without_repeats(lines: Iterable[Line]) -> tuple[Line, ...]:
    """JAX repeats lines, or several together, where it traces what it lowers: a scan's stack is there once
    more for its `while`, and again for the body of that.
    """
    kept: list[Line] = []
    for line in lines:
        kept.append(line)
        for count in range(1, len(kept) // 2 + 1):
            if kept[-count:] == kept[-2 * count : -count]:
                del kept[-count:]
                break
    return tuple(kept)
