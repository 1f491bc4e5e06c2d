"""What sharded programs move on slices of TPUs: by `collectives`, in closed form, counted a second way."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.sharded.comparing import (
    by_formula,
    by_scan,
    lines_by_formula,
    lines_told,
    told,
    told_by_formula,
    wire_bytes,
)
from tests.sharded.scan import scan
from tests.sharded.tpu_slices import ALL_SLICES, SLICES

pytestmark = pytest.mark.skipif(find_spec("libtpu") is None, reason="libtpu is not installed")
ROOT = Path(__file__).parents[3]
QUIET = {
    "JAX_PLATFORMS": "cpu",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
}
each_program = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in SLICES])


def finished(folder, *words):
    """What the worker prints. libtpu writes to the temporary folder, in whatever way it is told not to."""
    environ = {
        **os.environ,
        **QUIET,
        "TPU_LOG_DIR": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sharded.worker", *words],
        cwd=ROOT,
        env={**environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=16"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The text of each case by the compiler alone, and its reading, of another compilation."""
    folder = tmp_path_factory.mktemp("tpu")
    running = {what: finished(folder, what) for what in ("texts", "readings")}
    found = {}
    for what, process in running.items():
        answer, said = process.communicate(timeout=600)
        assert process.returncode == 0, said
        found[what] = json.loads(answer)
    return {name: {"text": text, "reading": found["readings"][name]} for name, text in found["texts"].items()}


@each_program
def test_a_count_over_the_text_gives_the_closed_form(compiled, case):
    assert by_scan(case, compiled[case.name]["text"]) == by_formula(case)


@each_program
def test_the_table_is_the_closed_form(compiled, case):
    reading = compiled[case.name]["reading"]
    assert told(reading) == told_by_formula(case)
    assert reading["wire_bytes"] == wire_bytes(case)


@each_program
def test_the_lines_are_those_that_were_written_to_cause_it(compiled, case):
    assert lines_told(compiled[case.name]["reading"]) == lines_by_formula(case)


@each_program
def test_each_collective_of_the_text_is_in_the_table_and_none_else(compiled, case):
    found = compiled[case.name]
    in_table = [one["instruction"] for one in found["reading"]["collectives"]]
    assert sorted(in_table) == sorted(one.name for one in scan(found["text"]))


def test_each_move_has_a_line_that_was_written_to_cause_it():
    assert len(ALL_SLICES) >= 10
    for case in ALL_SLICES:
        assert all(case.lines(move) for move in case.moves(**case.mesh)), case.name
