"""A text as it is read: what `scan` made Python of is parsed by `ast`, never evaluated as code."""

from __future__ import annotations

import ast
import re
import warnings
from math import inf, nan

from jitinspect.errors import UsageError
from jitinspect.specs.caret import problem
from jitinspect.specs.dtypes import is_dtype
from jitinspect.specs.model import Argument, CallSpec, DictSpec, ListSpec, Spec, TupleSpec, ValueSpec
from jitinspect.specs.scan import scan

_EXAMPLE = "f32[128,784]"
_KINDS = f"{_EXAMPLE}, 3, 'gelu', {{'w': f32[3]}}"
_NUMBERS = {"nan": nan, "inf": inf, "nanj": complex(0, nan), "infj": complex(0, inf)}
_LOOKALIKES = {
    "true": "True", "false": "False", "none": "None", "null": "None", "TRUE": "True", "FALSE": "False",
    "NaN": "nan", "NAN": "nan", "Inf": "inf", "INF": "inf", "infinity": "inf",
    "Infinity": "inf", "key": "key[]",
}  # fmt: skip


class Reader:
    """One text being read; `start` is where its expression begins (behind `name=`)."""

    computed = "--args-from mod:fn takes what a function returns"
    """The hint for an argument that would have to be evaluated."""

    example = _EXAMPLE
    """The hint for a text that is no expression at all."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._text = text
        scanned = scan(text, start)
        self._leaves = scanned.leaves
        self._code = f"({scanned.code})"  # within brackets, blanks before the first word are no indentation

    def expression(self) -> Spec:
        return self._spec(self._parse())

    def call(self) -> CallSpec:
        return self._call(self._parse())

    def _call(self, node: ast.expr) -> CallSpec:
        if isinstance(node, ast.Call) and (name := self._dotted(node.func)):
            arguments = [Argument(None, self._spec(arg)) for arg in node.args]
            return CallSpec(name, (*arguments, *self._keywords(node.keywords)))
        raise self._error(node, "this is not a single call of a named function", f"fn({_EXAMPLE})")

    def _dotted(self, node: ast.expr) -> str | None:
        """`a.b.c`; None for any other expression."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or self._start(node) in self._leaves:
            return None
        return ".".join([node.id, *reversed(parts)])

    def _parse(self) -> ast.expr:
        if not self._code[1:-1].strip():
            raise problem(self._text, len(self._text), "an argument is missing here", _EXAMPLE)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(self._code, mode="eval").body
        except SyntaxError as error:
            column = min(max(0, (error.offset or 2) - 2), len(self._text))
            message = f"this does not parse ({error.msg})"
            raise problem(self._text, column, message, self._remedy(column)) from None
        except (RecursionError, MemoryError, ValueError):
            raise problem(self._text, 0, "this is nested too deeply, or is not text") from None

    def _remedy(self, column: int) -> str:
        sizes = re.search(r"\d+(?:[xX×]\d+)+", self._text)
        if sizes and sizes.start() <= column <= sizes.end():
            return f"f32[{','.join(re.split('[xX×]', sizes[0]))}]"
        return self.example

    def _start(self, node: ast.expr | ast.keyword) -> int:
        """The column of a node. A tuple without brackets takes those that were put around the text."""
        bare = node.col_offset == 0
        return len(self._text) - len(self._code[1:].lstrip()) + 1 if bare else self._column(node.col_offset)

    def _column(self, offset: int) -> int:
        """`ast` counts bytes of UTF-8, and the bracket that was put before the text."""
        return offset - 1 if self._code.isascii() else len(self._code.encode()[:offset].decode()) - 1

    def _source(self, node: ast.expr) -> str:
        return self._text[self._start(node) : self._column(node.end_col_offset or node.col_offset)]

    def _error(self, node: ast.expr | ast.keyword, message: str, hint: str | None = None) -> UsageError:
        return problem(self._text, self._start(node), message, hint)

    def _spec(self, node: ast.expr) -> Spec:
        match node:
            case ast.Name():
                return self._name(node)
            case ast.Constant(value) if value is not ...:
                return ValueSpec(value)
            case ast.UnaryOp(ast.USub() | ast.UAdd() as sign, operand):
                return ValueSpec(self._signed(node, sign, operand))
            case ast.BinOp(left, ast.Add() | ast.Sub() as operator, right):
                return ValueSpec(self._complex(node, left, operator, right))
            case ast.Tuple(items):
                return TupleSpec(tuple(map(self._spec, items)))
            case ast.List(items):
                return ListSpec(tuple(map(self._spec, items)))
            case ast.Dict(keys, values):
                return self._dict(keys, values)
        raise self._refused(node)

    def _name(self, node: ast.Name) -> Spec:
        if (leaf := self._leaves.get(self._start(node))) is not None:
            return leaf
        if node.id in _NUMBERS:
            return ValueSpec(_NUMBERS[node.id])
        if node.id in _LOOKALIKES:
            raise self._error(node, f"unknown name {node.id}", _LOOKALIKES[node.id])
        if is_dtype(node.id):
            hint = f"{node.id}[128,784], or {node.id}[] for a scalar"
            raise self._error(node, f"{node.id} has no shape", hint)
        hint = f"{node.id!r} if it is a string, {_EXAMPLE} if an array"
        raise self._error(node, f"unknown name {node.id}", hint)

    def _number(self, node: ast.expr) -> int | float | complex | None:
        """A number without a sign; None for anything else."""
        value = _NUMBERS.get(node.id) if isinstance(node, ast.Name) else getattr(node, "value", None)
        return value if type(value) in (int, float, complex) else None

    def _signed(self, node: ast.expr, sign: ast.unaryop, operand: ast.expr) -> int | float | complex:
        number = self._number(operand)
        if number is None:
            raise self._error(node, "only a number takes a sign", f"{self._source(operand)} without it")
        if isinstance(sign, ast.UAdd):
            return number
        return complex(0.0, -number.imag) if isinstance(number, complex) else -number

    def _complex(self, node: ast.expr, left: ast.expr, operator: ast.operator, right: ast.expr) -> complex:
        """`1-2j`: part by part, as Python prints it, so that no zero loses its sign."""
        match left:
            case ast.UnaryOp(ast.USub() | ast.UAdd() as sign, operand):
                real, negative = self._number(operand), isinstance(sign, ast.USub)
            case _:
                real, negative = self._number(left), False
        imaginary = self._number(right)
        if real is None or isinstance(real, complex) or not isinstance(imaginary, complex):
            raise self._error(node, "arithmetic is not evaluated", "write the result")
        if isinstance(real, int) and real.bit_length() > 1023:
            raise self._error(left, "this is too large for a complex number", "inf")
        signed = -imaginary.imag if isinstance(operator, ast.Sub) else imaginary.imag
        return complex(-float(real) if negative else float(real), signed)

    def _dict(self, keys: list[ast.expr | None], values: list[ast.expr]) -> DictSpec:
        items: dict[object, Spec] = {}
        for key, value in zip(keys, values, strict=True):
            if key is None:
                raise self._error(value, "** is not read here", "write the items")
            name = self._spec(key)
            if not isinstance(name, ValueSpec):
                raise self._error(key, "the key of a dict is a plain value", "{'w': f32[3]}")
            if name.value in items:
                raise self._error(key, f"key {name} is repeated", "a dict has each key once")
            items[name.value] = self._spec(value)
        return DictSpec(tuple(items.items()))

    def _keywords(self, keywords: list[ast.keyword]) -> list[Argument]:
        given: dict[str, Argument] = {}
        for keyword in keywords:
            if keyword.arg is None:
                raise self._error(keyword.value, "** is not read here", "write the arguments")
            if keyword.arg in given:
                raise self._error(keyword, f"argument {keyword.arg} is given twice", "give it once")
            given[keyword.arg] = Argument(keyword.arg, self._spec(keyword.value))
        return list(given.values())

    def _refused(self, node: ast.expr) -> UsageError:
        match node:
            case ast.Call(ast.Name(name) as function) if is_dtype(name):
                sizes = ",".join(map(self._source, node.args))
                column = self._column(function.end_col_offset or 1)
                return problem(self._text, column, "an array takes brackets", f"{name}[{sizes}]")
            case ast.Call():
                return self._error(node, "a call is not evaluated", self.computed)
            case ast.Set():
                return self._error(node, "a set is not a pytree", "a list, tuple or dict")
            case ast.BinOp():
                return self._error(node, "arithmetic is not evaluated", "write the result")
            case ast.Attribute():
                return self._error(node, f"{self._source(node)}: names are not looked up", self.computed)
            case ast.Starred():
                return self._error(node, "* is not read here", "write the items")
        return self._error(node, "this is not an array, value or pytree of them", _KINDS)
