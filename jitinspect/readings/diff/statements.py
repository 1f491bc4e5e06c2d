"""An operation as words, which matter, and names, which do not: what is compared and printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from jitinspect.ir.program import Block, Operation, Program

_HLO_NAME = re.compile(r"%[\w.\-]+")
_MLIR_NAME = re.compile(r"%[\w$.\-]+|@[\w$.\-]+")
_ATOM = re.compile(r"(?<![^\s(,])[a-z]+(?![^\s,)])")
_BINDER = re.compile(r"[^\s:]+(?=:)")
_BLANKS = re.compile(r"\s+")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Where a Python object lies, which JAX prints of some (0.8.3: of the function that a callback calls)."""
_OPTIONS = re.compile(r"^(HloModule|module) [^,\s]+")


class Name(NamedTuple):
    """A name in a statement: `def` and `use` are those of values, `call` is that of a block."""

    text: str
    kind: str
    """`def`, `use` or `call`."""

    def itself(self) -> str:
        """As it is written: what renames nothing."""
        return self.text


@dataclass(slots=True)
class Statement:
    """`words` come before, between and after the `names`: there is one more than there are names."""

    opcode: str
    words: tuple[str, ...]
    names: tuple[Name, ...]
    operation: Operation | None = None
    """None for the head and the foot of a block."""

    def text(self, rename: Callable[[Name], str] = Name.itself) -> str:
        """The statement on one line, with its names mapped by `rename`."""
        parts = [self.words[0]]
        for name, word in zip(self.names, self.words[1:], strict=True):
            parts += (rename(name), word)
        return _BLANKS.sub(" ", "".join(parts)).strip()


def statements(program: Program, block: Block) -> list[Statement]:
    """The block's operations, preceded by its head and followed by its foot."""
    make = _MAKERS[program.stage]
    found = [make(program, operation) for operation in block.operations]
    return [*_head(program, block), *found, *_foot(block)]


def options(program: Program) -> Statement:
    """What the module's first line says, except for its name."""
    return Statement("module", (_OPTIONS.sub(r"\1", program.head),), ())


def _hlo(program: Program, operation: Operation) -> Statement:
    line = program.lines[operation.start].strip()
    if not line.startswith(("%", "ROOT %")):
        line = _with_signs(line, operation)
    names = _HLO_NAME.findall(line)
    defined, used = len(operation.names), len(operation.names) + len(operation.operands)
    made = [
        Name(
            name, "def" if at < defined else "use" if at < used or name[1:] not in operation.calls else "call"
        )
        for at, name in enumerate(names)
    ]
    return Statement(operation.opcode, tuple(_HLO_NAME.split(line)), tuple(made), operation)


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
    made = []
    for match in _MLIR_NAME.finditer(line):
        name = match[0]
        if name.startswith("@"):
            made.append(Name(name, "call" if name[1:] in operation.calls else "use"))
        else:
            made.append(Name(name, "def" if name in defined and name not in operation.operands else "use"))
    return Statement(operation.opcode, tuple(_MLIR_NAME.split(line)), tuple(made), operation)


def _jaxpr(program: Program, operation: Operation) -> Statement:
    words: list[str] = [""]
    names: list[Name] = []

    def put(pattern: re.Pattern[str], text: str, kind: str) -> None:
        """Split the text into words and names, which `pattern` matches."""
        pieces = pattern.split(text)
        names.extend(Name(name, kind) for name in pattern.findall(text))
        words[-1] += pieces[0]
        words.extend(pieces[1:])

    types = operation.type.split(" ") if operation.names else []
    rest = _ADDRESS.sub("", operation.rest)
    for name, type_ in zip(operation.names, types, strict=False):
        names.append(Name(name, "def"))
        words.append(f":{type_} ")
    words[-1] += f"= {operation.opcode}"
    if operation.calls:
        called = "|".join(map(re.escape, sorted(set(operation.calls), key=len, reverse=True)))
        put(re.compile(rf"(?<=[=(,\s])(?<!\bname=)(?:{called})\b(?! ?=)"), rest, "call")
    else:
        words[-1] += rest
    words[-1] += " "
    put(_ATOM, operation.arguments, "use")
    return Statement(operation.opcode, tuple(words), tuple(names), operation)


_MAKERS = {"hlo": _hlo, "stablehlo": _mlir, "jaxpr": _jaxpr}


def _head(program: Program, block: Block) -> Iterator[Statement]:
    """The types of the parameters, if no operation shows them."""
    if not block.head:
        return
    pattern = _BINDER if program.stage == "jaxpr" else _MLIR_NAME
    names = tuple(Name(name, "def") for name in pattern.findall(block.head))
    yield Statement("head", tuple(pattern.split(block.head)), names)


def _foot(block: Block) -> Iterator[Statement]:
    """The results of a jaxpr."""
    if block.foot:
        names = tuple(Name(name, "use") for name in _ATOM.findall(block.foot.removeprefix("in ")))
        words = _ATOM.split(block.foot.removeprefix("in "))
        yield Statement("in", (f"in {words[0]}", *words[1:]), names)
