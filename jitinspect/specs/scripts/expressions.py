"""What stands in a script beside plain arguments: `CALL * 100`, and `config(jax_enable_x64=True)`."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from jitinspect.specs.model import Argument, CallSpec, ValueSpec
from jitinspect.specs.reader import Reader

PROGRAM = "a .py script is run as the program it is"
"""The way out for whatever a script of calls cannot say."""

CALL = "loss_fn(f32[128,784])"
WITH = "with config(jax_enable_x64=True):"


class RepeatedCall(NamedTuple):
    """A call, the column of the name that it calls, and how often it is made."""

    call: CallSpec
    column: int
    repeat: int


class ScriptReader(Reader):
    """An argument in a script; of another option of the command line no hint would help."""

    computed = f"write its value, or make it a program: {PROGRAM}"


class CallReader(ScriptReader):
    """A line that is to be a call. Raises `UsageError`, with a caret, for what does not read."""

    example = CALL

    def repeated_call(self) -> RepeatedCall:
        """`CALL`, `CALL * 100`, `100 * CALL`."""
        match self._parse():
            case ast.BinOp(ast.Call() as node, ast.Mult(), count) | ast.BinOp(
                count, ast.Mult(), ast.Call() as node
            ):
                call, repeat = self._call(node), self._count(count)
            case ast.Call() as node:
                call, repeat = self._call(node), 1
            case other:
                raise self._error(other, "this is not a call of a named function", CALL)
        return RepeatedCall(call, self._start(node.func), repeat)

    def _count(self, node: ast.expr) -> int:
        value = getattr(node, "value", None)
        if type(value) is not int or value < 1:
            message = "a call is repeated a whole number of times, at least once"
            raise self._error(node, message, f"{CALL} * 100")
        return value


class SettingsReader(ScriptReader):
    """What stands between `with` and its colon. Raises as `CallReader` does."""

    example = WITH

    def settings(self) -> dict[str, Any]:
        """`config(jax_enable_x64=True)`: the names of the settings are not judged."""
        match self._parse():
            case ast.Call(ast.Name("config"), [], keywords):
                return dict(map(self._setting, self._keywords(keywords), keywords))
            case ast.Call(ast.Name("config"), [value, *_]):
                raise self._error(value, "a setting needs a name", WITH)
            case other:
                raise self._error(other, "only `with config(…):` makes a block", WITH)

    def _setting(self, argument: Argument, node: ast.keyword) -> tuple[str, Any]:
        match argument:
            case Argument(str(name), ValueSpec(value)):
                return name, value
        raise self._error(node.value, "a setting has a plain value", "True, 3, 'float32', None")
