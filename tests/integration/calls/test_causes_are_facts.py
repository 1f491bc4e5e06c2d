"""What the cases say of JAX is what JAX does: held against `jax.monitoring` alone, without jitinspect."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from tests.causes import CASES, CONTROLS, LOOK_UPS
from tests.causes.samples import SAMPLES

ROOT = Path(__file__).resolve().parent.parent.parent.parent
HERE = [case for case in [*CASES, *LOOK_UPS] if case.runs_on(jax.__version__)]
SELDOM = {"first_call", "unknown"}
"""Kinds of reasons that no case is for: the one goes without saying, the other is no cause."""
KINDS = {
    "shape", "dtype", "weak_type", "structure", "static_value", "call_form", "committed", "device",
    "sharding", "memory_kind", "layout", "config", "mesh", "new_function", "closure", "jit_options",
    "transformation", "cache_cleared",
}  # fmt: skip


def witnessed(programs):
    """The statuses of each program's calls, all in forks of one process."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.support.witness"],
        cwd=ROOT,
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.fixture(scope="module")
def of_cases():
    return dict(zip([case.name for case in HERE], witnessed([case.program for case in HERE]), strict=True))


@pytest.fixture(scope="module")
def of_samples():
    texts = [(ROOT / "samples" / "recompiles" / name).read_text() for name in SAMPLES]
    return dict(zip(SAMPLES, witnessed(texts), strict=True))


@pytest.mark.parametrize("case", HERE, ids=[case.name for case in HERE])
def test_jax_does_what_the_case_says(of_cases, case):
    assert of_cases[case.name] == case.statuses_on(jax.__version__)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_shows_what_it_says(of_samples, name):
    assert of_samples[name] == SAMPLES[name]


def test_every_sample_is_known():
    assert {path.name for path in (ROOT / "samples" / "recompiles").glob("*.py")} == set(SAMPLES)


def test_every_kind_of_reason_has_a_case():
    assert {reason.kind for case in CASES for reason in case.reasons} == KINDS
    assert not KINDS & SELDOM


def test_a_last_call_has_reasons_unless_it_was_cached():
    assert len({case.name for case in HERE}) == len(HERE)
    for case in CASES:
        reasons, statuses = case.reasons_on(jax.__version__), case.statuses_on(jax.__version__)
        assert bool(reasons) == (statuses[-1] != "CACHED"), case.name
        assert (case in CONTROLS) == (not case.reasons), case.name


WITNESS = """
import jax, numpy as np

@jax.jit
def inner(x):
    return x * 2

@jax.jit
def outer(x):
    return inner(x) + 1

x = np.ones(3, np.float32)
"""


def test_the_witness_sees_the_programs_own_calls_alone():
    programs = [
        WITNESS + "outer(x); outer(x)",  # the call of `inner` is part of a trace
        WITNESS + "jax.numpy.sum(x); inner(x)",
        WITNESS + "jax.grad(lambda x: inner(x).sum())(x)",
        WITNESS + "print('to stdout'); inner(x); inner.clear_cache(); inner(x)",
        WITNESS + "inner.lower(x).compile(); inner(x)",
        WITNESS + "pass",
    ]
    assert witnessed(programs) == [
        ["COMPILED", "CACHED"],
        ["COMPILED"],
        ["COMPILED"],
        ["COMPILED", "COMPILED"],
        ["CACHED"],
        [],
    ]


LOOK_UP = """
import jax, numpy as np
bodies = []

def double(x):
    bodies.append(x)
    return x * 2

x = np.ones(3, np.float32)
jax.jit(double)(x)
jax.jit(double)(jax.numpy.asarray(x))
assert len(bodies) == 1
"""


def test_a_look_up_runs_no_body():
    assert witnessed([LOOK_UP]) == [LOOK_UPS[0].statuses_on(jax.__version__)]


def test_the_witness_tells_of_a_program_that_fails():
    (told,) = witnessed([WITNESS + "outer(x)\nouter('text')"])
    assert "TypeError" in told
