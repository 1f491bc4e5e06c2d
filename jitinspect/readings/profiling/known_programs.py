"""Which of the programs whose HLO a recording holds a run is of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from jitinspect.errors import UnavailableError
from jitinspect.ir import hlo
from jitinspect.ir.program import Program
from jitinspect.ir.program_runs import ProgramRun
from jitinspect.jaxapi.traces.programs import hlo_text

_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = ", re.MULTILINE)
_NAME = re.compile(r"HloModule ([\w.\-]+)")


class KnownProgram:
    """An executable's optimized HLO, as a serialized module or as the text of `Compiled.as_text()`."""

    def __init__(self, hlo: bytes | str) -> None:
        self._hlo = hlo

    @cached_property
    def text(self) -> str:
        """Empty if this jaxlib cannot print it."""
        try:
            return self._hlo if isinstance(self._hlo, str) else hlo_text(self._hlo)
        except UnavailableError:
            return ""

    @cached_property
    def module(self) -> str:
        found = _NAME.match(self.text)
        return found[1] if found else ""

    @cached_property
    def instructions(self) -> frozenset[str]:
        return frozenset(_INSTRUCTION.findall(self.text))

    @cached_property
    def program(self) -> Program:
        return hlo.readable(self.text)

    def can_have(self, run: ProgramRun) -> bool:
        """Whether it has the run's name and all operations that ran."""
        return self.module == run.module and all(one.op in self.instructions for one in run.executions)


class Found(NamedTuple):
    """The program of a run, None if it is not known; `is_sure` unless another one is as likely."""

    program: KnownProgram | None
    is_sure: bool = True


class KnownPrograms:
    """All executables whose HLO is known, by their numbers.

    An executable that came from the on-disk cache runs under the number that it had in the process which
    compiled it, while its HLO has another; that number may be another program's here (0.10.2 and 0.12.0.1).
    So a run is of a program that has its name and its operations, too.
    """

    def __init__(self, from_disk: bool = False) -> None:
        """`from_disk` says that some executables may have come from the on-disk cache."""
        self.from_disk = from_disk
        self._numbered: dict[int, KnownProgram] = {}
        self._others: list[KnownProgram] = []
        self._found: dict[tuple[object, ...], Found] = {}

    def add(self, modules: Mapping[int, bytes]) -> None:
        """Serialized modules by number; those that are known stay."""
        for number, module in modules.items():
            self._numbered.setdefault(number, KnownProgram(module))
        self._found.clear()

    def add_texts(self, texts: Iterable[str]) -> None:
        """Of programs whose number is not known."""
        self._others += map(KnownProgram, texts)
        self._found.clear()

    def of(self, run: ProgramRun) -> Found:
        key = (run.program, run.module, frozenset(one.op for one in run.executions))
        if key not in self._found:
            self._found[key] = self._find(run)
        return self._found[key]

    def _find(self, run: ProgramRun) -> Found:
        numbered = self._numbered.get(run.program) if run.program is not None else None
        is_it = numbered is not None and numbered.can_have(run)
        if is_it and not self.from_disk:
            return Found(numbered)
        likely = [one for one in (*self._numbered.values(), *self._others) if one.can_have(run)]
        if not likely:
            return Found(None)
        return Found(numbered if is_it else likely[0], len({one.text for one in likely}) == 1)
