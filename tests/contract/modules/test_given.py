"""What JAX notes in modules of the functions that they were."""

from functools import partial

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from jitinspect.jaxapi.modules.given import Laid, defined_at, given
from jitinspect.jaxapi.modules.parsing import hlo_text_module

X = jax.ShapeDtypeStruct((4, 4), "float32")


def module(function, *args):
    return function.lower(*args).compiler_ir("stablehlo")


@partial(jax.jit, donate_argnames="params")
def step(params, x):
    return {"w": params["w"] + x.sum()}, x.astype(jnp.bfloat16)


def test_names_types_and_donation():
    found = given(module(step, {"w": X}, X))
    assert found.name == "jit_step" and found.devices == 1 and found.donated == ("params",)
    assert [(one.name, one.shape, one.dtype, one.donated) for one in found.arguments] == [
        ("params['w']", (4, 4), "float32", True),
        ("x", (4, 4), "float32", False),
    ]
    assert [(one.name, one.dtype) for one in found.results] == [
        ("result[0]['w']", "float32"),
        ("result[1]", "bfloat16"),
    ]


def test_the_same_of_hlo():
    text = step.lower({"w": X}, X).as_text(dialect="hlo", debug_info=True)
    found = given(hlo_text_module(text.encode()))
    assert [(one.name, one.donated) for one in found.arguments] == [("params['w']", True), ("x", False)]


def test_where_the_function_is_defined():
    place, *others = defined_at(module(step, {"w": X}, X), "step")
    assert (place.file, place.function) == (__file__, "step") and not others
    place, *_ = defined_at(module(jax.jit(lambda x: x * 2), X), "_lambda")  # pytest calls by lambdas, too
    assert (place.file, place.function.rpartition(".")[2]) == (__file__, "<lambda>")
    assert defined_at(module(step, {"w": X}, X), "other") == ()


@pytest.mark.parametrize(
    "dtype",
    ["bool", "int8", "uint32", "float16", "bfloat16", "complex64", "float8_e4m3fn", "int4"],
)
def test_dtypes(dtype):
    array = jax.ShapeDtypeStruct((2,), dtype)
    (found,) = given(module(jax.jit(lambda x: x), array)).arguments
    assert found.dtype == dtype


def test_meshes_and_shardings():
    mesh = jax.sharding.Mesh(jax.devices()[:1], ("data",))
    sharded = jax.ShapeDtypeStruct((4, 4), "float32", sharding=NamedSharding(mesh, PartitionSpec("data")))
    found = given(module(jax.jit(lambda x: x * 2), sharded))
    assert found.mesh == (("data", 1),)
    assert found.arguments[0].laid == Laid("mesh", (("data",), ()))


def test_callbacks_and_ordered_effects_are_seen():
    def tells(x, ordered):
        jax.debug.print("{}", x, ordered=ordered)
        return x

    unordered = given(module(jax.jit(partial(tells, ordered=False)), X))
    assert len(unordered.callbacks) == 1 and not unordered.has_tokens
    assert given(module(jax.jit(partial(tells, ordered=True)), X)).has_tokens
    assert not given(module(jax.jit(jnp.linalg.cholesky), X)).callbacks
