"""Operations as words, which matter, and names, which do not: what is compared and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from jitinspect.ir.hlo_instructions import instruction
from jitinspect.ir.program import Block, Operation, Program

_HLO_NAME = re.compile(r"(%[\w.\-]+)")
_UNSIGNED = re.compile(r"\n(?!  %[^ \n]+ = |  ROOT %[^ \n]+ = )")
_MLIR_NAME = re.compile(r"%[\w$.\-]+|@[\w$.\-]+")
_ATOM = re.compile(r"(?<![^\s(,])[a-z]+(?![^\s,)])")
_BINDER = re.compile(r"[^\s:]+(?=:)")
_BLANKS = re.compile(r"\s+")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Where a Python object lies, which JAX prints of some (0.8.3: of the function that a callback calls)."""
_OPTIONS = re.compile(r"^(HloModule|module) [^,\s]+")
NAME = "\0"
"""Stands for a name. It is no blank, and in no text."""
DEFINES, USES, CALLS = "duc"
"""What a statement does with a name: values are defined and used, blocks are called."""


class Statement(NamedTuple):
    """`words` come before, between and after the `names`: there is one more than there are names. `kinds` has
    one of `DEFINES`, `USES` and `CALLS` for each name.
    """

    opcode: str
    words: tuple[str, ...]
    names: Sequence[str]
    kinds: str


class Form:
    """What statements have in common that differ in names alone."""

    def __init__(self, opcode: str, words: tuple[str, ...], kinds: str = "") -> None:
        self.opcode, self.words, self.kinds = opcode, words, kinds

        self.used = [place for place, kind in enumerate(kinds) if kind != DEFINES]
        """Where the names are that are not defined here."""
        self.calls = CALLS in kinds

    def text(self, names: Sequence[str]) -> str:
        """The statement on one line."""
        return self.template % tuple(names)

    @cached_property
    def parts(self) -> list[str]:
        """What that line has between its names, before and after them."""
        return _BLANKS.sub(" ", NAME.join(self.words)).strip().split(NAME)

    @cached_property
    def template(self) -> str:
        """That line, with `%s` for each name."""
        return "%s".join(part.replace("%", "%%") for part in self.parts)


def statements(program: Program, block: Block) -> list[Statement]:
    """One for each operation of a jaxpr, a function or region, not for those inside them; head and foot, too,
    if there are such.
    """
    make = _mlir if program.stage == "stablehlo" else _jaxpr
    return [*_head(program, block), *(make(program, one) for one in block.operations), *_foot(block)]


def has_head(block: Block) -> bool:
    """Whether its first statement is its head: the types of its parameters, if no operation shows them."""
    return bool(block.head)


def options(program: Program) -> Form:
    """What the module's first line says, except for its name."""
    return Form("module", (_OPTIONS.sub(r"\1", program.head),))


def hlo_pieces(program: Program, block: Block) -> tuple[str, list[str]]:
    """The instructions of an HLO computation, each on a line, with `NAME` for each name; and the names."""
    text = "\n".join(["", *program.lines[block.start + 1 : block.end - 1]])
    if _UNSIGNED.search(text):
        text = "\n".join(["", *(_signed_line(program, one) for one in block.operations)])
    pieces = _HLO_NAME.split(text[1:])
    return NAME.join(pieces[::2]), pieces[1::2]


def hlo_form(line: str) -> Form:
    """The form of such a line. Which of its names are those of blocks depends on what is before them."""
    words = line.strip().split(NAME)
    names = [f"%{at}" for at in range(len(words) - 1)]
    operation = instruction("".join(chain.from_iterable(zip(words, [*names, ""], strict=True))), 0)
    assert operation is not None
    used = 1 + len(operation.operands)
    kinds = [
        DEFINES if at == 0 else USES if at < used or name[1:] not in operation.calls else CALLS
        for at, name in enumerate(names)
    ]
    return Form(operation.opcode, tuple(words), "".join(kinds))


def _signed_line(program: Program, operation: Operation) -> str:
    line = program.lines[operation.start].strip()
    return line if line.startswith(("%", "ROOT %")) else _with_signs(line, operation)


def _with_signs(line: str, operation: Operation) -> str:
    """Adds the `%` signs, which JAX leaves out of the HLO that XLA is given."""
    root = "ROOT " if line.startswith("ROOT ") else ""
    operands = ", ".join(f"%{name}" for name in operation.operands)
    rest = operation.rest
    for name in set(operation.calls):
        rest = re.sub(rf"(?<=[={{ ,]){re.escape(name)}(?![\w.\-])", f"%{name}", rest)
    if not operands:
        return f"{root}%{operation.names[0]} = {line.partition(' = ')[2]}"
    return f"{root}%{operation.names[0]} = {operation.type} {operation.opcode}({operands}){rest}"


def _mlir(program: Program, operation: Operation) -> Statement:
    line = program.lines[operation.start].strip()
    if operation.inner:
        line = f"{line} … {program.lines[operation.end - 1].strip()}"
    defined = {*operation.names, *(name for block in operation.inner for name in block.parameters)}
    names = _MLIR_NAME.findall(line)
    kinds = [
        (CALLS if name[1:] in operation.calls else USES)
        if name.startswith("@")
        else DEFINES
        if name in defined and name not in operation.operands
        else USES
        for name in names
    ]
    return Statement(operation.opcode, tuple(_MLIR_NAME.split(line)), names, "".join(kinds))


def _jaxpr(program: Program, operation: Operation) -> Statement:
    words: list[str] = [""]
    names: list[str] = []
    kinds: list[str] = []

    def put(pattern: re.Pattern[str], text: str, kind: str) -> None:
        """Split the text into words and names, which `pattern` matches."""
        pieces = pattern.split(text)
        names.extend(pattern.findall(text))
        kinds.extend(kind for _ in pieces[1:])
        words[-1] += pieces[0]
        words.extend(pieces[1:])

    types = operation.type.split(" ") if operation.names else []
    rest = _ADDRESS.sub("", operation.rest)
    for name, type_ in zip(operation.names, types, strict=False):
        names.append(name)
        kinds.append(DEFINES)
        words.append(f":{type_} ")
    words[-1] += f"= {operation.opcode}"
    if operation.calls:
        called = "|".join(map(re.escape, sorted(set(operation.calls), key=len, reverse=True)))
        put(re.compile(rf"(?<=[=(,\s])(?<!\bname=)(?:{called})\b(?! ?=)"), rest, CALLS)
    else:
        words[-1] += rest
    words[-1] += " "
    put(_ATOM, operation.arguments, USES)
    return Statement(operation.opcode, tuple(words), names, "".join(kinds))


def _head(program: Program, block: Block) -> Iterator[Statement]:
    if not has_head(block):
        return
    pattern = _BINDER if program.stage == "jaxpr" else _MLIR_NAME
    names = pattern.findall(block.head)
    yield Statement("head", tuple(pattern.split(block.head)), names, DEFINES * len(names))


def _foot(block: Block) -> Iterator[Statement]:
    """The results of a jaxpr."""
    if block.foot:
        names = _ATOM.findall(block.foot.removeprefix("in "))
        words = _ATOM.split(block.foot.removeprefix("in "))
        yield Statement("in", (f"in {words[0]}", *words[1:]), names, USES * len(names))
