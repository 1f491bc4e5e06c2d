"""When operations ran, from events as XLA for CPUs, TPUs and GPUs records them."""

import pytest

from jitinspect.ir.program_runs import (
    Execution,
    ProgramRun,
    covered,
    inner_by_name,
    program_runs,
    self_seconds,
    settled,
    union,
)
from jitinspect.ir.trace import Event, Track, in_order

HOST = "/host:CPU"


def op(name, start, end, number=None, run=1, device=0, program=7):
    stats = {"hlo_op": name, "hlo_module": "jit_f", "program_id": program, "run_id": run}
    return Event(name, start, end, {**stats, "device_ordinal": device, "_p": number})


def end_of(name, at, number):
    return Event(f"end: {name}", at, at, {"_c": number})


def work(at):
    """A piece of work begins on a thread of the pool."""
    return Event("ThreadpoolListener::StartRegion", at, at, {"_ct": 15})


def track(name, *events, plane=HOST):
    return Track(plane, name, in_order(events))


def seconds(run):
    return {one.op: one.seconds for one in run.executions}


def test_an_operation_ends_with_its_end_on_another_thread():
    (run,) = program_runs(
        [
            track("main", op("sort", 0.0, 0.1, 1)),
            track("pool", work(0.2), end_of("sort", 5.0, 1)),
        ]
    )
    assert seconds(run) == {"sort": 5.0}
    assert (run.program, run.module, run.device, run.start, run.end) == (7, "jit_f", "CPU:0", 0.0, 5.0)


def test_what_follows_on_that_thread_is_not_part_of_it():
    """Its end is recorded when all that follows has run."""
    (run,) = program_runs(
        [
            track("main", op("sort", 0.0, 0.1, 1)),
            track("pool", work(1.0), op("dot", 5.0, 9.0, 2), end_of("dot", 9.0, 2), end_of("sort", 9.1, 1)),
        ]
    )
    assert seconds(run) == {"sort": 5.0, "dot": 4.0}


def test_what_ran_there_before_is_not_what_follows():
    other = (work(1.0), op("other", 1.5, 2.5, 3), end_of("other", 2.5, 3))
    (run,) = program_runs(
        [
            track("main", op("sort", 0.0, 0.1, 1)),
            track("pool", *other, work(3.0), op("dot", 5.0, 9.0, 2), end_of("sort", 9.1, 1)),
        ]
    )
    assert seconds(run)["sort"] == 5.0


def test_what_has_no_end_in_the_recording_ends_where_the_next_begins():
    """The ends of the last operations come when the results are there, and the recording may have stopped."""
    (run,) = program_runs(
        [
            track("main", op("sort", 0.0, 0.1, 1), op("while", 6.0, 6.1, 3)),
            track("pool", work(1.0), op("dot", 5.0, 6.0, 2), end_of("dot", 6.0, 2)),
        ]
    )
    assert seconds(run) == {"sort": 5.0, "dot": 1.0, "while": pytest.approx(0.1)}
    assert max(one.recorded for one in run.executions) == 6.1


def test_an_event_that_is_longer_than_its_operation_is_cut():
    """The rest of the program may go on inside it."""
    (run,) = program_runs(
        [track("main", op("dot", 0.0, 9.0, 1), end_of("dot", 2.0, 1), op("add", 3.0, 4.0, 2))]
    )
    assert seconds(run) == {"dot": 2.0, "add": 1.0}


def test_runs_are_told_apart_by_number_device_and_program():
    events = [op("a", 0, 1), op("a", 2, 3, run=2), op("a", 2.5, 4, device=1), op("b", 5, 6, program=8)]
    runs = program_runs([track("main", *events)])
    assert [(run.program, run.device) for run in runs] == [
        (7, "CPU:0"), (7, "CPU:0"), (7, "CPU:1"), (8, "CPU:0"),
    ]  # fmt: skip


BODY = {"while": ["dot", "inner"], "inner": ["add"]}


def execution(name, start, end, recorded=None):
    return Execution(name, start, end, recorded or end, "main")


def run_of(*executions):
    return ProgramRun(7, "jit_f", "CPU:0", sorted(executions, key=lambda one: (one.start, -one.end)))


def test_a_loop_ends_with_the_last_of_its_body():
    """Its own end is recorded when all that follows has run; the first of its body is not what follows."""
    loop = execution("while", 0, 0.1, recorded=20)
    run = settled(
        run_of(loop, execution("dot", 1, 3), execution("dot", 4, 6), execution("after", 7, 19)), BODY
    )
    assert seconds(run)["while"] == 6
    assert self_seconds(run, BODY) == [2, 2, 2, 12]


def test_a_loop_ends_before_it_begins_again():
    loops = execution("inner", 0.5, 0.6, recorded=20), execution("inner", 5, 5.1, recorded=20)
    adds = execution("add", 1, 2), execution("add", 6, 9)
    run = settled(run_of(execution("while", 0, 0, recorded=20), *loops, *adds), BODY)
    assert [(one.start, one.end) for one in run.executions if one.op == "inner"] == [(0.5, 2), (5, 9)]
    assert run.executions[0].seconds == 9


def test_what_runs_beside_a_loop_is_not_taken_from_it():
    beside = execution("sort", 0.5, 5.5)
    run = settled(run_of(execution("while", 0, 0, recorded=6), execution("dot", 1, 6), beside), BODY)
    assert dict(zip([one.op for one in run.executions], self_seconds(run, BODY), strict=True)) == {
        "while": 1, "sort": 5, "dot": 5,
    }  # fmt: skip


def test_a_loop_without_an_iteration_keeps_its_end():
    assert seconds(settled(run_of(execution("while", 0, 2)), BODY)) == {"while": 2}


def test_without_hlo_names_tell_what_runs_others():
    run = run_of(execution("while.3", 0, 9), execution("dot", 1, 3), execution("whiled", 4, 5))
    assert inner_by_name([run]) == {"while.3": ["dot", "whiled"]}


def test_the_union_of_overlapping_times():
    ran = [execution("a", 0, 2), execution("b", 1, 4), execution("c", 1, 3), execution("d", 6, 7)]
    intervals = list(union(ran))
    assert intervals == [(0, 4), (6, 7)]
    assert covered(intervals, -1, 9) == 5
    assert covered(intervals, 3, 6.5) == 1.5
    assert covered(intervals, 4, 6) == 0
    assert list(union([])) == [] and covered([], 0, 1) == 0


def test_lines_of_a_tpu():
    plane = "/device:TPU:0"
    modules = track("XLA Modules", Event("jit_f(20)", 0, 5, {}), Event("jit_f(20)", 6, 9, {}), plane=plane)
    named = Event("%fusion.3 = f32[8]{0} fusion(%p)", 1, 4, {})
    ops = track("XLA Ops", named, Event("copy.1", 7, 8, {"hlo_op": "copy.1"}), plane=plane)
    others = track("Async XLA Ops", Event("copy", 0, 9, {"hlo_op": "copy.7"}), plane=plane)
    runs = program_runs([others, modules, ops])
    assert [(run.program, run.module, run.device) for run in runs] == [(20, "jit_f", "TPU:0")] * 2
    assert [one.op for run in runs for one in run.executions] == ["fusion.3", "copy.1"]


def test_streams_of_a_gpu_without_numbers_of_runs():
    """A run begins where the first operation runs again."""
    stats = {"hlo_module": "jit_f", "program_id": "7"}
    events = [
        Event("kernel", at, at + 0.5, {**stats, "hlo_op": name})
        for at, name in enumerate(["fusion", "dot", "dot", "fusion", "dot"])
    ]
    launch = Event("cuLaunchKernel", 0, 0.1, {**stats, "hlo_op": "fusion"})
    host = track("main", launch, plane="/host:CUPTI")
    runs = program_runs([host, track("Stream #1", *events, plane="/device:GPU:0 (NVIDIA)")])
    assert [len(run.executions) for run in runs] == [3, 2]
    assert {run.device for run in runs} == {"GPU:0"} and {run.program for run in runs} == {7}


@pytest.mark.parametrize("program", [None, "x"])
def test_events_need_not_tell_their_program(program):
    (run,) = program_runs([track("main", op("a", 0, 1, program=program))])
    assert run.program is None
