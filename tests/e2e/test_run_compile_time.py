"""`jitinspect run --compile-time`: what the long compilations of a real program took."""

import json

import pytest

from tests.support.measured import one_of_three_runs

PROGRAM = """
import sys, time
import jax, jax.numpy as jnp
def helper(x):
    time.sleep(1.2)
    return x * 2
@jax.jit
def long(x):
    x = helper(x)
    for i in range(12):
        x = jnp.tanh(x @ x) + jnp.sort(x, axis=i % 2)
    return x
@jax.jit
def short(x):
    return x + 1
x = jnp.ones((16, 16))
print(float(short(x)[0, 0]), float(long(x)[0, 0]) > 0, sys.argv[1:])
sys.exit(3)
"""


def run(shell):
    shell.write("program.py", PROGRAM)
    return shell("run", "--compile-time", "-o", "report.json", "program.py", "-b")


def times_in(shell):
    return json.loads((shell.folder / "report.json").read_text())["compile_times"]


@one_of_three_runs
def test_the_long_one_is_told_by_stage_phase_and_line(shell):
    ran = run(shell)
    assert (ran.stdout, ran.returncode) == ("2.0 True ['-b']\n", 3)
    found = times_in(shell)
    (one,) = found["compilations"]
    assert one["function"] == "long" and one["at"] == "program.py:17" and found["other"] >= 1
    times = one["compile_time"]
    assert times["wall_seconds"]["trace"] > 1.1
    compiled = times["wall_seconds"]["compile"]
    assert sum(phase["seconds"] for phase in times["phases"]) == pytest.approx(compiled, rel=0.05)
    lines = {line["line"]: line for line in found["by_line"]}
    assert lines[5]["trace_seconds"] == max(line["trace_seconds"] for line in lines.values()) > 1.1
    assert lines[11]["compile_seconds"] > 0


def test_what_is_saved_is_printed_again(shell):
    run(shell)
    printed = shell("run", "--compile-time", "program.py", "-b").stderr
    again = shell("view", "report.json").stdout
    for told in ("what compilations took", "time.sleep(1.2)", "of less than 1.00 s"):
        assert told in printed and told in again
    verbose = shell("view", "report.json", "-v").stdout
    assert "compile, by phase" in verbose


def test_a_profile_of_the_program_works_as_without(shell):
    shell.write("own.py", "import jax\njax.profiler.start_trace('own')\n" + PROGRAM)
    finished = shell("run", "--compile-time", "-o", "report.json", "own.py")
    assert finished.returncode == 3 and "Traceback" not in finished.stderr
    found = times_in(shell)
    assert not found["compilations"] and any("profile" in note for note in found["notes"])


def test_it_is_not_combined_with_a_profile(shell):
    shell.write("program.py", PROGRAM)
    finished = shell("run", "--compile-time", "--profile", "program.py")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "cannot be combined" in finished.stderr
