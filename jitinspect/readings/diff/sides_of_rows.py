"""Two blocks that are compared, from which rows take their texts when they are asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from jitinspect.readings.diff.block_statements import Statements
from jitinspect.readings.diff.statements import CALLS, Form


class Text:
    """A statement with its names, printed where it is asked for."""

    __slots__ = ("form", "names")

    def __init__(self, form: Form, names: Sequence[str]) -> None:
        self.form, self.names = form, names

    def __str__(self) -> str:
        return self.form.text(self.names)


class Sides:
    """The statements of both."""

    def __init__(self, left: Statements, right: Statements) -> None:
        self.left, self.right = left, right

    def before(self, at: int) -> Text:
        """One of the left."""
        return Text(self.left.form(at), self.left.names_of(at))

    def after(self, at: int) -> Text:
        """One of the right."""
        return Text(self.right.form(at), self.renamed(at))

    def renamed(self, at: int) -> Sequence[str]:
        """The names in one of the right, as they are shown."""
        return self.right.names_of(at)


class PairOfSides(Sides):
    """Two blocks that correspond to each other: what is shown of the right uses the names of the left where
    that has some.

    `around` maps the names that both get from outside; `defined` are the places of names that both define, of
    the left and of the right; `block_name` is for the name of a block.
    """

    def __init__(
        self,
        left: Statements,
        right: Statements,
        around: Mapping[str, str],
        defined: Iterable[tuple[int, int]],
        block_name: Callable[[str], str],
    ) -> None:
        super().__init__(left, right)
        self._around, self._defined, self._block_name = around, defined, block_name

        self._shown: dict[int, Text] = {}

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of the right → those of the left."""
        left, right = self.left.names, self.right.names
        return {**self._around, **{right[other]: left[one] for one, other in self._defined}}

    def keep(self, at: int) -> None:
        """What a statement of the right calls is shown by the names that are known now, not by those of
        blocks that turn out later to correspond.
        """
        if at in self.right.skeleton.calling:
            self._shown[at] = Text(self.right.form(at), self.renamed(at))

    def after(self, at: int) -> Text:
        return self._shown.get(at) or Text(self.right.form(at), self.renamed(at))

    def renamed(self, at: int) -> Sequence[str]:
        """The names in a statement of the right, in those of the left."""
        form, own = self.right.form(at), self.right.names_of(at)
        names = list(map(self.names.get, own))
        if CALLS in form.kinds or not all(names):
            return list(map(self._renamed, own, form.kinds))
        return names  # type: ignore[return-value]

    def _renamed(self, name: str, kind: str) -> str:
        """A new name that clashes gets a prime."""
        if kind == CALLS:
            return self._block_name(name)
        known = self.names.get(name)
        return known or (f"{name}′" if name in self._taken else name)

    @cached_property
    def _taken(self) -> set[str]:
        return {name for at in range(len(self.left)) for name in self.left.defined(at)}
