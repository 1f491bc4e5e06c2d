"""What sharded programs move on eight CPU devices: by `collectives`, in closed form, counted a second way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sharded.cases import CASES
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

ROOT = Path(__file__).parents[3]
FLAGS = "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
"""LLVM need not optimize what is never run: that takes half of the time."""
each_program = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])


@pytest.fixture(scope="module")
def compiled():
    """Of each case, by its name, the text and the reading."""
    environ = {**os.environ, "XLA_FLAGS": FLAGS, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.sharded.worker"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@each_program
def test_a_count_over_the_text_gives_the_closed_form(compiled, case):
    assert by_scan(case, compiled[case.name]["text"]) == by_formula(case)


@each_program
def test_the_table_is_the_closed_form(compiled, case):
    reading = compiled[case.name]["reading"]
    assert told(reading) == told_by_formula(case)
    assert reading["wire_bytes"] == wire_bytes(case)


@each_program
def test_no_sum_is_said_to_add_what_is_equal(compiled, case):
    assert {one["repeats"] for one in compiled[case.name]["reading"]["collectives"]} <= {1}


@each_program
def test_the_lines_are_those_that_were_written_to_cause_it(compiled, case):
    assert lines_told(compiled[case.name]["reading"]) == lines_by_formula(case)


@each_program
def test_cost_and_source_say_the_same_in_all_and_of_each_line(compiled, case):
    reading, sent = compiled[case.name]["reading"], compiled[case.name]["sent"]
    moving = [one for one in reading["by_line"] if one["wire_bytes"]]
    lines = {one["name"]: pytest.approx(one["wire_bytes"], abs=1) for one in moving}
    assert sent["cost"].pop("all") == reading["wire_bytes"]
    assert sent["cost"] == {line: bytes_ for line, bytes_ in sent["source"].items() if bytes_} == lines


@each_program
def test_each_collective_of_the_text_is_in_the_table_and_none_else(compiled, case):
    found = compiled[case.name]
    in_table = [one["instruction"] for one in found["reading"]["collectives"]]
    assert sorted(in_table) == sorted(one.name for one in scan(found["text"]))


def test_each_move_has_a_line_that_was_written_to_cause_it():
    assert len(CASES) >= 30
    for case in CASES:
        assert all(case.lines(move) for move in case.moves(**case.mesh)), case.name
