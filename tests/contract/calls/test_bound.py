"""The frame of a jit that JAX runs as a part of something else has its name, its arguments and its trace."""

import jax
import numpy as np

from jitinspect.jaxapi.calls import events, misses
from jitinspect.jaxapi.calls.bound import bound_jit

X = np.ones(3, np.float32)


@jax.jit
def inner(x):
    return x * x


def told(call):
    found = []

    def start(phase, name):
        if phase == "compile" and (jit := bound_jit(misses.current_work())) is not None:
            found.append(jit)

    jax.clear_caches()
    unsubscribe = events.subscribe(start, lambda *_: None, lambda: None)
    try:
        call()
    finally:
        unsubscribe()
    return [jit for jit in found if jit.name == "inner"]


def test_a_jit_within_a_checkpoint_is_known_with_what_jax_made_of_it():
    forward, *backward = told(lambda: jax.grad(lambda x: jax.checkpoint(inner)(x).sum())(X))
    assert not forward.is_backward and forward.is_checkpointed and forward.args[0].shape == (3,)
    assert forward.definition == f"{__file__}:{inner.__wrapped__.__code__.co_firstlineno}"
    assert backward and all(jit.is_backward and jit.is_checkpointed for jit in backward)
    assert len({(jit.rules, jit.program) for jit in (forward, *backward)}) == 1 + len(backward)


def test_a_backward_pass_is_known():
    (backward,) = told(lambda: jax.grad(lambda x: inner(x).sum())(X))
    assert backward.is_backward and not backward.is_checkpointed


def test_a_call_is_not_a_part_of_something():
    assert told(lambda: inner(X)) == [] and told(lambda: jax.linearize(inner, X)) == []
