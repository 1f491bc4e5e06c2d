"""Text → specs."""

from __future__ import annotations

import re
from keyword import iskeyword

from jitinspect.specs.arrays import array_alone
from jitinspect.specs.caret import problem
from jitinspect.specs.expression_reader import ExpressionReader
from jitinspect.specs.spec_types import Argument, CallSpec, Spec

_NAMED = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")


def parse_spec(text: str) -> Spec:
    """The spec of one argument.

    Raises `UsageError`, with a caret under the place, for a text that the grammar does not allow.
    """
    return array_alone(text) or ExpressionReader(text).expression()


def format_spec(spec: Spec) -> str:
    """The text that `parse_spec` parses as `spec`."""
    return str(spec)


def parse_argument(text: str) -> Argument:
    """`EXPR`, or `name=EXPR`. Raises as `parse_spec` does."""
    named = _NAMED.match(text)
    if named is None:
        return Argument(None, parse_spec(text))
    if iskeyword(named[1]):
        raise problem(text, named.start(1), f"{named[1]} cannot be the name of an argument")
    return Argument(named[1], ExpressionReader(text, start=named.end()).expression())


def parse_call(text: str) -> CallSpec:
    """`f(EXPR, …, name=EXPR)`; `f` may be dotted. Raises as `parse_spec` does."""
    return ExpressionReader(text).call()
