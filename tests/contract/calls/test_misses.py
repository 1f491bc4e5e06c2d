"""JAX's own frames tell what it is at work for, and a mark in one of them when that is over."""

import contextlib
import gc
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax._src import pjit
from jax.experimental import sparse

from jitinspect.jaxapi.calls import events, misses
from jitinspect.jaxapi.jits.facts import FunctionNumbers, facts


class Heard:
    """What is read of the frames at the start of each stage."""

    def __init__(self, read=misses.current_work):
        self.told, self.over, self._kept, self._read = [], [], [], read

    def __enter__(self):
        self._unsubscribe = events.subscribe(self._start, lambda *_: None, lambda: None)
        return self

    def __exit__(self, *_):
        self._unsubscribe()

    def _start(self, phase, name):
        found = self._read()
        if isinstance(found, misses.CurrentWork):
            if misses.marked(found.frame, "a key") is None:
                self._kept.append(misses.mark(found.frame, "a key", name, self.over.append))
            found = found._replace(frame=None)  # which would not end while it is kept
        self.told.append((phase, events.plain_name(name), found))


@pytest.fixture(autouse=True)
def cleared():
    jax.clear_caches()


def test_this_jax_has_the_frame():
    assert misses.why_no_misses() is None
    assert misses.CACHE_MISS.co_filename == pjit.__file__


def test_a_call_is_found_with_its_arguments_at_each_of_its_stages():
    f = jax.jit(lambda x, *, y: x + y)
    x, y = np.ones(3), np.ones(3)
    with Heard() as heard:
        f(x, y=y)
    assert [phase for phase, _, _ in heard.told] == ["trace", "lower", "compile"]
    for _, _, work in heard.told:
        assert work.call.args == (x,) and work.call.kwargs == {"y": y} and not work.ahead
        assert work.call.jit._fun is f.__wrapped__ and work.call.jit._jit_info is f._jit_info


def test_a_hit_is_not_heard_and_nothing_is_nested_in_a_trace():
    inner = jax.jit(lambda x: jnp.where(x > 0, x, jnp.sin(x)))
    f = jax.jit(lambda x: inner(x).sum())
    with Heard() as heard:
        f(np.ones(3, np.float32))
        f(np.ones(3, np.float32))
    assert len(heard.told) == 3


def test_the_mark_goes_when_the_call_is_over():
    f = jax.jit(lambda x: x + 1)
    seen = []
    with Heard() as heard:
        f(np.ones(3))
        seen.append(len(heard.over))
        f(np.ones(4))
        seen.append(len(heard.over))
    assert seen == [1, 2]


def test_the_mark_of_a_call_that_raised_goes_with_its_exception():
    def bad(x):
        raise ValueError("no")

    with Heard() as heard:
        with contextlib.suppress(ValueError):
            jax.jit(bad)(1.0)
        gc.collect()
        assert heard.over == ["bad"]


def test_an_end_is_told_also_where_a_stage_raised_and_the_exception_is_at_hand():
    ends = []
    unsubscribe = events.subscribe(lambda *_: None, lambda *_: ends.append(sys.exception()), lambda: None)
    error = ValueError("no")

    def bad(x):
        raise error

    try:
        with pytest.raises(ValueError):
            jax.jit(bad)(1.0)
    finally:
        unsubscribe()
    assert ends == [error]


def test_work_ahead_of_time_is_told_from_a_call():
    f = jax.jit(lambda x: x + 1)
    with Heard() as heard:
        f.lower(np.ones(3)).compile()
    assert [(phase, work.ahead) for phase, _, work in heard.told] == [
        ("trace", True), ("lower", True), ("compile", True),
    ]  # fmt: skip
    assert heard.told[0][2].call.jit is f and heard.told[1][2].call is None


def own(call):
    """Whether JAX's first compilation in `call` is its own, by the frames."""
    found = []

    def read():
        work = misses.current_work()
        if work.call is not None:
            known = facts(work.call.jit, FunctionNumbers())
            found.append(misses.is_jax_internal(work.call, known.definition))

    with Heard(read):
        call()
    return found[0]


X = np.ones(3, np.float32)
ARRAY = jnp.ones(3)
SPARSE = sparse.BCOO.fromdense(X)
EXPORTED = export.export(jax.jit(jnp.sin))(X)
OWN = {
    "a ufunc": lambda: jnp.add(X, 1.0),
    "an operator": lambda: jnp.asarray(X) * 2,
    "a function that is jitted in its module": lambda: jax.nn.relu(X),
    "a primitive": lambda: jax.lax.cos(X),
    "a random one": lambda: jax.random.normal(jax.random.key(0), (3,)),
    "linalg": lambda: jnp.linalg.norm(X),
}
USERS = {
    "a lambda": lambda: jax.jit(lambda x: x)(X),
    "of a ufunc": lambda: jax.jit(jnp.add)(X, X),
    "of a jitted one": lambda: jax.jit(jax.nn.relu)(X),
    "of a primitive": lambda: jax.jit(jax.lax.cos)(X),
    "of a transformed one": lambda: jax.jit(jax.vmap(jnp.cos))(X),
    "of a method": lambda: jax.jit(ARRAY.dot)(X),
    "of a method that JAX jits": lambda: jax.jit(ARRAY.sum)(),
    "of a method of a helper": lambda: jax.jit(ARRAY.at[0].set)(1.0),
    "of a method of a sparse array": lambda: jax.jit(SPARSE.todense)(),
    "of what was exported": lambda: jax.jit(EXPORTED.call)(X),
    "of a partial": lambda: jax.jit(jax.tree_util.Partial(jax.lax.add, 1.0))(X),
}


@pytest.mark.parametrize("name", OWN)
def test_what_jax_jits_for_itself_is_its_own(name):
    assert own(OWN[name])


@pytest.mark.parametrize("name", USERS)
def test_what_the_user_jits_is_not(name):
    assert not own(USERS[name])


def test_clearing_the_caches_is_seen_at_the_next_trace():
    f = jax.jit(lambda x: x + 1)
    told = []
    counted = [misses.cleared_since(0, counted=False)[1]]

    def read():
        forgotten, counted[0] = misses.cleared_since(counted[0], counted=True)
        told.append(forgotten)

    unsubscribe = events.subscribe(
        lambda phase, name: read() if phase == "trace" else None, lambda *_: None, lambda: None
    )
    try:
        f(np.ones(3))
        f(np.ones(4))
        jax.clear_caches()
        f(np.ones(3))
        f.clear_cache()
        f(np.ones(3))
        f(np.ones(5))
    finally:
        unsubscribe()
    assert told == [False, False, True, True, False]


def test_the_module_that_xla_is_given_is_the_same_for_the_same_program_only():
    def modules(*functions):
        with Heard(misses.module) as heard:
            for function in functions:
                jax.jit(function)(X)
        return [module for phase, _, module in heard.told if phase == "compile"]

    def f(x):
        return x + 1

    first, second = modules(f, lambda x: x + 1)
    jax.clear_caches()
    (again,) = modules(f)
    assert first == again and first.digest != second.digest  # the name is a part of it
    assert not first.shared


class LookedUp:
    """The calls that JAX runs in Python, and the effects of each."""

    def __enter__(self):
        self.told = []
        nothing = lambda *_: None  # noqa: E731
        self._unsubscribe = events.subscribe(nothing, nothing, nothing, on_lookup=self._looked_up)
        return self

    def __exit__(self, *_):
        self._unsubscribe()

    def _looked_up(self):
        frame = misses.looked_up()
        self.told.append(frame and (frame.f_code.co_name, sorted(misses.effects())))


def looked_up(call, times=3):
    call()
    with LookedUp() as seen:
        for _ in range(times):
            call()
    return seen.told


def test_this_jax_tells_of_calls_that_it_runs_in_python():
    assert events.why_no_lookups() is None


def test_a_call_that_the_fast_path_serves_is_not_looked_up():
    f, x = jax.jit(lambda x: x + 1), np.ones(3)
    assert looked_up(lambda: f(x)) == []


def test_a_call_with_a_side_effect_is_looked_up_each_time():
    def fun(x, ordered):
        jax.debug.callback(lambda x: None, x, ordered=ordered)
        return x

    f, x = jax.jit(fun, static_argnums=1), np.ones(3)

    def call():
        f(x, False), f(x, True)

    assert looked_up(call, 2) == [("call", ["DebugEffect"]), ("call", ["OrderedDebugEffect"])] * 2


def test_what_is_lowered_is_the_function_of_the_call_and_its_jaxpr():
    def fun(x):
        return jax.jit(jnp.sin)(x) + 1

    x = np.ones(3)
    with Heard(misses.lowered) as heard:
        jax.jit(fun)(x)
        jax.lax.neg(x)
    found, of_an_operation = [lowered for phase, _, lowered in heard.told if phase == "lower"]
    assert found[0] is fun and [eqn.primitive.name for eqn in found[1].eqns][-1] == "add"
    assert of_an_operation is None


def test_a_call_on_a_reference_is_looked_up_each_time():
    new_ref = getattr(jax, "new_ref", None) or jax.experimental.mutable_array
    reference = new_ref(jax.numpy.zeros(3))

    @jax.jit
    def f(reference):
        reference[...] = reference[...] + 1

    def call():
        f(reference)

    assert looked_up(call) == [("call", ["RefEffect"])] * 3


def test_another_form_of_equal_arguments_is_looked_up_once():
    f, x = jax.jit(lambda x: x + 1), np.ones(3, "float32")
    array = jax.numpy.asarray(x)
    f(array)
    with LookedUp() as seen:
        f(x), f(x), f(array)
    assert len(seen.told) == 1


def test_calls_like_one_that_raised_are_looked_up_until_the_cache_is_cleared():
    failing = True

    @jax.jit
    def f(x):
        if failing:
            raise ValueError
        return x + 1

    x = np.ones(3)
    with pytest.raises(ValueError):
        f(x)
    failing = False

    def call():
        f(x)

    assert looked_up(call) == [("call", [])] * 3
    f.clear_cache()
    assert looked_up(call) == []


def test_the_transformed_jit_is_not_the_one_that_is_called():
    f, x = jax.jit(lambda x: (x * x).sum()), np.ones(3)
    assert looked_up(lambda: jax.grad(f)(x)) == []


def test_a_listener_of_others_is_called_too_and_left_in_place(monkeypatch):
    from jax._src import util

    heard = []
    monkeypatch.setattr(util, "test_event_listener", lambda name, *_: heard.append(name))
    before = util.test_event_listener
    with LookedUp() as seen:
        jax.jit(lambda x: x + 2)(np.ones(3))
    assert len(seen.told) == heard.count("jit_cpp_cache_miss") == 1
    assert util.test_event_listener is before
