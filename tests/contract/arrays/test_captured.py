"""What `arrays.captured` and `arrays.module_constants` lean on: where JAX keeps closed-over arrays."""

import re

import jax
import jax.numpy as jnp
import numpy as np
from jax._src.interpreters import mlir
from jax.extend.source_info_util import summarize

from jitinspect.jaxapi.arrays import captured, module_constants

X = jax.ShapeDtypeStruct((4,), "float32")
WIDE = np.array([0.1, 0.2, 0.3, 0.4])
NARROW = WIDE.astype("float32")


def trace(fn, *args):
    return jax.jit(fn).trace(*args or (X,))


def test_numpy_arrays_are_wrapped_and_keep_their_memory():
    first, second = trace(lambda x: (x + NARROW, x * WIDE)).jaxpr.consts
    assert type(first).__name__ == "TypedNdArray" and first.val.dtype == second.val.dtype == "float32"
    assert captured.identity(first) == captured.identity(NARROW)
    assert captured.is_held_as(first, NARROW) and not captured.is_held_as(first, NARROW.copy())
    assert captured.is_held_as(second, WIDE) and not captured.is_held_as(second, WIDE + 1)


def test_arrays_of_jax_are_kept_as_they_are():
    array = jnp.ones(4)
    (const,) = trace(lambda x: x + array).jaxpr.consts
    assert const is array and captured.is_held_as(const, array) and not captured.is_held_as(const, NARROW)


def test_simplified_constants_are_literals_with_a_value():
    with jax._src.config.use_simplified_jaxpr_constants(True):
        traced = trace(lambda x: jax.lax.scan(lambda c, _: (c + NARROW, None), x, length=2)[0] + 1.0)
    assert traced.jaxpr.consts == []
    (only,) = captured.captured(traced)
    assert captured.is_held_as(only.value, NARROW) and only.uses == 1


def test_the_parameters_of_a_while_and_a_cond():
    def loop(x):
        return jax.lax.while_loop(lambda c: c.sum() < NARROW.sum(), lambda c: c * 2, x)

    (equation,) = [one for one in trace(loop).jaxpr.eqns if one.primitive.name == "while"]
    assert {"cond_jaxpr", "body_jaxpr", "cond_nconsts", "body_nconsts"} <= set(equation.params)
    (equation,) = [
        one
        for one in trace(lambda x: jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, x)).jaxpr.eqns
        if one.primitive.name == "cond"
    ]
    branches = equation.params["branches"]
    assert all(len(getattr(one, "jaxpr", one).invars) == len(equation.invars) - 1 for one in branches)


def test_frames_are_told_as_file_line_column_and_function():
    (equation,) = trace(lambda x: x + 1).jaxpr.eqns
    told = summarize(equation.source_info, num_frames=3).split("\n")[-1]
    assert re.fullmatch(rf"{re.escape(__file__)}:\d+:\d+ \(.*<lambda>\)", told)
    assert captured.line_of(equation) == told.rpartition(":")[0]


def test_literals_are_equal_attributes():
    lowered = trace(lambda x: (x, NARROW)).lower()
    module = lowered.compiler_ir("stablehlo")
    with module.context, jax._src.lib.mlir.ir.Location.unknown(module.context):
        assert mlir.ir_attribute(NARROW) == mlir.ir_attribute(NARROW.copy())
        assert mlir.ir_attribute(NARROW) != mlir.ir_attribute(NARROW + 1)
    assert module_constants.ModuleConstants(lowered).enters(NARROW, 1).startswith("literal, ")
    assert module_constants.ModuleConstants(lowered).enters(NARROW + 1, 0) == "not in the module"


def test_a_jax_without_them_is_told(monkeypatch):
    lowered = trace(lambda x: (x, NARROW)).lower()
    monkeypatch.delattr(mlir, "ir_attribute")
    assert module_constants.ModuleConstants(lowered).enters(NARROW, 0) == "not known with this JAX"
