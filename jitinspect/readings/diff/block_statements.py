"""The statements of a block, of which large programs have the same few again and again, but for names: what
these have in common is found out once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from jitinspect.ir.program import Block, Operation, Program
from jitinspect.readings.diff.statements import (
    CALLS,
    DEFINES,
    Form,
    Statement,
    has_head,
    hlo_form,
    hlo_pieces,
    statements,
)

_Words = tuple[str, ...]


class Skeleton:
    """The statements of a block but for their names: of all names in it, statement `i` has those from
    `starts[i]` to `starts[i + 1]`. `calling` are the statements that call blocks, `called` where their names
    are, `defined` where each statement defines names.
    """

    def __init__(self, forms: list[Form]) -> None:
        self.forms = forms
        self.starts = list(accumulate((len(form.kinds) for form in forms), initial=0))
        kinds = "".join(form.kinds for form in forms)
        self.called = [at for at, kind in enumerate(kinds) if kind == CALLS]
        self.calling = {at for at, form in enumerate(forms) if CALLS in form.kinds}
        self.defined = [
            [at for at in range(start, start + len(form.kinds)) if kinds[at] == DEFINES]
            for start, form in zip(self.starts, forms, strict=False)
        ]

    @cached_property
    def opcodes(self) -> Counter[str]:
        return Counter(form.opcode for form in self.forms)


@dataclass(frozen=True, slots=True)
class Statements:
    """A `skeleton` with its `names`. The statement `first` is the first operation of the `block`: what comes
    before it is a head.
    """

    skeleton: Skeleton
    names: Sequence[str]
    block: Block | None = None
    first: int = 0
    has_inner: bool = False
    """Whether operations of this stage can have blocks inside."""

    def __len__(self) -> int:
        return len(self.skeleton.forms)

    def form(self, at: int) -> Form:
        return self.skeleton.forms[at]

    def names_of(self, at: int) -> Sequence[str]:
        """The names in a statement."""
        starts = self.skeleton.starts
        return self.names[starts[at] : starts[at + 1]]

    def defined(self, at: int) -> list[str]:
        """The names that a statement defines."""
        return [self.names[place] for place in self.skeleton.defined[at]]

    def called(self, at: int) -> list[str]:
        """The names of the blocks that a statement calls."""
        kinds = zip(self.names_of(at), self.form(at).kinds, strict=True)
        return [name for name, kind in kinds if kind == CALLS]

    def operation(self, at: int) -> Operation | None:
        """None for a head and a foot."""
        operations = self.block.operations if self.block else []
        return operations[at - self.first] if self.first <= at < self.first + len(operations) else None

    def inner(self, at: int) -> Sequence[Block]:
        """The blocks inside a statement."""
        operation = self.operation(at) if self.has_inner else None
        return operation.inner if operation else ()

    def text(self, at: int) -> str:
        """A statement on one line."""
        return self.form(at).text(self.names_of(at))


class StatementReader:
    """Reads the blocks of all programs that are compared. Equal forms, and in HLO equal skeletons with names
    that are equal at the same places, are one object. Instructions of HLO are not taken apart any further.
    """

    def __init__(self) -> None:
        self._forms: dict[tuple[str, _Words, str], Form] = {}
        self._hlo_forms: dict[str, Form] = {}
        self._skeletons: dict[object, Skeleton] = {}

    def __call__(self, program: Program, block: Block) -> Statements:
        if program.stage == "hlo":
            return Statements(*self._computation(program, block), block)
        made = statements(program, block)
        skeleton = Skeleton([self._form(one) for one in made])
        names = [name for one in made for name in one.names]
        return Statements(skeleton, names, block, int(has_head(block)), has_inner=True)

    def _computation(self, program: Program, block: Block) -> tuple[Skeleton, Sequence[str]]:
        text, names = hlo_pieces(program, block)
        numbers: dict[str, int] = {}
        same = tuple([numbers.setdefault(name, len(numbers)) for name in names])
        key = text, same, tuple([numbers.get(f"%{name}", -1) for name in block.parameters])
        skeleton = self._skeletons.get(key)
        if skeleton is None:
            skeleton = self._skeletons[key] = Skeleton(
                list(map(self._hlo_form, filter(None, text.split("\n"))))
            )
        return skeleton, names

    def _hlo_form(self, line: str) -> Form:
        form = self._hlo_forms.get(line)
        if form is None:
            form = self._hlo_forms[line] = hlo_form(line)
        return form

    def _form(self, one: Statement) -> Form:
        key = one.opcode, one.words, one.kinds
        if key not in self._forms:
            self._forms[key] = Form(*key)
        return self._forms[key]
