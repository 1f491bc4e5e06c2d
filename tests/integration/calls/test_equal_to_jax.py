"""Held against JAX: every verdict, really made and planned, is what JAX's own events say in another process.

`JITINSPECT_CALLS` calls in all (2,000 where it is not set), the same ones each time.
"""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.compiling import CHEAPEST
from tests.support.drawn_programs import PRELUDE, as_program, as_script, programs

CALLS = int(os.environ.get("JITINSPECT_CALLS", "2000"))
PHASES = ["trace", "lower", "compile"]
STATUS = {(): "CACHED", "trace": "TRACED", "lower": "LOWERED", "compile": "COMPILED"}
HERE = Path(__file__).parents[2] / "support"
CALLS_A_PROGRAM = 12  # fewer than on average

drawn = settings(
    deadline=None,
    print_blob=True,
    derandomize=True,
    database=None,
    max_examples=max(1, CALLS // 2 // CALLS_A_PROGRAM),
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
)


class Worker:
    """A process that answers a line of JSON with another."""

    def __init__(self, script):
        environment = {
            **os.environ,
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": f"--xla_force_host_platform_device_count=4 {CHEAPEST}",
            "PYTHONPATH": os.pathsep.join([str(HERE.parent.parent), os.environ.get("PYTHONPATH", "")]),
        }
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ask(self, **request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def answer(self):
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, list), answer["failed"]
        return answer

    def close(self):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def workers():
    made = Worker("jax_oracle.py"), Worker("observing_worker.py")
    yield made
    for worker in made:
        worker.close()


numbers = itertools.count()


def disagreements(steps, told, rows):
    """What differs between the rows and what JAX told, a text each."""
    calls = [(step, said) for step, said in zip(steps, told, strict=True) if step.calls]
    if len(rows) != len(calls):
        yield f"{len(rows)} rows for {len(calls)} calls"
    executables = Executables(ahead=any(".compile()" in step.code for step in steps))
    for row, (step, said) in zip(rows, calls, strict=False):
        where = f"call {row['index']} {row['signature']}\n{step.code}\n{row['reasons']}"
        begun = {phase for phase, name in said["begun"] if name == step.event}
        if said["bodies"] == 0 and not _fails_by_itself(
            said
        ):  # the event was that of a look-up, which found a trace
            begun.discard("trace")
        stages = [phase for phase in PHASES if phase in begun]
        status = STATUS[stages[-1] if stages else ()]
        if (row["status"], list(row["stages"])) != (status, stages):
            yield f"{row['status']} {row['stages']}, to JAX {status} {stages}: {where}"
        if (row["error"] is None) != (said["error"] is None):
            yield f"{row['error']}, to JAX {said['error']}: {where}"
        elif said["mark"] is not None:
            wrong = executables.wrong(row["executable"], step, said, compiled="compile" in stages)
            if wrong:
                yield f"executable {row['executable']} {wrong}: {where}"


class Executables:
    """The numbers so far. Those of one trace (`mark`) on arrays placed alike can be one executable; those of
    one jit on such arrays are. `ahead` tells that some may have been made without a call.
    """

    def __init__(self, ahead):
        self._ahead = ahead
        self._of_jit = {}
        self._of_trace = {}

    def wrong(self, number, step, said, compiled):
        """What is wrong with that number, if anything is."""
        trace = said["mark"], str(said["placed"])
        alike = self._of_trace.setdefault(trace, set())
        known = any(number in numbers for numbers in self._of_trace.values())
        jit = step.shared or object()  # one that is not to be compared
        expected = self._of_jit.setdefault((jit, said["fast"], *trace), number)
        alike.add(number)
        if number is None:
            return "though there is one"
        if compiled:
            return "is an old one" if known else None
        if not known:
            return None if self._ahead else "is new, and nothing was compiled"
        if expected != number:
            return f"is not {expected}, as before"
        traces = sum(number in numbers for numbers in self._of_trace.values())
        return None if traces == 1 else "is another trace's"


def compare(steps, told, rows):
    found = list(disagreements(steps, told, rows))
    assert not found, "\n\n".join([*found, *(step.line or step.code for step in steps)])


def foreseeable(steps, told):
    """Without the calls that a function's own body fails, and those with arguments that JAX does not take."""
    kept = [pair for pair in zip(steps, told, strict=True) if not _fails_by_itself(pair[1])]
    return [step for step, _ in kept], [said for _, said in kept]


def _fails_by_itself(said):
    return said["error"] is not None and "incompatible devices" not in said["error"]


compared = {"programs": 0, "scripts": 0}


@drawn
@given(steps=programs(scripted=False))
def test_a_program(steps, workers, tmp_path_factory):
    oracle, observer = workers
    script = tmp_path_factory.mktemp("program") / "program.py"
    script.write_text(as_program(steps))
    oracle.ask(prelude=PRELUDE, steps=[step.code for step in steps])
    observer.ask(script=str(script), plan=False)
    told, rows = oracle.answer(), observer.answer()
    compare(steps, told, rows)
    compared["programs"] += sum(step.calls for step in steps)


@drawn
@given(steps=programs(scripted=True))
def test_a_call_script(steps, workers, tmp_path_factory):
    oracle, observer = workers
    module = f"drawn_{next(numbers)}"
    script = tmp_path_factory.mktemp("script") / "script.calls"
    script.with_name(f"{module}.py").write_text(PRELUDE)
    script.write_text(as_script(steps, module))
    oracle.ask(prelude=PRELUDE, steps=[step.code for step in steps])
    observer.ask(script=str(script), plan=False, mesh=[["d", 2]])
    told, made = oracle.answer(), observer.answer()
    compare(steps, told, made)
    steps, told = foreseeable(steps, told)
    script.write_text(as_script(steps, module))
    observer.ask(script=str(script), plan=True, mesh=[["d", 2]])
    compare(steps, told, observer.answer())
    compared["scripts"] += len(steps)


def test_enough_was_compared():
    assert compared["programs"] + compared["scripts"] >= CALLS, compared
