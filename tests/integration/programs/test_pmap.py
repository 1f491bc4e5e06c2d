"""A `jax.pmap` in a program: each compilation has its cause."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jitinspect.programs.watch import Watch

X = np.ones((1, 3), np.float32)


def user(x, times=1):
    return x * times


def causes(*calls):
    with Watch() as watch:
        for call in calls:
            call()
    assert watch.watcher.fault is None
    return [
        [reason.text for reason in one.reasons]
        for one in watch.report("program").compilations
        if one.kind == "other" and one.compilations
    ]


mapped = jax.pmap(user, axis_name="i", static_broadcasted_argnums=1)
CHANGES = {
    "x: f32[1,3] → f32[1,4]": lambda: mapped(jnp.ones((1, 4)), 1),
    "x: f32[1,3] → i32[1,3]": lambda: mapped(np.ones((1, 3), np.int32), 1),
    "times: 1 → 2": lambda: mapped(X, 2),
    "jax.pmap(axis_name=…): 'i' → 'j'": lambda: jax.pmap(
        user, axis_name="j", static_broadcasted_argnums=1
    )(X, 1),
    "called under: nothing → grad": lambda: jax.grad(lambda x: mapped(x, 1).sum())(X),
}  # fmt: skip


@pytest.mark.parametrize("cause", CHANGES)
def test_what_changed_is_told(cause):
    jax.clear_caches()
    first, second, *_ = causes(lambda: mapped(X, 1), CHANGES[cause])
    assert first == ["first call of user"] and cause in second


def test_a_pmap_of_a_new_function_is_told_with_what_to_do():
    with Watch() as watch:
        for _ in range(2):
            jax.pmap(lambda x: x * 2)(X)
    one = watch.report("program").compilations[-1]
    assert one.reasons[0].text.startswith("<lambda> is a new function object, mapped again (both defined at ")
    assert one.avoidable
    assert one.reasons[0].hint == "call jax.pmap once, outside of the loop or function"


def test_a_cached_call_is_silent():
    jax.clear_caches()
    assert len(causes(lambda: mapped(X, 1), lambda: mapped(X, 1))) == 1
