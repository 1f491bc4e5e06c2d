"""`.calls`: imports, calls, and `with config(…):` blocks; each in the grammar of arguments, none executed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import Any, NamedTuple

from jitinspect.specs.caret import Problem, UnknownName, problem
from jitinspect.specs.model import ScriptCall
from jitinspect.specs.scan import scan
from jitinspect.specs.scripts.expressions import CALL, PROGRAM, WITH, CallReader, RepeatedCall, SettingsReader
from jitinspect.specs.scripts.imports import Imports
from jitinspect.specs.scripts.statements import Statement, statements

_REMEDIES = {
    **dict.fromkeys(("for", "while"), f"{CALL} * 100 repeats a call"),
    "pass": "delete the line, or put a # before it",
}
_WORD = re.compile(r"\s*([^\W\d]\w*)")
_HEADER = re.compile(r"\s*with\b(?=[\s(]*config\b)")
_ASSIGNMENT = re.compile(r"\s*[^\W\d][\w.]*(?:\s*,\s*[\w.]+)*\s*(?::[^=]*)?[-+*/|&%^]{0,2}=(?!=)")
_TARGET = re.compile(r"\s*(?P<module>[^\W\d][\w.]*)(?P<colon>:)(?P<name>[^\W\d]\w*)[\w.]*\(")
_BEGINS_A_CALL = re.compile(r"[^\W\d][\w.]*\(")


def read_calls(lines: Iterable[str], path: str) -> Iterator[ScriptCall]:
    """The calls of a `.calls` script, each as soon as its line is read; `path` is what errors name.

    Raises `UsageError`, with file, line and a caret, at the first line that does not read.
    """
    script = _Script()
    for statement in statements(lines, path):
        try:
            call = script.take(statement)
        except Problem as error:
            raise statement.located(error) from None
        if call is not None:
            yield call
    script.finish()


class _Block(NamedTuple):
    """Lines of one indentation, and the settings that hold in them."""

    indent: str
    settings: dict[str, Any]


class _Header(NamedTuple):
    """A `with` line whose block has yet to begin."""

    statement: Statement
    settings: dict[str, Any]


class _Script:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self._imports = Imports()
        self._blocks = [_Block("", {})]
        self._header: _Header | None = None

    def take(self, statement: Statement) -> ScriptCall | None:
        """The call that the statement is, if it is one. Raises `UsageError` for what is no statement here."""
        text = statement.text
        self._enter_or_leave_blocks(statement)
        match _keyword(text):
            case "import" | "from":
                self._imports.read(text)
            case "with":
                self._header = _Header(statement, {**self._blocks[-1].settings, **_settings(text)})
            case None:
                return self._call(statement)
            case other:
                message = f"{other!r} is not read here: a script has imports, calls and `with config(…)`"
                raise problem(text, len(statement.indent), message, _REMEDIES.get(other, PROGRAM))
        return None

    def finish(self) -> None:
        """Raises `UsageError` for a `with` at the very end."""
        if self._header:
            statement = self._header.statement
            message = "this block has no calls"
            hint = "put its calls below it, indented"
            raise statement.located(problem(statement.text, len(statement.indent), message, hint))

    def _enter_or_leave_blocks(self, statement: Statement) -> None:
        indent, innermost = statement.indent, self._blocks[-1].indent
        if self._header:
            if not indent.startswith(innermost) or indent == innermost:
                message = f"the block of the `with` in line {self._header.statement.line} is not indented"
                raise problem(statement.text, len(indent), message, "put blanks before each of its calls")
            self._blocks.append(_Block(indent, self._header.settings))
            self._header = None
        while len(indent) < len(self._blocks[-1].indent):
            self._blocks.pop()
        if indent != self._blocks[-1].indent:
            message = "this indentation is that of no block"
            raise problem(statement.text, len(indent), message, f"only {WITH} begins one")

    def _call(self, statement: Statement) -> ScriptCall:
        call, column, repeat = _repeated_call(statement.text)
        ref = self._imports.ref(call.function)
        if ref is None or ref == "jax:config.update":
            raise self._unknown(statement.text, column, call.function)
        if ref.endswith(":"):
            message = f"{call.function} is a module, not a function"
            raise problem(statement.text, column, message, f"{call.function}.FUNCTION(…)")
        return ScriptCall(ref, call, statement.at, tuple(self._blocks[-1].settings.items()), repeat)

    def _unknown(self, text: str, column: int, name: str) -> Problem:
        if "config" in name.split("."):
            return problem(text, column, "settings hold for a block of calls", WITH)
        module, _, _ = name.rpartition(".")
        line = f"import {module}" if module else f"from … import {name}"
        near = " or ".join(self._imports.nearest(name))
        hint = f"did you mean {near}? Else put before it: {line}" if near else f"put before it: {line}"
        return UnknownName(text, column, f"{name} is not imported", hint, None)


def _keyword(text: str) -> str | None:
    """The keyword that a statement begins with; None for an expression, which is to be a call."""
    word = _WORD.match(text)
    return word[1] if word and iskeyword(word[1]) and word[1] not in ("None", "True", "False") else None


def _settings(text: str) -> dict[str, Any]:
    """The settings of a `with config(…):` line."""
    header = _HEADER.match(text)
    if header is None:
        raise problem(text, text.index("with"), "only settings make a block", WITH)
    code = scan(text).code.rstrip()
    if not code.endswith(":"):
        message = "a `with` line ends in a colon; its calls are below it"
        raise problem(text, len(code), message, WITH)
    return SettingsReader(text[: len(code) - 1], start=header.end()).settings()


def _repeated_call(text: str) -> RepeatedCall:
    """The call of any other line."""
    if assignment := _ASSIGNMENT.match(text):
        value = text[assignment.end() :].strip()
        hint = value if _BEGINS_A_CALL.match(value) else "write the value where it is used"
        raise problem(text, assignment.end() - 1, "a script of calls has no variables", hint)
    if target := _TARGET.match(text):
        hint = f"from {target['module']} import {target['name']}"
        raise problem(text, target.start("colon"), "a script imports what it calls", hint)
    return CallReader(text).repeated_call()
