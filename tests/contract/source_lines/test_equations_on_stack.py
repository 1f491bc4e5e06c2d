"""What `source_lines.equations_on_stack` leans on: JAX has a local `eqn` wherever it goes through a jaxpr."""

import sys
from collections import defaultdict

import jax
import numpy as np
import pytest

from jitinspect.jaxapi.source_lines.equations_on_stack import equation_of, is_jax, uses_jax

X = jax.ShapeDtypeStruct((8, 8), "float32")


def seen(run):
    """Primitive → the lines, in this file, of the equations of each Python call while `run` runs."""
    found = defaultdict(set)

    def note(frame, event, _):
        while frame is not None:
            if (reads := equation_of(frame.f_code)) and (equation := reads(frame)):
                found[equation.primitive] |= {one.line for one in equation.frames() if one.file == __file__}
                return
            frame = frame.f_back

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return found


def line(function, offset):
    return function.__code__.co_firstlineno + offset


def test_what_is_lowered():
    def program(x, w):
        y = jax.lax.sort(x @ w)
        return jax.lax.scan(lambda c, _: (jax.lax.cumsum(c, axis=0), None), y, None, length=3)[0]

    traced = jax.jit(program).trace(X, X)
    found = seen(traced.lower)
    assert line(program, 1) in found["dot_general"] and line(program, 1) in found["sort"]
    assert line(program, 2) in found["cumsum"]


def test_what_is_transposed():
    def program(x, w):
        y = x @ w
        return (y @ w).sum()

    found = seen(lambda: jax.jit(jax.grad(program)).trace(X, X))
    assert {line(program, 1), line(program, 2)} <= found["dot_general"]


def test_constants_that_are_written_into_the_module():
    array = np.ones(1000, "float32")
    traced = jax.jit(lambda x: x + array).trace(jax.ShapeDtypeStruct((1000,), "float32"))
    assert "constant" in seen(traced.lower)


def test_nothing_of_the_user_s_own_variables():
    def program(x):
        eqn = x + 1
        return eqn

    assert equation_of(program.__code__) is None
    assert not is_jax(__file__) and is_jax(jax.lax.scan.__code__.co_filename)


def test_which_packages_use_jax():
    assert uses_jax("jax") and not uses_jax("numpy") and not uses_jax("pytest")


@pytest.mark.parametrize("other", [None, 3, "eqn"])
def test_a_variable_that_holds_no_equation(other):
    code = compile("def f():\n    eqn = value\n    return sys._getframe()", jax.__file__, "exec")
    names = {"sys": sys, "value": other}
    exec(code, names)
    frame = names["f"]()
    assert equation_of(frame.f_code)(frame) is None
