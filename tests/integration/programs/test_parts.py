"""A program that is told of in parts: each has its own report, and is compared with all that came before."""

import types

import jax
import numpy as np
import pytest

from jitinspect.jaxapi.calls.proxies import JitProxy
from jitinspect.programs.parts import WatchedParts


@pytest.fixture
def watch():
    with WatchedParts() as watch:
        yield watch


def part(watch, work, *namespaces):
    watch.begin(namespaces)
    try:
        work()
    finally:
        report = watch.end("a part")
    return report


def test_a_part_is_compared_with_earlier_ones(watch):
    f = jax.jit(lambda x: x * 2)
    first = part(watch, lambda: f(np.ones(2)))
    second = part(watch, lambda: f(np.ones(3)))
    assert [one.reasons[0].kind for one in first.compilations] == ["first_call"]
    (again,) = second.compilations
    assert again.reasons[0].text == "x: f32[2] → f32[3]" and again.nearest == first.compilations[0].seq
    assert second.totals.compilations == 1 and second.program == "a part" and second.command == "compiles"


def test_what_happens_between_parts_is_compared_but_not_told(watch):
    f = jax.jit(lambda x: x * 2)
    f(np.ones(2))
    f(np.ones(3))
    (one,) = part(watch, lambda: f(np.ones(4))).compilations
    assert one.reasons[0].text == "x: f32[3] → f32[4]"


def test_calls_are_counted_by_the_names_of_jits(watch):
    f = jax.jit(lambda x: x * 2)
    module = types.SimpleNamespace(f=f, g=f, other=3)
    f(np.ones(2))

    def work():
        for _ in range(3):
            module.f(np.ones(2))
        module.g(np.ones(2))

    report = part(watch, work, vars(module))
    assert [one.hits for one in report.functions] == [4] and not report.compilations
    assert module.f is f and module.g is f and module.other == 3


def test_a_jit_that_is_made_in_a_part_is_plain_after_it(watch):
    names = {}

    def work():
        names["f"] = jax.jit(lambda x: x * 2)
        names["f"](np.ones(2))
        names["f"](np.ones(2))
        assert type(names["f"]) is JitProxy

    plain = jax.jit
    report = part(watch, work, names)
    assert [(one.compilations, one.hits) for one in report.functions] == [(1, 1)]
    assert type(names["f"]) is not JitProxy and jax.jit is plain


def test_calls_outside_of_parts_are_not_counted(watch):
    f = jax.jit(lambda x: x * 2)
    names = {"f": f}
    part(watch, lambda: names["f"](np.ones(2)), names)
    names["f"](np.ones(2))
    report = part(watch, lambda: names["f"](np.ones(2)), names)
    assert [one.hits for one in report.functions] == [1]


def test_a_part_that_raises_is_told_and_leaves_nothing(watch):
    def bad(x):
        raise ValueError("no")

    names, plain = {"bad": jax.jit(bad)}, jax.jit
    before = dict(names)
    watch.begin([names])
    with pytest.raises(ValueError) as held:  # as IPython keeps it
        names["bad"](1.0)
    (one,) = watch.end("a part").compilations
    assert (one.raised, one.error) == ("trace", "ValueError: no") and held
    assert names == before and jax.jit is plain


def test_its_time_is_that_of_the_part(watch):
    f = jax.jit(lambda x: x * 2)
    part(watch, lambda: f(np.ones(2)))
    report = part(watch, lambda: None)
    assert report.totals.wall_seconds < watch.watcher.now and report.totals.compilations == 0


def test_what_is_ignored_is_not_the_programs(watch):
    f = jax.jit(lambda x: x * 2)

    def work():
        with watch.watcher.ignoring():
            f.lower(np.ones(2)).compile()
        f(np.ones(3))

    (one,) = part(watch, work).compilations
    assert one.signature == "<lambda>(f32[3])" and one.reasons[0].kind == "first_call"


def test_a_watch_that_ends_within_a_part_leaves_nothing():
    f, plain = jax.jit(lambda x: x * 2), jax.jit
    names = {"f": f}
    with WatchedParts() as watch:
        watch.begin([names])
        assert names["f"] is not f
    assert names["f"] is f and jax.jit is plain
