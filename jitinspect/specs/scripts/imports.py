"""What the import lines of a `.calls` script bind: a name as it is called → a target."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from jitinspect.specs.caret import problem
from jitinspect.specs.scan import scan

_EXAMPLE = "from samples.mlp import loss_fn, predict"


class Imports:
    """The names so far. A later import of a name stands for it from there on, as in Python."""

    def __init__(self) -> None:
        self._bound: dict[str, tuple[str, str]] = {}

    def read(self, text: str) -> None:
        """Take in an import statement. Raises `UsageError`, with a caret, for one that does not read."""
        self._bound.update(_bindings(text))

    def ref(self, name: str) -> str | None:
        """`samples.mlp:loss_fn`, the target of a dotted name.

        It ends in the colon where a module itself is named; None for what was not imported.
        """
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            if bound := self._bound.get(".".join(parts[:count])):
                module, attribute = bound
                return f"{module}:{'.'.join([attribute, *parts[count:]] if attribute else parts[count:])}"
        return None

    def nearest(self, name: str) -> list[str]:
        """The imported names that `name` may be a misspelling of, best first."""
        from difflib import get_close_matches  # which only errors pay for

        head = name.split(".")[0]
        return list(dict.fromkeys(found for n in (name, head) for found in get_close_matches(n, self._bound)))


def _bindings(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each name that is bound, with its module and, for what is not a module, the name in there."""
    scanned = scan(text)
    if scanned.leaves:
        raise problem(text, min(scanned.leaves), "this is not a name to import", _EXAMPLE)
    match _parse(text, scanned.code):
        case ast.ImportFrom(level=level) if level:
            message = "a script is in no package, so it has no relative imports"
            raise problem(text, text.index("."), message, "name the package: from a.b import f")
        case ast.ImportFrom(module=str(module), names=names):
            for alias in names:
                if alias.name == "*":
                    hint = f"from {module} import f, g"
                    raise problem(text, text.index("*"), "name what the script calls", hint)
                yield alias.asname or alias.name, (module, alias.name)
        case ast.Import(names=names):
            for alias in names:
                yield alias.asname or alias.name, (alias.name, "")


def _parse(text: str, code: str) -> ast.stmt:
    """The one statement of `code`, which is as long as `text`."""
    indent = len(code) - len(code.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(code.strip()).body
    except SyntaxError as error:
        column = min(indent + max(0, (error.offset or 1) - 1), len(text))
        raise problem(text, column, f"this import does not parse ({error.msg})", _EXAMPLE) from None
    except (RecursionError, MemoryError, ValueError):
        raise problem(text, indent, "this import does not parse", _EXAMPLE) from None
    if len(body) > 1:
        hint = "put the next into a line of its own"
        raise problem(text, code.index(";"), "write one statement a line", hint)
    return body[0]
