"""The wall clock, divided among threads that work at once: all of it, and never more."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jitinspect.ir.trace import Event, Span
from jitinspect.readings.timings.wall_clock import divided


def span(name, start, end):
    return Span(float(start), float(end), (Event(name, float(start), float(end), {}),))


def waits(one):
    return one.path[-1].name.startswith("wait")


def seconds(leading, others=()):
    """By name of the span."""
    found = Counter()
    for share in divided(leading, others, waits):
        found[share.span.path[-1].name] += share.seconds
    return dict(found)


def test_what_runs_while_the_leading_thread_works_is_not_on_the_clock():
    assert seconds([span("main", 0, 4)], [span("other", 1, 3)]) == {"main": 4}


def test_while_it_waits_the_others_have_equal_parts():
    others = [span("one", 1, 3), span("two", 2, 3)]
    assert seconds([span("wait", 0, 4)], others) == {"wait": 2, "one": 1.5, "two": 0.5}


def test_of_two_that_wait_the_one_that_began_last_is_waited_for():
    leading = [span("wait for the compiler", 0, 5), span("main", 1, 2), span("wait for LLVM", 2, 4)]
    assert seconds(leading, [span("other", 3, 4)]) == {
        "wait for the compiler": 2, "main": 1, "wait for LLVM": 1, "other": 1,
    }  # fmt: skip


def test_what_nobody_leads_is_left_out():
    assert seconds([span("main", 0, 1), span("main", 3, 4)], [span("other", 1, 3)]) == {"main": 2}


moments = st.integers(0, 40)
spans = st.tuples(st.sampled_from(["wait", "work", "wait more"]), moments, st.integers(1, 9)).map(
    lambda drawn: span(drawn[0], drawn[1], drawn[1] + drawn[2])
)


@given(st.lists(spans), st.lists(spans))
def test_the_parts_are_the_time_that_is_led(leading, others):
    led = {instant for one in leading for instant in range(int(one.start), int(one.end))}
    assert abs(sum(seconds(leading, others).values()) - len(led)) < 1e-9
