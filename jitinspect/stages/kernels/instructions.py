"""Optimized HLO text → the instructions that run, in execution order.

The text is that of `Compiled.as_text()`. XLA:CPU's module is scheduled: a
computation's instructions are listed in execution order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_COMPUTATION = re.compile(r"(ENTRY )?%?([\w.-]+) \(.*\{$")
_INSTRUCTION = re.compile(r"  (?:ROOT )?%?([\w.-]+) = (.*)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_OPCODE = re.compile(r"\s([a-z][a-z0-9-]*)\(")
_CALLED = re.compile(
    r"\b(?:calls|to_apply|condition|body|true_computation|false_computation)=%?([\w.-]+)"
    r"|\b(?:branch_computations|called_computations)=\{([^}]*)\}"
)
_LIBRARY_FUSION = re.compile(r'"fusion_config":\{"kind":"([^"]+)"')
_CUSTOM_CALL = re.compile(r'custom_call_target="([^"]+)"')
_NAME = re.compile(r"%[\w.-]+")
_METADATA = re.compile(r", metadata=\{[^}]*\}")

CONTROL_FLOW = frozenset({"while", "conditional", "call", "async-start"})
"""Opcodes that run the instructions of other computations one by one, and have no code themselves."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """`target` is a custom call's target, or the library for which a fusion was formed."""

    name: str
    opcode: str
    calls: tuple[str, ...]
    target: str | None


@dataclass(frozen=True)
class Module:
    """The computations of a module by name: their instructions and, in `bodies`, their text."""

    entry: str | None
    computations: Mapping[str, tuple[Instruction, ...]]
    bodies: Mapping[str, str]

    def executed(self, kernels: Collection[str] = ()) -> tuple[Instruction, ...]:
        """Instructions in execution order; those of loop bodies and branches follow the loop or branch
        itself.

        `kernels` names instructions that are compiled as one kernel, whatever they call.
        """
        return tuple(self._executed(self.entry, kernels)) if self.entry else ()

    def _executed(self, computation: str, kernels: Collection[str]) -> Iterator[Instruction]:
        for instruction in self.computations.get(computation, ()):
            yield instruction
            if instruction.opcode in CONTROL_FLOW and instruction.name not in kernels:
                for called in instruction.calls:
                    yield from self._executed(called, kernels)

    def caller(self, computation: str, executed: Collection[str]) -> str | None:
        """The executed instruction on whose behalf `computation` runs; None if there are several."""
        callers = self._callers.get(computation, ())
        if len(callers) != 1:
            return None
        within, name = callers[0]
        return name if name in executed else self.caller(within, executed)

    @cached_property
    def _callers(self) -> dict[str, list[tuple[str, str]]]:
        callers: dict[str, list[tuple[str, str]]] = {}
        for within, instructions in self.computations.items():
            for instruction in instructions:
                for called in instruction.calls:
                    callers.setdefault(called, []).append((within, instruction.name))
        return callers

    def shape_of_work(self, instruction: Instruction) -> str | None:
        """Equal for two instructions whose called computations differ only in names; None without calls.

        XLA:CPU emits one kernel for such a pair (seen on jaxlib 0.10.2 and 0.12.0).
        """
        if not instruction.calls:
            return None
        names: dict[str, str] = {}
        text = "\n".join(self.bodies.get(called, called) for called in instruction.calls)
        plain = _NAME.sub(lambda match: names.setdefault(match[0], f"%{len(names)}"), _METADATA.sub("", text))
        return f"{instruction.opcode} {instruction.target} {plain}"


def parse(hlo: str) -> Module:
    """Read a module; what is not recognised is skipped."""
    entry, name = None, ""
    bodies: dict[str, list[str]] = {}
    for line in hlo.split("\n"):
        if header := _COMPUTATION.match(line):
            name = header[2]
            entry = name if header[1] else entry
            bodies[name] = []
        elif name and line.startswith("  "):
            bodies[name].append(line)
    parsed = {name: tuple(filter(None, map(_instruction, lines))) for name, lines in bodies.items()}
    return Module(entry, parsed, {name: "\n".join(lines) for name, lines in bodies.items()})


def _instruction(line: str) -> Instruction | None:
    if (assigned := _INSTRUCTION.match(line)) is None:
        return None
    unquoted = _STRING.sub('""', f" {assigned[2]}")
    if (opcode := _OPCODE.search(unquoted)) is None:
        return None
    target = _CUSTOM_CALL.search(line) or _LIBRARY_FUSION.search(line)
    calls = [
        called.lstrip("%")
        for one, several in _CALLED.findall(unquoted)
        for called in (one or several).split(", ")
    ]
    return Instruction(assigned[1], opcode[1], tuple(filter(None, calls)), target and target[1])
