"""The equations that JAX is at work on, found in the frames of a stack.

What goes through a jaxpr (lowering, transposition, partial evaluation, batching, evaluation) has the equation
that it is at in a local variable `eqn`, on 0.8.3 to 0.12.0.1. Where a JAX calls it otherwise, no equation is
found. A lowering writes arrays into the module in `_numpy_array_constant` of `interpreters/mlir.py` (0.8.3 to
0.12.0.1), which is found as an equation "constant", without a line of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

import jax
import jaxlib

from jitinspect.ir.program import Frame
from jitinspect.jaxapi.source_lines.jaxpr_lines import user_frames

_JAX = tuple(os.path.dirname(os.path.abspath(str(one.__file__))) + os.sep for one in (jax, jaxlib))
_VARIABLE = "eqn"
_CONSTANT = "_numpy_array_constant"


class EquationAt(NamedTuple):
    """An equation: the name of its primitive, and JAX's record of where it was made, if there is one."""

    primitive: str
    source_info: Any

    def frames(self) -> tuple[Frame, ...]:
        """Those that JAX calls the user's, innermost first."""
        return tuple(user_frames(self.source_info.traceback)) if self.source_info else ()


def equation_of(code: CodeType) -> Callable[[FrameType], EquationAt | None] | None:
    """How to find the equation in a frame of such code; None if it goes through no equations."""
    if not is_jax(code.co_filename):
        return None
    if code.co_name == _CONSTANT:
        return _constant
    return _equation if _VARIABLE in code.co_varnames else None


def is_jax(file: str) -> bool:
    """Whether the file is JAX's own, or of jaxlib."""
    return file.startswith(_JAX)


@cache
def uses_jax(package: str) -> bool:
    """Whether the installed package has imported JAX by that name, in any module that is loaded."""
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == package]
    return any(getattr(module, "__dict__", {}).get("jax") is jax for module in modules)


def _equation(frame: FrameType) -> EquationAt | None:
    """None before the first equation. Up to Python 3.12 `f_locals` is a copy, which the frame keeps until it
    returns; later it reads the one variable alone.
    """
    equation = frame.f_locals.get(_VARIABLE)
    primitive = getattr(getattr(equation, "primitive", None), "name", None)
    source_info = getattr(equation, "source_info", None)
    if primitive is None or not hasattr(source_info, "traceback"):
        return None
    return EquationAt(primitive, source_info)


def _constant(_: FrameType) -> EquationAt:
    return EquationAt("constant", None)
