"""What `source_lines.constraints` leans on: equations that say how a value lies, and what made it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.lax import with_sharding_constraint
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from jitinspect.jaxapi.source_lines.constraints import constraints

X = jax.ShapeDtypeStruct((8, 8), "float32")


@pytest.fixture(scope="module")
def mesh():
    return Mesh(np.array(jax.devices()[:1]).reshape(1, 1), ("data", "model"))


def found(function, *args):
    """Of each constraint how many lines below the function's first it stands, its axes, and what it is of: a
    line, so counted, or the number of an argument.
    """
    first = function.__code__.co_firstlineno

    def line(frames):
        return frames[0].line - first

    return [
        (line(one.frames), {*one.axes}, one.of if isinstance(one.of, int) else f"line {line(one.of)}")
        for one in constraints(jax.jit(function).trace(*args))
    ]


def test_of_arguments_and_of_values(mesh):
    def program(x, y):
        y = with_sharding_constraint(y, NamedSharding(mesh, P("data", "model")))
        z = x + y
        return with_sharding_constraint(z, NamedSharding(mesh, P(None, ("model", "data"))))

    both = {"data", "model"}
    assert found(program, X, X) == [(1, both, 1), (3, both, "line 2")]


def test_of_what_an_inner_jit_is_given_and_gives(mesh):
    def program(x, y):
        inner = jax.jit(lambda a, b: (with_sharding_constraint(b, NamedSharding(mesh, P())), jnp.sin(a)))
        same, other = inner(x, y)
        return with_sharding_constraint(other, NamedSharding(mesh, P("data"))), same

    assert found(program, X, X) == [(1, set(), 1), (3, {"data"}, "line 1")]


def test_of_what_a_loop_hands_to_an_iteration(mesh):
    def program(ws, w, x):
        def step(x, own):
            shared = with_sharding_constraint(w, NamedSharding(mesh, P("data")))
            return x @ with_sharding_constraint(own, NamedSharding(mesh, P())) @ shared, None

        return lax.scan(step, x, ws)[0]

    ws = jax.ShapeDtypeStruct((3, 8, 8), "float32")
    assert found(program, ws, X, X) == [(2, {"data"}, 1), (3, set(), "line 5")]


def test_of_what_a_branch_is_given(mesh):
    def program(x, y):
        def rare(y):
            return with_sharding_constraint(y, NamedSharding(mesh, P("model")))

        return lax.cond(x[0, 0] > 0, rare, jnp.sin, y)

    assert found(program, X, X) == [(2, {"model"}, 1)]


def test_of_explicit_axes():
    mesh = Mesh(np.array(jax.devices()[:1]), ("data",), axis_types=(AxisType.Explicit,))

    def program(x):
        y = x * 2
        return jax.sharding.reshard(y, NamedSharding(mesh, P("data")))

    x = jax.ShapeDtypeStruct((8, 8), "float32", sharding=NamedSharding(mesh, P(None, None)))
    assert found(program, x) == [(2, {"data"}, "line 1")]


def test_a_program_that_says_nothing_has_none():
    assert found(lambda x: x @ x, X) == []
