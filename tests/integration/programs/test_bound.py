"""Jits within jax.checkpoint and in backward passes: all is by jax.jit, and has its cause."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jitinspect.programs.watch import Watch

X = np.ones(3, np.float32)


@pytest.fixture
def inner():
    jax.clear_caches()
    return jax.jit(lambda x: jnp.sin(x) * 2)


def watched(*calls):
    with Watch() as watch:
        for call in calls:
            call()
    assert watch.watcher.fault is None
    return watch.report("program").compilations


def texts(compilations):
    return [reason.text for one in compilations for reason in one.reasons]


def test_a_jit_within_a_checkpoint_is_by_jax_jit(inner):
    block = jax.checkpoint(inner)
    found = watched(lambda: jax.grad(lambda x: block(x).sum())(X))
    assert [one.kind for one in found] == ["call", "backward", "backward"]
    assert {one.compilations for one in found} == {1}
    assert set(texts(found)) == {"first call of <lambda> within jax.checkpoint"}
    assert found[0].signature == "<lambda>(f32[3])"


def test_what_changed_is_told(inner):
    block = jax.checkpoint(inner)
    found = watched(*[lambda x=x: jax.grad(lambda x: block(x).sum())(x) for x in (X, X[:2])])
    assert len(found) == 6 and all(
        "args[0]: f32[3] → f32[2]" in texts([one]) and one.nearest is not None for one in found[3:]
    )


def test_a_backward_pass_has_a_cause(inner):
    found = watched(*[lambda x=x: jax.grad(lambda x: inner(x).sum())(x) for x in (X, X[:2])])
    backward = [one for one in found if one.kind == "backward"]
    assert texts(backward[:1]) == ["first call of <lambda>"]
    assert "args[0]: f32[3] → f32[2]" in texts(backward[1:])


def test_a_new_function_around_it_is_told_with_what_to_do(inner):
    found = watched(*[lambda: jax.grad(lambda x: jax.checkpoint(lambda y: inner(y) * 3)(x).sum())(X)] * 2)
    again = [one for one in found if one.reasons[0].kind != "first_call"]
    assert all("anew" in text or "new function" in text for text in texts(again))
    assert all("jit the outside" in one.reasons[0].hint for one in again)
