"""Calls that jit's fast path does not serve, where calls are counted: those that `trace-cache` tells of."""

import jax
import pytest

from jitinspect.programs.watch import Watch
from tests.integration.calls import test_slow_hits as programs


def counted(make, watch):
    jax.clear_caches()
    with watch:
        for call in make(jax.jit):
            call()
    assert watch.watcher.fault is None
    return watch.report("program.py")


@pytest.mark.parametrize(
    "make",
    [
        programs.plain,
        programs.printing,
        programs.failed_at_first,
        programs.cleared_after_a_failure,
        programs.failed_in_one_form,
        programs.one_form_of_two_failed,
        programs.two_forms,
        programs.many_forms,
        programs.transformed,
        programs.reference,
    ],
)
def test_they_are_those_of_trace_cache(make):
    (one,), notes, slow = programs.watched(make)
    report = counted(make, Watch(hits=True))
    assert [stable(one) for one in report.slow] == [stable(one) for one in slow]
    assert [note.partition(" (")[0] for note in report.notes] == [note.partition(" (")[0] for note in notes]
    (cost,) = report.functions
    assert cost.hits == one.cache_hits


def stable(slow):
    return slow.function, slow.definition, slow.calls, slow.at, slow.why


def test_they_are_measured_where_there_are_fast_ones_too():
    (slow,) = counted(programs.one_form_of_two_failed, Watch(hits=True)).slow
    assert slow.seconds > slow.fast_seconds > 0


def test_nothing_is_said_unless_calls_are_counted():
    assert counted(programs.printing, Watch()).slow == ()


def test_a_filter_jit_is_told_by_the_users_function():
    equinox = pytest.importorskip("equinox")

    def make(jit):
        def shown(x):
            jax.debug.callback(lambda x: None, x)
            return x

        f = equinox.filter_jit(shown)
        return [lambda: f(programs.X)] * 5

    report = counted(make, Watch(hits=True))
    (slow,), (cost,) = report.slow, report.functions
    assert (slow.function, slow.calls, cost.function, cost.hits) == ("shown", 4, "shown", 4)
