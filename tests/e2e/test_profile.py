"""`profile` as users run it: its text in any width, JSON, errors, and Ctrl-C."""

import json
import re
import signal
import subprocess
import time

import pytest

from tests.e2e.conftest import COMMAND

PROGRAM = """
import time
from functools import partial
from pathlib import Path
import jax
import jax.numpy as jnp

def talking(x):
    print("tracing")
    jax.debug.print("running {}", x[0])
    return jnp.sort(x)

def sleeps(x):
    Path("sleeps").touch()
    time.sleep(600)
    return x

def slow(x):
    return jax.pure_callback(sleeps, jax.ShapeDtypeStruct((), x.dtype), x)

@partial(jax.jit, donate_argnums=0)
def step(state, g):
    return {"w": state["w"] - 0.1 * g}

def arguments():
    return {"w": jnp.ones((8, 8))}, jnp.full((8, 8), 2.0)
"""
SORT = ("profile", "program.py:talking", "-s", "4096", "--calls", "3")


@pytest.fixture
def program(shell):
    (shell.folder / "program.py").write_text(PROGRAM)
    return shell


def test_the_document_alone_is_on_stdout(program):
    found = json.loads(program(*SORT, "--json").stdout)
    assert [found["command"], found["profile"]["calls"]] == ["profile", 3]
    (line,) = (one for one in found["profile"]["by_line"] if one["text"] == "return jnp.sort(x)")
    assert {"file", "line", "text", "seconds", "share", "flops", "bytes"} <= line.keys()
    assert line["file"] == "program.py" and line["seconds"] > 0
    assert {"op", "seconds", "runs", "lines"} <= found["profile"]["by_op"][0].keys()
    assert found["environment"]["platform"] == "cpu"


@pytest.mark.parametrize("width", ["60", "120"])
def test_a_saved_report_prints_the_same_without_the_program(program, width):
    assert program(*SORT, "-o", "report.json").returncode == 0
    (program.folder / "program.py").unlink()
    shown = program("view", "report.json", COLUMNS=width).stdout
    assert re.search(r"\d  return jnp\.sort\(x\)", shown.replace("      return", "  return"))
    assert max(map(len, shown.split("\n"))) <= int(width)
    assert ("GFLOP/s" in shown.partition("by operation")[0]) == (width == "120")


def test_values_of_a_function_are_used_as_they_are(program):
    shown = program("profile", "program.py:step", "--args-from", "program:arguments", "--calls", "4").stdout
    assert "mean of 4 calls" in shown and "made values" not in shown


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--target", "v5e"), "profile runs the function, which needs a device that is here"),
        (("--calls", "0"), "--calls"),
        (("-a", "f32[N]", "--dim", "N=1,2"), "profile runs a single call"),
    ],
)
def test_what_makes_no_sense_is_refused(program, options, told):
    finished = program(
        "profile", "program.py:talking", *(options if "-a" in options else ("-s", "8", *options))
    )
    assert finished.returncode == 2 and told in finished.stderr and not finished.stdout


def test_ctrl_c_ends_a_call_at_once(program):
    running = subprocess.Popen(
        [str(COMMAND), "profile", "program.py:slow", "-s", ""],
        cwd=program.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (program.folder / "sleeps").exists():
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=300) != 0
    running.stdout.close()
    running.stderr.close()
