"""The runs of several recordings, added up."""

import pytest

from jitinspect.ir.program_runs import Execution, ProgramRun
from jitinspect.readings.profiling.known_programs import KnownPrograms
from jitinspect.readings.profiling.sums import AllSums


def run(number, *names, device="CPU:0"):
    executions = [Execution(name, at, at + 1.0, at + 1.0, "thread") for at, name in enumerate(names)]
    return ProgramRun(7, "jit_f", device, executions, number)


@pytest.mark.parametrize(
    "recordings, calls",
    [
        ([[run(1, "a")], [run(1, "b"), run(2, "a", "b")]], 2),
        ([[run(1, "a")], [run(1, "b")], [run(1, "c")]], 1),
        ([[run(1, "a")], [run(2, "a")], [run(1, "a")]], 3),  # numbers begin again
        ([[run(None, "a")], [run(None, "a")]], 2),
        ([[run(1, "a"), run(1, "a", device="CPU:1")], [run(1, "b", device="CPU:1")]], 1),
    ],
)
def test_a_run_of_which_each_recording_has_a_part_is_one(recordings, calls):
    sums = AllSums()
    for runs in recordings:
        sums.add(runs, KnownPrograms())
    (found,) = sums.by_program.values()
    assert found.calls == calls
