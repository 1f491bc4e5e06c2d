"""`.jsonl`: one call per line, as an object whose strings are in the argument grammar."""

from __future__ import annotations

import json
import marshal
import os
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import Any

from jitinspect.specs.arrays import array_alone
from jitinspect.specs.caret import Problem, not_utf8, problem, refuse_bytes
from jitinspect.specs.scan import MAX_DEPTH
from jitinspect.specs.scripts.expressions import ScriptReader
from jitinspect.specs.scripts.json_columns import Path, column_of, column_within
from jitinspect.specs.spec_types import Argument, CallSpec, DictSpec, ListSpec, ScriptCall, Spec, ValueSpec

_EXAMPLE = '{"fn": "samples.mlp:loss_fn", "args": ["f32[128,784]"]}'
_REMEDIES = {"'": 'strings need double quotes: "…"', "True": "true", "False": "false", "None": "null"}
_FORMS = {
    "args": ("an array", '["f32[128,784]", true]'),
    "kwargs": ("an object", '{"training": true}'),
    "config": ("an object", '{"jax_enable_x64": true}'),
}


def read_jsonl(lines: Iterable[str], path: str) -> Iterator[ScriptCall]:
    """The calls of a `.jsonl` script, line by line; blank lines are skipped.

    Raises as `read_jsonl_line` does, at the first line that does not parse.
    """
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff") if number == 1 else line
        if text.strip():
            yield read_jsonl_line(text, f"{path}:{number}")


def read_jsonl_line(line: str, at: str) -> ScriptCall:
    """The call that a line asks for; errors name `at`, such as `calls.jsonl:3`.

    Raises `UsageError`, with a caret, for malformed JSON and for what is not a call. Keys that
    have no meaning here are skipped.
    """
    text = line.rstrip()
    try:
        return _Record(text).call(at)
    except Problem as error:
        raise problem(text, error.column, error.complaint, error.hint, at) from None


def call_key(line: str) -> bytes | None:
    """Equal for lines that ask for the same call and have the same other keys, whatever their values; None
    for what is not a call.

    This takes little longer than `json.loads`; reading the call takes twenty times as long.
    """
    try:
        fields, end = _scan(line, 0)
        if (line[end:] != "\n" and line[end:].strip()) or not_utf8(line) is not None:
            return None
        return marshal.dumps(
            [*map(fields.get, KEYS), [name for name in fields if name not in KEYS]], _BY_VALUE
        )
    except (StopIteration, ValueError, AttributeError, RecursionError):
        return None


_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
KEYS = ("fn", "args", "kwargs", "config", "repeat")
_BY_VALUE = 2
"""A version of marshal's format that does not record whether two values are the same object."""


class _Record:
    """The object of one line."""

    def __init__(self, line: str) -> None:
        refuse_bytes(line)
        self._line = line
        self._fields = _loads(line)
        if not isinstance(self._fields, dict):
            raise self._error((), "a call must be an object", _EXAMPLE)

    def call(self, at: str) -> ScriptCall:
        ref, name = self._function()
        call = CallSpec(name, (*self._positional(), *self._named()))
        passed_over = tuple(name for name in self._fields if name not in KEYS)
        return ScriptCall(ref, call, at, tuple(self._config()), self._repeat(), passed_over)

    def _function(self) -> tuple[str, str]:
        """The target, and its name in its module."""
        ref = self._fields.get("fn")
        if ref is None:
            raise self._error((), '"fn", the function to call, is missing', _EXAMPLE)
        if not isinstance(ref, str):
            raise self._error(("fn",), '"fn" must be a string', '"samples.mlp:loss_fn"')
        module, _, name = ref.rpartition(":")
        if not _is_dotted(name) or not (_is_dotted(module) or _is_file(module)):
            raise self._error(("fn",), f"{ref[:40]!r} is not of the form MODULE:FUNCTION", _with_colon(ref))
        return ref, name

    def _positional(self) -> Iterator[Argument]:
        for index, value in enumerate(self._field("args", list)):
            yield Argument(None, self._spec(value, ("args", index)))

    def _named(self) -> Iterator[Argument]:
        for name, value in self._field("kwargs", dict).items():
            if not name.isidentifier() or iskeyword(name):
                raise self._error(("kwargs", name), f"{name[:40]!r} cannot be the name of an argument")
            yield Argument(name, self._spec(value, ("kwargs", name)))

    def _config(self) -> Iterator[tuple[str, Any]]:
        """The names of the settings are not checked; strings are plain strings here, not specs."""
        for name, value in self._field("config", dict).items():
            if isinstance(value, list | dict):
                hint = 'true, 3, "float32", null'
                raise self._error(("config", name), "a setting must be a plain value", hint)
            yield name, value

    def _repeat(self) -> int:
        repeat = self._fields.get("repeat")
        if repeat is None:
            return 1
        if type(repeat) is not int or repeat < 1:
            raise self._error(("repeat",), '"repeat" must be a whole number of at least 1', '"repeat": 100')
        return repeat

    def _field(self, name: str, kind: type) -> Any:
        """The list or dict of that name; empty if it is missing or null."""
        value = self._fields.get(name)
        if value is None:
            return kind()
        if not isinstance(value, kind):
            raise self._error((name,), f'"{name}" must be {_FORMS[name][0]}', f'"{name}": {_FORMS[name][1]}')
        return value

    def _spec(self, value: Any, path: Path) -> Spec:
        if len(path) > MAX_DEPTH:
            raise self._error((), f"nested more than {MAX_DEPTH} deep")
        match value:
            case str():
                return self._text(value, path)
            case list():
                return ListSpec(tuple(self._spec(item, (*path, i)) for i, item in enumerate(value)))
            case dict():
                return DictSpec(tuple((key, self._spec(item, (*path, key))) for key, item in value.items()))
        return ValueSpec(value)

    def _text(self, text: str, path: Path) -> Spec:
        try:
            return array_alone(text) or ScriptReader(text).expression()
        except Problem as error:
            column = column_within(self._line, path, text, error.column)
            raise problem(self._line, column, error.complaint, error.hint) from None

    def _error(self, path: Path, complaint: str, hint: str | None = None) -> Problem:
        return problem(self._line, column_of(self._line, path), complaint, hint)


def _loads(line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        remedies = (hint for begin, hint in _REMEDIES.items() if line.startswith(begin, error.pos))
        hint = next(remedies, _EXAMPLE)
        raise problem(line, error.pos, f"this line is not JSON ({error.msg})", hint) from None
    except (ValueError, RecursionError):
        raise problem(line, 0, "a number in this line is too long, or its nesting too deep") from None


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _is_file(module: str) -> bool:
    return module.endswith(".py") or "/" in module or os.sep in module


def _with_colon(ref: str) -> str:
    """What was most likely meant: a colon instead of the last dot."""
    module, _, name = ref.rpartition(".")
    fixed = f"{module}:{name}"
    return fixed if ":" not in ref and _is_dotted(f"{module}.{name}") else "samples.mlp:loss_fn"
