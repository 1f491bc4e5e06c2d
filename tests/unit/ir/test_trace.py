"""Events of a trace: nested by time, and the pieces of time that each has to itself."""

import pytest

from jitinspect.ir.trace import Event, in_order, nested, spans


def event(name, start, end):
    return Event(name, float(start), float(end), {})


EVENTS = [event("a", 0, 10), event("b", 1, 3), event("c", 3, 6), event("d", 4, 5), event("e", 12, 13)]


def pieces(events):
    return [
        (one.start, one.end, "".join(event.name for event in one.path))
        for one in spans(nested(in_order(events)))
    ]


def test_each_piece_of_time_is_the_innermost_events():
    assert pieces(reversed(EVENTS)) == [
        (0, 1, "a"), (1, 3, "ab"), (3, 4, "ac"), (4, 5, "acd"), (5, 6, "ac"), (6, 10, "a"), (12, 13, "e"),
    ]  # fmt: skip


def test_pieces_are_the_events_own_seconds():
    of_spans = {name: 0.0 for name in "abcde"}
    for start, end, path in pieces(EVENTS):
        of_spans[path[-1]] += end - start
    nodes = [node for outer in nested(in_order(EVENTS)) for node in outer.within()]
    assert of_spans == {node.event.name: pytest.approx(node.self_seconds) for node in nodes}


def test_what_ends_after_the_event_around_it_is_cut():
    assert pieces([event("a", 0, 4), event("b", 2, 5)]) == [(0, 2, "a"), (2, 4, "ab")]
