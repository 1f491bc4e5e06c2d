"""JAX's frames and closures tell which loop it compiles outside of a jit, and for which function."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.experimental.ode import odeint

from jitinspect.jaxapi.calls import events, misses
from jitinspect.jaxapi.calls.eager import eager_call, is_of_program

X = np.ones(3, np.float32)


def body(carry, x):
    return carry + x, x


def double(x):
    return x * 2


def decay(y, t):
    return -y


def heard(call, read):
    """What `read` makes of JAX's work at each of its compilations."""
    found = []

    def start(phase, name):
        if phase == "compile":
            found.append(read(misses.current_work()))

    jax.clear_caches()
    unsubscribe = events.subscribe(start, lambda *_: None, lambda: None)
    try:
        call()
    finally:
        unsubscribe()
    return found


def eager(call):
    return [found for found in heard(call, eager_call) if found is not None]


def line(function):
    return f"{__file__}:{function.__code__.co_firstlineno}"


def test_a_loop_is_known_by_its_body_and_function():
    (scan,) = eager(lambda: lax.scan(body, 0.0, X))
    assert (scan.name, scan.entry, scan.functions) == ("scan", "scan", (body,))
    assert scan.bodies == (line(body),) and scan.definition == line(body)
    assert scan.options["length"] == 3 and scan.rules == () and not scan.is_backward


def test_a_body_of_jax_is_told_from_the_function_that_it_calls():
    (scan,) = eager(lambda: lax.map(double, X))
    assert (scan.name, scan.entry, scan.functions) == ("scan", "map", (double,))
    assert events.is_internal(scan.bodies[0]) and scan.definition == line(double)


def test_the_rules_that_made_a_loop_are_known():
    forward, backward = eager(lambda: jax.grad(lambda x: lax.scan(body, 0.0, x)[0])(X))
    assert not forward.is_backward and backward.is_backward and backward.entry == "grad"
    assert forward.bodies == backward.bodies == (line(body),)


def test_a_jit_of_jax_is_known_by_the_function_among_its_static_arguments():
    (found,) = eager(lambda: odeint(decay, X, X))
    assert (found.name, found.event, found.functions) == ("odeint", "_odeint_wrapper", (decay,))
    assert found.options["mxstep"] is not None and len(found.args) == 2


def test_all_operations_of_a_shard_map_are_one_call():
    mesh = jax.make_mesh((1,), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
    spec = jax.sharding.PartitionSpec("d")
    x = jnp.asarray(X)
    found = eager(lambda: jax.shard_map(double, mesh=mesh, in_specs=spec, out_specs=spec)(x))
    assert len(found) > 1
    assert {(call.name, call.event, call.functions) for call in found} == {("shard_map", None, (double,))}


OF_PROGRAM = {
    "a loop": lambda: lax.map(double, X),
    "a pmap": lambda: jax.pmap(double)(X[None]),
    "its jit": lambda: jax.jit(lambda x: x + 1)(X),
    "a jit of a method": lambda: jax.jit(jnp.ones((3, 3)).dot)(X),
}


@pytest.mark.parametrize("name", OF_PROGRAM)
def test_what_the_program_calls_is_its_own(name):
    assert heard(OF_PROGRAM[name], is_of_program)[-1] is True


def test_an_eager_operation_is_not():
    assert heard(lambda: jnp.sin(X), is_of_program) == [False]
