"""Cached calls that jit's fast path does not serve, in real programs: as many as JAX tells its own tests."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product

import jax
import numpy as np
import pytest
from jax._src import util  # noqa: TID251 (JAX counts for its own tests)

from jitinspect.calls.call_log import CallLog
from jitinspect.calls.report import function_totals, rows

X = np.ones(3, np.float32)
SLOW = "did not use jit's fast path (JAX looks them up in Python, which is slower)"


def plain(jit):
    f = jit(lambda x: x + 1)
    return [lambda: f(X)] * 10


def printing(jit):
    def fun(x):
        jax.debug.callback(lambda x: None, x)
        return x

    f = jit(fun)
    return [lambda: f(X)] * 10


def raising_once():
    failing = iter([True])

    def fun(x):
        if next(failing, False):
            raise ValueError
        return x + 1

    return fun


def failed_at_first(jit):
    f = jit(raising_once())

    def call():
        with suppress(ValueError):
            f(X)

    return [call] * 10


def cleared_after_a_failure(jit):
    f = jit(raising_once())

    def first():
        with pytest.raises(ValueError):
            f(X)
        f.clear_cache()

    return [first, *[lambda: f(X)] * 10]


def failed_in_one_form(jit):
    zeros = iter([0])
    f, array = jit(lambda x: x + 1 / next(zeros, 1)), jax.numpy.asarray(X)

    def first():
        with pytest.raises(ZeroDivisionError):
            f(X)

    return [first, *[lambda: f(array)] * 6, *[lambda: f(X)] * 5]


def two_forms(jit):
    f, array = jit(lambda x: x + 1), jax.numpy.asarray(X)
    return [*[lambda: f(array)] * 5, *[lambda: f(X)] * 5]


def many_forms(jit):
    """Each argument may be JAX's or NumPy's."""
    f, array = jit(lambda x, y, z: x), jax.numpy.asarray(X)
    return [lambda these=these: f(*these) for these in product([array, X], repeat=3)]


def transformed(jit):
    f = jit(lambda x: (x * x).sum())
    return [lambda: jax.grad(f)(X)] * 10


def reference(jit):
    ref = getattr(jax, "new_ref", None) or jax.experimental.mutable_array
    counter = ref(jax.numpy.zeros(3))

    def fun(counter):
        counter[...] = counter[...] + 1

    f = jit(fun)
    return [lambda: f(counter)] * 10


def watched(make):
    jax.clear_caches()
    with CallLog(most=4) as log:
        for call in make(jax.jit):
            call()
    assert log.fault is None
    functions = function_totals(list(rows(log)), log.folded, log.slow_hits.counts)
    return functions, tuple(log.slow_hits.notes(functions))


def counted(make, monkeypatch):
    """The calls that JAX itself runs in Python, without those for which it compiles."""
    looked_up = compiled = 0

    def hear(name, *_):
        nonlocal looked_up
        looked_up += name == "jit_cpp_cache_miss"

    def hear_compilation(event, *_, **__):
        nonlocal compiled
        compiled += event == "/jax/core/compile/backend_compile_duration"

    jax.clear_caches()
    calls = make(jax.jit)
    monkeypatch.setattr(util, "test_event_listener", hear)
    jax.monitoring.register_event_duration_secs_listener(hear_compilation)
    try:
        for call in calls:
            call()
    finally:
        monkeypatch.undo()
        jax.monitoring.unregister_event_duration_listener(hear_compilation)
    return looked_up - compiled


@pytest.mark.parametrize(
    "make",
    [
        plain,
        printing,
        failed_at_first,
        cleared_after_a_failure,
        two_forms,
        many_forms,
        reference,
        failed_in_one_form,
    ],
)
def test_they_are_as_many_as_jax_counts(make, monkeypatch):
    (one,), _ = watched(make)
    assert one.slow_hits == counted(make, monkeypatch) <= one.cache_hits


@pytest.mark.parametrize("make", [plain, cleared_after_a_failure, two_forms, transformed])
def test_nothing_is_said_of_what_is_fast(make):
    assert watched(make)[1] == ()


@pytest.mark.parametrize(
    ("make", "hits", "cause"),
    [
        (printing, 9, "it calls back to the host (jax.debug.print, jax.debug.callback, io_callback)"),
        (reference, 9, "it reads or writes a jax.Ref"),
    ],
)
def test_side_effects_are_the_cause(make, hits, cause):
    _, (note,) = watched(make)
    assert note == f"fun: {hits} of {hits} cached calls {SLOW}: {cause}"


def test_a_first_call_that_raised_is_the_cause():
    _, (note,) = watched(failed_at_first)
    assert note.startswith(f"fun: 8 of 8 cached calls {SLOW}: the first call like them raised at ")
    assert "test_slow_hits.py:" in note and "clear_cache() of the jitted function" in note


def test_only_the_form_of_the_call_that_raised_stays_slow():
    (one,), (note,) = watched(failed_in_one_form)
    assert (one.slow_hits, one.cache_hits) == (5, 10)
    assert "5 of 10 cached calls" in note and "the first call like them raised" in note


def test_forms_that_are_each_new_are_told_if_they_are_many():
    _, (note,) = watched(many_forms)
    form = "each came in a form that it had not seen before, such as NumPy arrays instead of JAX's"
    assert note == f"<lambda>: 7 of 7 cached calls {SLOW}: {form}"


def test_slow_calls_in_one_thread_leave_those_of_another_fast():
    def make(jit):
        slow, fast = printing(jit), plain(jit)

        def both():
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda calls: [call() for call in calls * 20], [slow, fast]))

        return [slow[0], fast[0], both]

    functions, notes = watched(make)
    assert {one.function: (one.slow_hits, one.cache_hits) for one in functions} == {
        "fun": (200, 200), "<lambda>": (0, 200),
    }  # fmt: skip
    assert len(notes) == 1


def test_a_filter_jit_is_told_by_the_users_function():
    equinox = pytest.importorskip("equinox")

    def make(jit):
        def shown(x):
            jax.debug.callback(lambda x: None, x)
            return x

        f = equinox.filter_jit(shown)
        return [lambda: f(X)] * 5

    (one,), (note,) = watched(make)
    assert (one.function, one.slow_hits, one.cache_hits) == ("shown", 4, 4)
    assert note.startswith(f"shown: 4 of 4 cached calls {SLOW}: it calls back to the host")
