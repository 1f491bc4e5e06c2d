"""Traces of devices that are not here, made by hand: what is read of them, and that damage is told."""

import pytest

from jitinspect.ir.program_runs import program_runs
from jitinspect.ir.xspace import operation_tracks, recorded_seconds
from tests.support import made_traces
from tests.support.made_traces import TASK, Plane, xspace


@pytest.mark.parametrize("made", [made_traces.tpu, made_traces.gpu])
def test_the_runs_of_a_device(made):
    runs = program_runs(operation_tracks(xspace(made(runs=2), TASK)))
    assert [(run.program, run.module, len(run.executions)) for run in runs] == [(77, "jit_step", 2)] * 2
    assert {run.device for run in runs} == {made().name.removeprefix("/device:")}
    ops = [(one.op, round(one.seconds * 1e9)) for one in runs[0].executions]
    assert ops == [("dot.1", 300), ("tanh.2", 100)]


def test_lines_that_tell_the_same_again_are_left_out():
    names = {track.name for track in operation_tracks(xspace(made_traces.tpu()))}
    assert names == {"XLA Ops", "XLA Modules"}


def test_the_statistics_of_an_event_and_of_its_kind():
    plane = Plane(
        "/device:GPU:0", {"Stream #1": [("k", 5, 7, {"run_id": -3, "hlo_op": "a.1"})]}, {"k": {"n": 300}}
    )
    ((event,),) = (track.events for track in operation_tracks(xspace(plane)))
    assert event.stats == {"run_id": -3, "hlo_op": "a.1", "n": 300}
    assert event.start == pytest.approx(1e-3 + 5e-9) and event.seconds == pytest.approx(7e-9)


def test_of_the_host_what_may_be_an_operation():
    names = [
        "dot.1",
        "end: dot.1",
        "ThreadpoolListener::StartRegion",
    ]
    others = ["ThreadpoolListener::Record", "$a.py:3 f"]
    plane = Plane("/host:CPU", {"python": [(name, at, 1) for at, name in enumerate(names + others)]})
    ((*events,),) = (track.events for track in operation_tracks(xspace(plane)))
    assert [event.name for event in events] == names


def test_the_whole_time():
    assert recorded_seconds(xspace(TASK)) == pytest.approx(5e-6)
    assert recorded_seconds(xspace(made_traces.tpu())) is None


@pytest.mark.parametrize("cut", [3, 40, 200])
def test_a_trace_that_is_cut_off(cut):
    with pytest.raises(ValueError, match="this is no XSpace"):
        operation_tracks(xspace(made_traces.tpu())[:-cut])


@pytest.mark.parametrize("text", [b"hello\n", b"import jax\n", b"\x0a\xff", b"PK\x03\x04"])
def test_what_is_no_trace(text):
    with pytest.raises(ValueError, match="this is no XSpace"):
        operation_tracks(text)


def test_nothing_is_a_trace_of_nothing():
    assert operation_tracks(b"") == []
