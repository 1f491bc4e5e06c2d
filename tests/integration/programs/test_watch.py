"""The watch of whole programs: what it says of every known cause, with nothing in front of the calls."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from tests.causes import CASES, CONTROLS
from tests.causes.case import assert_said
from tests.causes.samples import SAMPLES

ROOT = Path(__file__).resolve().parent.parent.parent.parent
HERE = [case for case in CASES if case.runs_on(jax.__version__)]
QUIET = [case for case in CONTROLS if case.runs_on(jax.__version__)]


def watched(programs):
    finished = subprocess.run(
        [sys.executable, "-m", "tests.support.watched"],
        cwd=ROOT,
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.fixture(scope="module")
def of_cases():
    cases = [*HERE, *QUIET]
    return dict(zip([case.name for case in cases], watched([case.program for case in cases]), strict=True))


@pytest.fixture(scope="module")
def of_samples():
    texts = [(ROOT / "samples" / "recompiles" / name).read_text() for name in SAMPLES]
    return dict(zip(SAMPLES, watched(texts), strict=True))


def calls(told):
    assert isinstance(told, dict), told
    return [one for one in told["compilations"] if one["kind"] == "call"]


@pytest.mark.parametrize("case", HERE, ids=[case.name for case in HERE])
def test_the_cause_is_named(of_cases, case):
    made = calls(of_cases[case.name])
    did = [status for status in case.statuses_on(jax.__version__) if status != "CACHED"]
    assert [one["status"] for one in made] == did
    if case.statuses_on(jax.__version__)[-1] != "CACHED":
        assert_said(case.reasons, made[-1]["reasons"])


@pytest.mark.parametrize("case", QUIET, ids=[case.name for case in QUIET])
def test_a_control_compiles_as_often_as_it_says(of_cases, case):
    did = [status for status in case.statuses_on(jax.__version__) if status != "CACHED"]
    assert [one["status"] for one in calls(of_cases[case.name])] == did


@pytest.mark.parametrize("name", SAMPLES)
def test_each_recompilation_of_a_sample_is_explained(of_samples, name):
    made = calls(of_samples[name])
    assert [one["status"] for one in made] == [s for s in SAMPLES[name] if s != "CACHED"]
    assert not [reason for one in made for reason in one["reasons"] if reason["kind"] == "unknown"]


def test_no_compilation_is_lost_or_counted_twice(of_cases, of_samples):
    for name, told in {**of_cases, **of_samples}.items():
        own = sum(one["compilations"] for one in told["compilations"])
        assert own + told["internal"] + told["disk_hits"] == told["events"], name
