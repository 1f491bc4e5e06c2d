"""The frame of a `jax.pmap` has the user's function and arguments."""

import jax
import jax.numpy as jnp
import numpy as np

from jitinspect.jaxapi.calls import events, misses
from jitinspect.jaxapi.calls.pmap import pmap_call


def told(call):
    found = []

    def start(phase, name):
        if phase == "compile":
            found.append(pmap_call(misses.current_work().frame))

    unsubscribe = events.subscribe(start, lambda *_: None, lambda: None)
    try:
        call()
    finally:
        unsubscribe()
    return [one for one in found if one is not None]


def user(x, times, *, shift):
    return x * times + shift


def test_a_pmapped_function_is_found_with_the_arguments_as_they_were_passed():
    mapped = jax.pmap(user, axis_name="i", static_broadcasted_argnums=1)
    x = np.ones((1, 3), np.float32)
    (call,) = told(lambda: mapped(x, 2, shift=x))
    assert call.fun is user and call.args == (x, 2) and call.kwargs == {"shift": x}
    assert call.static_nums == (1,) and call.options["axis_name"] == "i"


def test_what_jax_does_for_a_pmap_is_not_the_call_itself():
    mapped = jax.pmap(lambda x: x + 1)
    (call,) = told(lambda: mapped(jnp.ones((1, 3)) * 2))
    assert call.fun.__name__ == "<lambda>"


def test_nothing_else_is_a_pmap():
    assert told(lambda: jax.jit(lambda x: x + 1)(np.ones(3))) == []
