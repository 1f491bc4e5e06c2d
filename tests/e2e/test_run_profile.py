"""`jitinspect run --profile`: where a real program's time went, however it ends; `profile --trace`."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.e2e.conftest import COMMAND, ROOT, UNOPTIMIZED
from tests.support.pages import data_of

TRAIN = """
import os, sys, time, jax, jax.numpy as jnp
@jax.jit
def step(w, x):
    y = jnp.tanh(x @ w)
    return w - 0.1 * (x.T @ y)
@jax.jit
def ordered(x):
    return jnp.sort(x, axis=0)
w, x = jnp.ones((200, 200)), jnp.ones((200, 200))
for n in range(8):
    w = step(w, x)
    ordered(x).block_until_ready()
w.block_until_ready()
print("trained", sys.argv[1:], flush=True)
time.sleep(0.3)
"""
LINES = {"y = jnp.tanh(x @ w)", "return w - 0.1 * (x.T @ y)", "return jnp.sort(x, axis=0)"}


@pytest.fixture
def shell(shell):
    shell.environ.update(UNOPTIMIZED)
    return shell


def profile_of(shell, name="report.json"):
    return json.loads((shell.folder / name).read_text())["profile"]


def assert_calls(shell, **expected):
    """A busy machine may have the recording pause, which makes calls an estimate, and what runs while a piece
    of it ends is in none.
    """
    profile = profile_of(shell)
    calls = {row["function"]: row["calls"] for row in profile["functions"]}
    for function, number in expected.items():
        assert calls[function] > 0
        assert profile["is_estimate"] or number - 2 <= calls[function] <= number


def test_functions_and_lines_on_stderr_and_the_programs_words_on_stdout(shell):
    shell.write("train.py", TRAIN)
    finished = shell("run", "--profile", "train.py", "a", "-b")
    assert (finished.stdout, finished.returncode) == ("trained ['a', '-b']\n", 0)
    told = finished.stderr[finished.stderr.index("what ran") :].splitlines()
    assert "the program's own code" in told[1]
    functions = [line.split() for line in told if "train.py:3" in line or "train.py:7" in line]
    assert {row[-2] for row in functions} == {"step", "ordered"}
    assert any("≈" in row for row in functions) or {row[-5] for row in functions} <= {"6", "7", "8"}
    assert all(any(text in line for line in told) for text in LINES)


def test_what_nobody_waits_for_is_waited_for(shell):
    """Python's exit would wait for it after the report."""
    ends = 'w.block_until_ready()\nprint("trained", sys.argv[1:], flush=True)\ntime.sleep(0.3)\n'
    assert ends in TRAIN
    more = "for n in range(20):\n    w = step(w, x)\n"
    shell.write("train.py", TRAIN.replace(ends, more))
    shell("run", "--profile", "-o", "report.json", "train.py")
    assert_calls(shell, step=28, ordered=8)


def test_every_format_and_view(shell):
    shell.write("train.py", TRAIN)
    for name in ("report.json", "report.html", "report.txt"):
        assert shell.forked("run", "-q", "--profile", "-o", name, "train.py").returncode == 0
    profile = profile_of(shell)
    assert_calls(shell, step=8)
    assert {row["text"] for row in profile["by_line"]} >= LINES
    assert profile["wall_seconds"] > profile["covered_seconds"] > 0
    assert profile["host_seconds"] > 0.25 and profile["without_hlo"] == []
    total = sum(row["seconds"] for row in profile["by_line"])
    assert total == pytest.approx(profile["op_seconds"])
    assert sum(row["seconds"] for row in profile["by_line"] if row["file"]) > 0.97 * total
    for finished in (shell("view", "report.json"), shell.sh("cat report.txt")):
        assert "return jnp.sort(x, axis=0)" in finished.stdout
    page = data_of((shell.folder / "report.html").read_text())
    assert "return jnp.sort(x, axis=0)" in page["text"] and page["flames"][0]["frames"]


def test_a_narrow_terminal_gets_no_line_that_is_too_long(shell):
    shell.write("train.py", TRAIN)
    told = shell.forked("run", "--profile", "train.py", COLUMNS="60").stderr
    assert "what ran" in told and max(map(len, told.splitlines())) <= 60


ENDS = {
    "exit": "sys.exit(3)",
    "text": "sys.exit('no')",
    "raise": "1 / 0",
    "fork": "pid = os.fork()\nif not pid: os._exit(0)\nprint(os.waitpid(pid, 0)[1])",
    "thread": "import threading\nt = threading.Thread(target=lambda: print(step(w, x).shape))\nt.start()",
    "pool": "from multiprocessing import Pool\nwith Pool(2) as pool: print(pool.map(abs, [-1, 2]))",
    "no jax after all": "del sys.modules['jax']",
}


@pytest.mark.parametrize("end", ENDS)
def test_however_it_ends_there_is_a_report(shell, end):
    shell.write("train.py", TRAIN.replace("time.sleep(0.3)", ENDS[end]))
    bare = shell.run([sys.executable, "-W", "ignore", "train.py"])
    measured = shell("run", "-q", "--profile", "-o", "report.json", "train.py", PYTHONWARNINGS="ignore")
    assert (measured.stdout, measured.returncode) == (bare.stdout, bare.returncode)
    assert measured.stderr == bare.stderr
    assert_calls(shell, ordered=8)


def test_ctrl_c_ends_it_with_a_report(shell):
    shell.write("train.py", TRAIN.replace("0.3", "600"))
    process = subprocess.Popen(
        [COMMAND, "run", "-q", "--profile", "-o", "report.json", "train.py"],
        cwd=shell.folder,
        env=shell.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "trained" in process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGINT
    assert_calls(shell, step=8)


def test_a_program_without_jax(shell):
    shell.write("plain.py", "print('plain')\n")
    finished = shell("run", "--profile", "plain.py")
    assert (finished.stdout, finished.returncode) == ("plain\n", 0)
    assert "what ran" not in finished.stderr


def test_its_own_profile_is_as_without(shell):
    own = "with jax.profiler.trace('own'):\n    step(w, x).block_until_ready()\n"
    shell.write("train.py", TRAIN + own)
    finished = shell("run", "--profile", "train.py")
    assert finished.returncode == 0
    assert "were not measured: the program made a profile itself" in finished.stderr
    traced = shell("profile", "--trace", "own", "--json")
    assert [row["function"] for row in json.loads(traced.stdout)["profile"]["functions"]] == ["step"]


def test_a_trace_from_elsewhere(shell):
    own = "with jax.profiler.trace('own'):\n    step(w, x).block_until_ready()\n"
    shell.write("train.py", TRAIN.replace("time.sleep(0.3)", own))
    assert shell.run([sys.executable, "train.py"]).returncode == 0
    told = shell("profile", "--trace", "own", JAX_PLATFORMS="absent")
    assert told.returncode == 0 and "y = jnp.tanh(x @ w)" in told.stdout, told.stderr
    for name in ("trace.json", "trace.html"):
        assert shell("profile", "--trace", "own", "-o", name).returncode == 0
    viewed = shell("view", "trace.json")
    assert viewed.stdout == told.stdout
    assert "y = jnp.tanh(x @ w)" in (shell.folder / "trace.html").read_text()
    narrow = shell("profile", "--trace", "own", COLUMNS="60").stdout
    assert max(map(len, narrow.splitlines())) <= 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trace", "nowhere"], "no such file or folder"),
        (["--trace", "samples"], "there is no trace in samples"),
        (["--trace", "samples/mlp.py"], "is not a trace"),
        ([], "profile needs a function, or a trace"),
        (["samples.mlp:loss_fn", "--hlo", "x"], "--hlo needs --trace"),
        (["samples.mlp:loss_fn", "--trace", "samples"], "a trace is of a whole program"),
    ],
)
def test_errors_say_what_to_type(shell, arguments, message):
    finished = shell("profile", *arguments)
    assert finished.returncode in (2, 3) and message in finished.stderr and "hint" in finished.stderr


SAMPLE = ROOT / "tests" / "programs" / "train_equinox.py"


def test_a_real_program_compiles_what_it_compiles_without(shell):
    os.symlink(SAMPLE, shell.folder / "program.py")
    reports = []
    for options in ([], ["--profile"]):
        finished = shell("run", "-q", "-o", "report.json", *options, "program.py")
        report = json.loads((shell.folder / "report.json").read_text())
        sites = [(site["at"], site["function"], site["compilations"]) for site in report["sites"]]
        reports.append((finished.stdout, sorted(map(str, sites)), report["internal"]["compilations"]))
    assert reports[0] == reports[1]
    profile = report["profile"]
    assert profile["functions"][0]["seconds"] > 0 and profile["without_hlo"] == []
    named = sum(row["share"] for row in profile["by_line"] if row["file"])
    assert named > 0.97
