"""What `arrays.folded` leans on: equations of a jaxpr and what they depend on."""

import jax
import jax.numpy as jnp
import numpy as np

from jitinspect.jaxapi.arrays.folded import folded_equations

X = jax.ShapeDtypeStruct((3,), "float32")
TABLE = np.arange(300, dtype="float32")


def found(function, *args):
    """Primitive → elements and line, as counted from the function's first."""
    first = function.__code__.co_firstlineno
    equations = folded_equations(jax.jit(function).trace(*args))
    return {one.primitive: (one.elements, one.frames[0].line - first) for one in reversed(equations)}


def test_what_depends_on_constants_alone():
    def program(x):
        table = jnp.asarray(TABLE)
        y = jax.lax.sin(x)
        return y + jax.lax.cos(table)[:3]

    equations = found(program, X)
    assert equations["cos"] == (300, 3)
    assert not {"sin", "add"} & {*equations}


def test_inner_jits_are_gone_through():
    @jax.jit
    def inner(x, table):
        return jax.lax.exp(x), jax.lax.log(table)

    def program(x):
        y, z = inner(x, jnp.asarray(TABLE))
        return jax.lax.neg(y), jax.lax.tanh(z)

    assert {"log", "tanh"} <= {*found(program, X)}
    assert not {"exp", "neg", "jit", "pjit"} & {*found(program, X)}


def test_the_one_with_most_steps_comes_first():
    """A sort makes many comparisons for each element."""

    def program(x):
        table = jax.lax.sort(jnp.asarray(TABLE))
        return x + table[:3] + jnp.ones(400).sum()

    first = folded_equations(jax.jit(program).trace(X))[0]
    assert (first.primitive, first.elements) == ("sort", 300)
    assert first.frames[0].line == program.__code__.co_firstlineno + 1


def test_loops_and_branches_are_not_folded():
    def program(x):
        return x + jax.lax.fori_loop(0, 3, lambda _, y: jax.lax.sin(y), jnp.asarray(TABLE))[:3]

    assert not {"while", "scan", "sin"} & {*found(program, X)}
