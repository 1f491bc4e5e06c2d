"""`trace-cache` on a real program names the true cause, and nothing else, for every cause that is known."""

import json

import jax
import pytest

from tests.causes import CASES, LOOK_UPS
from tests.causes.case import assert_said
from tests.causes.samples import SAMPLES
from tests.e2e.conftest import CHEAPEST

HERE = [case for case in CASES if case.runs_on(jax.__version__)]


@pytest.mark.parametrize("case", HERE, ids=[case.name for case in HERE])
def test_the_cause_is_named(shell, case):
    shell.write("prog.py", case.program)
    calls = trace_cache(shell, "prog.py")
    assert [call["status"] for call in calls] == case.statuses_on(jax.__version__)
    unexplained = [call["index"] for call in calls if bool(call["reasons"]) == (call["status"] == "CACHED")]
    assert not unexplained, "a call has reasons unless it was cached"
    assert_said(case.reasons_on(jax.__version__), calls[-1]["reasons"])


@pytest.mark.parametrize("case", LOOK_UPS, ids=[case.name for case in LOOK_UPS])
def test_a_mere_look_up_is_not_blamed_on_the_call(shell, case):
    shell.write("prog.py", case.program)
    first, last = trace_cache(shell, "prog.py")
    assert first["status"] == "COMPILED"
    assert last["status"] in ("CACHED", "TRACED")
    assert {reason["kind"] for reason in last["reasons"]} <= {"jit_options"}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_recompilation_of_a_sample_is_explained(shell, name):
    calls = trace_cache(shell, f"samples/recompiles/{name}")
    assert [call["status"] for call in calls] == SAMPLES[name]
    assert not [reason for call in calls for reason in call["reasons"] if reason["kind"] == "unknown"]


def trace_cache(shell, program):
    """Compiled cheaply, but a program that sets flags has those alone."""
    sets_flags = "XLA_FLAGS" in (shell.folder / program).read_text()
    finished = shell("trace-cache", program, "--json", **({} if sets_flags else CHEAPEST))
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)["calls"]
