"""A report on where time went is a trace as well: what Perfetto shows, and what is read back."""

import json
from collections import Counter
from dataclasses import asdict, replace
from decimal import Decimal

import pytest
from hypothesis import given

from jitinspect.model.flames import Slice, Stack
from jitinspect.render import json as reports
from jitinspect.render.json import from_json, to_json
from tests.support.flames import Timed, TimedReport, nested_slices, stacks, timed, timelines

SOME = (Stack(("a", "b"), 0.25), Stack(("a",), 0.5), Stack(("c",), 1.5))


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    """As if there were a command with such a report."""
    monkeypatch.setattr(reports, "_kind", lambda command: TimedReport)


def events(report, kind="X"):
    return [event for event in json.loads(to_json(report))["traceEvents"] if event["ph"] == kind]


def nanoseconds(event):
    """Exactly what is written: where the event starts and ends."""
    start, lasted = (Decimal(repr(event[key])) * 1000 for key in ("ts", "dur"))
    assert start == int(start) and lasted == int(lasted)
    return int(start), int(start + lasted)


@given(stacks, timelines)
def test_the_report_is_as_it_would_be_without_events(given_stacks, timeline):
    report = timed(*given_stacks, timeline=timeline)
    document = json.loads(to_json(report))
    assert from_json(to_json(report)) == report
    shown = json.loads(json.dumps(asdict(report)))
    assert shown.pop("exploration") is None  # which a report without one leaves out
    assert {**document, "traceEvents": [], "displayTimeUnit": "ms"} == {
        "schema": 1, **shown, "traceEvents": [], "displayTimeUnit": "ms",
    }  # fmt: skip


@given(timelines)
def test_every_slice_is_an_event_on_its_track(timeline):
    report = timed(*SOME, timeline=timeline)
    named = events(report, "M")
    processes = {one["pid"]: one["args"]["name"] for one in named if one["name"] == "process_name"}
    threads = {one["tid"]: one["args"]["name"] for one in named if one["name"] == "thread_name"}
    told = [
        (one["name"], threads.get(one["tid"]), processes[one["pid"]], nanoseconds(one))
        for one in events(report)
    ]
    wanted = [
        (one.name, one.track, f"constants net:loss {one.device}".rstrip(), rounded(one)) for one in timeline
    ]
    assert Counter(told) == Counter(wanted) if timeline else len(told) == 3
    assert not {one["tid"] for one in named[1:]} & {*processes}  # which viewers would call main threads


def rounded(one):
    return round(one.began * 1e9), round((one.began + one.seconds) * 1e9)


@given(timelines)
def test_nothing_on_a_track_overlaps(timeline):
    """Perfetto drops what does, and says that data was lost."""
    assert_apart_or_inside(timed(*SOME, timeline=timeline))


def assert_apart_or_inside(report):
    threads = {}
    for one in events(report):
        start, end = nanoseconds(one)
        around = threads.setdefault(one["tid"], [])
        while around and around[-1] <= start:
            around.pop()
        assert not around or end <= around[-1]
        around.append(end)
    return len(threads)


def test_what_lies_inside_another_ends_no_later():
    """To the nanosecond: of the stacks 1 in 6 overlapped when start and length were rounded."""
    assert assert_apart_or_inside(timed(*SOME, timeline=nested_slices(12))) == 1
    assert assert_apart_or_inside(timed(*thirds(6))) == 1


def test_what_ends_on_another_thread_has_a_track_beside_its_own():
    overlapping = [Slice("while", 0.0, 2.0, "a"), Slice("dot", 1.0, 1.5, "a"), Slice("add", 0.5, 0.5, "a")]
    report = timed(*SOME, timeline=overlapping)
    (first, second, beside), names = events(report), events(report, "M")
    assert [one["name"] for one in (first, second, beside)] == ["while", "add", "dot"]
    assert first["tid"] == second["tid"] != beside["tid"]
    assert [one["args"]["name"] for one in names if one["name"] == "thread_name"] == ["a", "a"]


def thirds(depth, frames=()):
    """Stacks whose seconds are no sums that floats have."""
    yield Stack((*frames, "itself"), 3.0**-depth / 7)
    if depth:
        for name in "ab":
            yield from thirds(depth - 1, (*frames, name))


def test_without_a_timeline_the_sums_lie_side_by_side():
    report = timed(*SOME)
    spans = {one["name"]: (one["ts"], one["dur"]) for one in events(report)}
    assert spans == {"c": (0, 1.5e6), "a": (1.5e6, 0.75e6), "b": (1.5e6, 0.25e6)}
    names = [one["args"]["name"] for one in events(report, "M")]
    assert names == ["sums, in no order of time: constants net:loss", "by stack"]


def test_the_calls_of_a_sweep_are_processes():
    first, second = (Timed((Stack(("a",), n),), dims={"B": n}) for n in (1, 2))
    report = replace(timed(), timed=first, sweep=(first, second))
    names = [one["args"]["name"] for one in events(report, "M") if one["name"] == "process_name"]
    assert [name.split(": ")[1] for name in names] == ["constants net:loss B=1", "constants net:loss B=2"]
    assert len({one["pid"] for one in events(report)}) == 2


def test_events_come_last_and_a_report_without_seconds_has_none():
    text = to_json(timed(*SOME))
    assert text.startswith('{\n "schema": 1') and text.index('"traceEvents"') > text.index('"environment"')
    assert "traceEvents" not in to_json(timed(Stack(("a",), 0.0)))


def test_thousands_of_events_take_a_line_each():
    many = [Slice("fusion.1", n / 1e5, 1e-5, "main") for n in range(5000)]
    document = to_json(timed(*SOME, timeline=many)).partition('"traceEvents"')[2]
    assert len(document) < 5000 * 130 and len(document.splitlines()) < 5020
