"""Jaxpr text → program. Each `{ lambda … }` is a block, those in parameters are inner blocks.

A jaxpr that several equations share is printed once, in front, with a name: `let f = { lambda … } in`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from jitinspect.ir.program import Block, Frame, Operation, Program

_HEAD = re.compile(r"\{ lambda\s(.*?)\. let(?=\s)", re.DOTALL)
_SHARED = re.compile(r"^let (\w+) = (?=\{ lambda)", re.MULTILINE)
_WORD = re.compile(r"[^\s\[]+|")
_BINDERS = re.compile(r"([^=]*?)\s?= ")
_PRIMITIVE = re.compile(r"[\w\-.:]+")
_ENDS = re.compile(r"\n( *)|; (?=\S)|\sin \(")
_INSIDE = re.compile(r"(?:\blet (\w+) = )?\{ lambda\s|(?<=[=(,\s])(?<!\bname=)\w+\b(?! ?=)")
_BRACES = re.compile(r"[{}]")
_BRACKETS = re.compile(r"'(?:[^'\\\n]|\\.)*'|[\[\]]")
_NAMES = re.compile(r"([^\s:]+):")
_ATOM = re.compile(r"(?:^|\s)([a-z]+|_)(?=\s|$)")

INNER = "{…}"
"""Replaces a jaxpr among an equation's parameters in its `rest`."""

FramesAt = Callable[[int, int], tuple[Frame, ...]]
"""(line, column) at which an equation begins → its Python lines, innermost first."""


class Unreadable(ValueError):
    """The text is not in the form that JAX is known to print."""


def parse(text: str, frames_at: FramesAt | None = None) -> Program:
    """Raises `Unreadable` if the text does not parse as a jaxpr."""
    return _Reader(text, frames_at).program()


class _Reader:
    """A recursive-descent parser; `_at` is its position in the text."""

    def __init__(self, text: str, frames_at: FramesAt | None) -> None:
        self._text, self._frames_at = text, frames_at
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._row = 0
        self._embedded: set[int] = set()
        self._shared = set(_SHARED.findall(text))
        """Collected first, since a name may be used before its jaxpr is printed."""

    def program(self) -> Program:
        blocks = []
        while match := _SHARED.search(self._text, self._at, self._at + 200):
            self._at = match.end()
            blocks.append(self._block(match[1]))
        blocks.append(self._block("main"))
        blocks[-1].is_entry = True
        return Program("jaxpr", self._text.split("\n"), blocks)

    def _line(self, at: int) -> int:
        """The row of a position, found from that of the last one asked for."""
        while self._row + 1 < len(self._starts) and self._starts[self._row + 1] <= at:
            self._row += 1
        while self._starts[self._row] > at:
            self._row -= 1
        return self._row

    def _block(self, name: str) -> Block:
        """From `{ lambda` to just after its `}`."""
        head = _HEAD.search(self._text, self._at)
        if head is None:
            raise Unreadable(f"no jaxpr begins at {self._text[self._at : self._at + 40]!r}")
        start = self._line(head.start())
        self._at = head.end()
        operations = []
        while not self._is_at_end():
            operations.append(self._equation())
        foot = self._foot()
        end = self._line(self._at - 1) + 1
        return Block(name, tuple(_NAMES.findall(head[1])), operations, start, end, head=head[1], foot=foot)

    def _is_at_end(self) -> bool:
        """Whether `in (…)` comes next; skips what separates equations."""
        while self._text[self._at : self._at + 1] in (" ", "\n", ";"):
            self._at += 1
        if self._at >= len(self._text):
            raise Unreadable("it never ends")
        return self._text.startswith("in ", self._at) and self._text[self._at + 3] in "({"

    def _equation(self) -> Operation:
        """`c:f32[] = add a b`; parameters are in brackets after the primitive."""
        row = self._line(self._at)
        indent = self._at - self._starts[row]
        embedded = len(self._embedded)
        bound = self._binders()
        primitive = self._expect(_PRIMITIVE)
        inner: list[Block] = []
        calls: list[str] = []
        rest = self._parameters(indent, inner, calls)
        operands = self._operands(indent)
        return Operation(
            names=tuple(_NAMES.findall(bound)),
            opcode=primitive[0],
            operands=tuple(_ATOM.findall(operands)),
            type=" ".join(part.partition(":")[2] for part in bound.split(" ") if ":" in part),
            rest=rest,
            arguments=operands.strip(),
            start=row,
            end=self._line(self._at - 1) + 1,
            frames=self._frames_at(row - embedded, indent) if self._frames_at else (),
            inner=inner,
            calls=tuple(calls),
        )

    def _binders(self) -> str:
        """`a:f32[3] b:i32[]`; empty for an equation that exists for its effect."""
        if ":" not in self._expect(_WORD, move=False)[0]:
            return ""
        return " ".join(self._expect(_BINDERS)[1].split())

    def _expect(self, pattern: re.Pattern[str], move: bool = True) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise Unreadable(f"no equation at {self._text[self._at : self._at + 40]!r}")
        if move:
            self._at = match.end()
        return match

    def _parameters(self, indent: int, inner: list[Block], calls: list[str]) -> str:
        """`[…]`, if present; the jaxprs in it are added to `inner`, the names of shared ones to `calls`.

        If they span several lines, they end at a bracket below the start of the equation: strings among them
        may contain any other bracket.
        """
        began = self._at
        if self._text.startswith("[\n", self._at):
            below = "\n" + " " * indent + "]"
            cut = self._inside(lambda: self._text.find(below, self._at), inner, calls)
            if (end := self._text.find(below, self._at)) < 0:
                raise Unreadable("its parameters never end")
            self._at = end + len(below)
            self._pass_over_embedded(began, indent + 2, inner)
        elif self._text.startswith("[", self._at):
            closing = self._closing_bracket()
            cut = self._inside(lambda: closing, inner, calls)
            self._at = closing + 1
        else:
            return ""
        pieces = (self._text[start:end] for start, end in pairwise([began, *cut, self._at]))
        return "".join(piece if index % 2 == 0 else INNER for index, piece in enumerate(pieces))

    def _inside(self, end: Callable[[], int], inner: list[Block], calls: list[str]) -> list[int]:
        """Read the parameters, and return where the jaxprs among them begin and end. After each jaxpr, `end`
        is computed again: a jaxpr in a library's own type is not indented, and may contain such an end
        itself.
        """
        cut = []
        while (match := _INSIDE.search(self._text, self._at, end())) is not None:
            if match[0].endswith(("lambda ", "lambda\n")):
                self._at = match.start() if match[1] is None else match.end(1) + len(" = ")
                cut.append(self._at)
                inner.append(self._block(match[1] or ""))
                cut.append(self._at)
            else:
                self._at = match.end()
                calls += [match[0]] if match[0] in self._shared else []
        return cut

    def _pass_over_embedded(self, began: int, indent: int, inner: list[Block]) -> None:
        """A jaxpr in a library's own type is printed separately and inserted as text of several lines. JAX's
        printer counts them as one line, and knows no equations there.
        """
        first = self._line(began)
        rows = self._text[began : self._at].split("\n")[1:-1]
        low = [row for row, line in enumerate(rows, first + 1) if len(line) - len(line.lstrip()) < indent]
        if low:
            self._embedded.update(range(low[0], low[-1] + 1))
            _forget_frames(inner, low[0] - 1)

    def _closing_bracket(self) -> int:
        """The bracket that closes parameters on one line, where brackets outside strings are paired."""
        depth = 0
        for match in _BRACKETS.finditer(self._text, self._at):
            if match[0] in "[]":
                depth += 1 if match[0] == "[" else -1
                if depth == 0:
                    return match.start()
        raise Unreadable("its parameters never end")

    def _operands(self, indent: int) -> str:
        """Up to the end of the equation, which includes lines that are indented further."""
        began = self._at
        for match in _ENDS.finditer(self._text, self._at):
            if match[1] is None or len(match[1]) <= indent:
                self._at = match.start()
                return self._text[began : self._at]
        raise Unreadable("an equation never ends")

    def _foot(self) -> str:
        """The results, up to the brace that ends the jaxpr; they may contain braces themselves."""
        began, depth = self._at, 0
        for match in _BRACES.finditer(self._text, self._at):
            if match[0] == "}" and depth == 0:
                self._at = match.end()
                return self._text[began : match.start()].strip()
            depth += 1 if match[0] == "{" else -1
        raise Unreadable("it never ends")


def _forget_frames(blocks: list[Block], row: int) -> None:
    """Drop the frames of operations that begin at `row` or below."""
    for block in blocks:
        for operation in block.operations:
            if operation.start >= row:
                operation.frames = ()
            _forget_frames(operation.inner, row)
