"""Cached calls that jit's fast path does not serve, in real programs: as many as JAX tells its own tests."""

import inspect
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product

import jax
import numpy as np
import pytest
from jax._src import util  # noqa: TID251 (JAX counts for its own tests)
from jax.experimental import io_callback

from jitinspect.calls.call_log import CallLog
from jitinspect.calls.report import function_totals, rows
from jitinspect.calls.slow_hits import notes
from jitinspect.model import SlowCalls

X = np.ones(3, np.float32)
SLOW = "did not use jit's fast path (JAX looks them up in Python, which is slower)"
NEVER = "and JAX never takes the fast path for such a function"
HERE = __file__.rpartition("/")[2]


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


def one_form_of_two_failed(jit):
    f, array = jit(raising_once()), jax.numpy.asarray(X)

    def first():
        with pytest.raises(ValueError):
            f(X)

    return [first, *[lambda: f(array), lambda: f(X)] * 5]


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
    slow = log.slow_hits.slow_calls()
    functions = function_totals(list(rows(log)), log.folded, slow)
    hits = {(one.function, one.definition): one.cache_hits for one in functions}
    return functions, tuple(notes(slow, hits)), slow


def line_of(make):
    """The line that calls, in one of the programs above: its last one."""
    lines, first = inspect.getsourcelines(make)
    return f"{HERE}:{first + len(lines) - 1}"


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
    (one,), _, slow = watched(make)
    assert one.slow_hits == counted(make, monkeypatch) <= one.cache_hits
    for told in slow:
        assert told.calls == one.slow_hits == sum(told.at.values()) == sum(told.why.values())


@pytest.mark.parametrize("make", [plain, cleared_after_a_failure, two_forms, transformed])
def test_nothing_is_said_of_what_is_fast(make):
    assert watched(make)[1] == ()


@pytest.mark.parametrize(
    ("make", "hits", "cause"),
    [
        (printing, 9, "it calls back to the host (jax.debug.print, jax.debug.callback, io_callback)"),
        (reference, 9, "it reads or writes a jax.Ref from outside"),
    ],
)
def test_side_effects_are_the_cause(make, hits, cause):
    _, (note,), _ = watched(make)
    place, _, rest = note.removeprefix(f"fun: {hits} of {hits} cached calls, at ").partition(", ")
    assert place.endswith(line_of(make)) and rest == f"{SLOW}: {cause}, {NEVER}"


@pytest.mark.parametrize("kind", ["debug", "io", "ordered", "reading"])
def test_no_call_with_side_effects_takes_the_fast_path_and_a_pure_callback_does(kind, monkeypatch):
    ref = getattr(jax, "new_ref", None) or jax.experimental.mutable_array
    x, held = jax.numpy.zeros(3), ref(jax.numpy.zeros(3))
    functions = {
        "debug": (lambda x: jax.debug.print("", ordered=True), x),
        "io": (lambda x: io_callback(lambda x: x, x, x), x),
        "ordered": (lambda x: io_callback(lambda x: x, x, x, ordered=True), x),
        "reading": (lambda x: x[...] + 1, held),
    }
    fun, argument = functions[kind]

    def slow(jit):
        f = jit(fun)
        return [lambda: f(argument)] * 5

    def pure(jit):
        f = jit(lambda x: jax.pure_callback(lambda x: x, x, x))
        return [lambda: f(x)] * 5

    assert (counted(slow, monkeypatch), counted(pure, monkeypatch)) == (4, 0)


def test_they_are_measured_where_there_are_fast_ones_too():
    _, (note,), (slow,) = watched(one_form_of_two_failed)
    assert slow.seconds > slow.fast_seconds > 0
    assert re.search(
        r"which is slower: [\d.,]+ µs a call, [\d.,]+ µs on the fast path, in the median\)", note
    )
    _, _, (slow,) = watched(printing)
    assert slow.seconds is None and slow.fast_seconds is None


def test_the_lines_are_told_with_their_numbers_the_largest_first():
    at = {"a.py:1": 1000, "b.py:2": 2, "c.py:3": 1, "d.py:4": 1}
    (note,) = notes(
        [SlowCalls("f", "a.py:9", 1004, at, {"a cause": 1003, "another": 1})], {("f", "a.py:9"): 2000}
    )
    assert note == (
        "f: 1,004 of 2,000 cached calls, at a.py:1 (1,000), b.py:2 (2), c.py:3 (1) and 1 more line, "
        f"{SLOW}: 1,003 of them: a cause; 1 of them: another"
    )


def test_a_first_call_that_raised_is_the_cause():
    _, (note,), _ = watched(failed_at_first)
    assert note.startswith("fun: 8 of 8 cached calls, at ")
    assert f"{SLOW}: the first call like them raised at " in note
    assert note.count(f"{HERE}:") == 2 and "clear_cache() of the jitted function" in note


def test_only_the_form_of_the_call_that_raised_stays_slow():
    (one,), (note,), _ = watched(failed_in_one_form)
    assert (one.slow_hits, one.cache_hits) == (5, 10)
    assert "5 of 10 cached calls" in note and "the first call like them raised" in note


def test_forms_that_are_each_new_are_told_if_they_are_many():
    _, (note,), (slow,) = watched(many_forms)
    form = "each came in a form that it had not seen before, such as NumPy arrays instead of JAX's"
    (at,) = slow.at
    assert (
        at.endswith(line_of(many_forms)) and note == f"<lambda>: 7 of 7 cached calls, at {at}, {SLOW}: {form}"
    )


def test_slow_calls_in_one_thread_leave_those_of_another_fast():
    def make(jit):
        slow, fast = printing(jit), plain(jit)

        def both():
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda calls: [call() for call in calls * 20], [slow, fast]))

        return [slow[0], fast[0], both]

    functions, notes, _ = watched(make)
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

    (one,), (note,), _ = watched(make)
    assert (one.function, one.slow_hits, one.cache_hits) == ("shown", 4, 4)
    assert note.startswith("shown: 4 of 4 cached calls, at ") and HERE in note
    assert f"{SLOW}: it calls back to the host" in note
