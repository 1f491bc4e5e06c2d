"""A history: definitions, the calls before, the changed call, and its causes, which are known."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """As a reason says it: `before` and `now` are parts of its texts; None stands for anything."""

    kind: str
    where: str | None = None
    before: str | None = None
    now: str | None = None


@dataclass(frozen=True)
class Change:
    """A value that an argument has before, and now, as Python text; why that compiles; and, if the result
    does not depend on it, what to pass before and now instead.
    """

    before: str
    now: str
    causes: tuple[Cause, ...]
    instead: tuple[str, str] | None = None


@dataclass(frozen=True)
class History:
    """Each of the `causes` has to be told; those of the kinds in `also` may be. `advised` is a program
    without them, whose last line compiles nothing and gives the same result, if there is one. `has_default`:
    an argument is left to its default.
    """

    title: str
    definitions: list[str]
    earlier: list[str]
    changed: str
    causes: tuple[Cause, ...]
    advised: list[str] | None = None
    also: tuple[str, ...] = ()
    has_default: bool = False
    number: int = -1

    @property
    def before(self) -> str:
        """All but the last line."""
        return "\n".join([*self.definitions, *self.earlier]) + "\n"

    @property
    def file(self) -> str:
        return f"history_{self.number}.py"

    @property
    def last_line(self) -> str:
        """The line of the changed call, as a report names it."""
        return f"{self.file}:{self.before.count(chr(10)) + 1}"
