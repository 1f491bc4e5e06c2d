"""Streams, colour, pipes and files."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.e2e.conftest import KEEPING
from tests.support.working import wait_until_it_worked

NORMALIZE = ("samples.mlp:normalize", "--shape", "128,784")
SGR = re.compile(r"\x1b\[[\d;]*m")
NOISY = """
import atexit, os, subprocess, sys
print("import noise")
os.write(1, b"raw noise\\n")
subprocess.run([sys.executable, "-c", "print('child noise')"])
atexit.register(print, "exit noise")
def f(x):
    print("trace noise")
    return x + 1
"""


def test_stdout_holds_nothing_but_the_text_whatever_the_module_prints(shell):
    shell.write("noisy.py", NOISY)
    finished = shell("jaxpr", "noisy:f", "--shape", "3")
    assert finished.stdout == "{ lambda ; a:f32[3]. let b:f32[3] = add a 1.0:f32[] in (b,) }\n"
    for noise in ("import noise", "raw noise", "child noise", "trace noise", "exit noise"):
        assert noise in finished.stderr


def test_a_reader_that_goes_away_is_no_error(shell):
    finished = shell.sh("set -o pipefail; jitinspect hlo samples.mlp:normalize --shape 128,784 -q | head -1")
    assert finished.returncode == 0 and finished.stderr == ""
    assert finished.stdout.startswith("HloModule jit_normalize") and finished.stdout.count("\n") == 1


@pytest.mark.parametrize("stage", ["jaxpr", "stablehlo", "hlo", "llvm", "asm"])
def test_colour_taken_off_is_the_very_text(shell, stage):
    plain = shell(stage, *NORMALIZE, "--color", "never").stdout
    coloured = shell(stage, *NORMALIZE, "--color", "always").stdout
    assert "\x1b" not in plain and "\x1b[" in coloured
    assert SGR.sub("", coloured) == plain


@pytest.mark.parametrize(
    ("flag", "environ", "coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
    ],
)
def test_colour_is_chosen_by_flag_then_environment(shell, flag, environ, coloured):
    finished = shell("jaxpr", *NORMALIZE, *flag, **environ)
    assert ("\x1b[" in finished.stdout) == coloured
    assert ("\x1b[" in finished.stderr) == coloured


def test_quiet_leaves_stderr_empty(shell):
    assert shell("hlo", *NORMALIZE, "-q").stderr == ""
    assert shell("jaxpr", *NORMALIZE, "-q", "-o", "report.txt").stderr == ""


@pytest.mark.parametrize("suffix", [".json", ".html", ".txt", ".mlir"])
def test_output_format_is_that_of_the_suffix(shell, suffix):
    finished = shell("stablehlo", *NORMALIZE, "-o", f"report{suffix}")
    text = (shell.folder / f"report{suffix}").read_text()
    assert finished.returncode == 0 and finished.stdout == ""
    expected = {
        ".json": '{\n "schema": 1',
        ".html": "<!doctype html>",
        ".txt": "module @jit_",
        ".mlir": "module @jit_",
    }
    assert text.startswith(expected[suffix])
    assert sorted(os.listdir(shell.folder)) == sorted({"samples", f"report{suffix}"})


@pytest.mark.parametrize(
    "command", [("show",), ("asm",), ("stablehlo", "--platform", "cpu,tpu")], ids=" ".join
)
def test_view_prints_what_the_run_printed(shell, command):
    printed = shell(*command, *NORMALIZE).stdout
    shell(*command, *NORMALIZE, "-o", "report.json")
    viewed = shell("view", "report.json")
    assert viewed.stdout == printed and viewed.stderr == ""


def test_view_needs_no_jax(shell):
    shell("jaxpr", *NORMALIZE, "-o", "report.json")
    shell.write("sitecustomize.py", "import sys\nsys.modules['jax'] = sys.modules['jaxlib'] = None\n")
    finished = shell("view", "report.json", PYTHONPATH=str(shell.folder))
    assert finished.returncode == 0 and "lambda ; a:f32[128,784]" in finished.stdout


def test_the_json_document_is_that_of_the_contract(shell):
    document = json.loads(shell("hlo", *NORMALIZE, "--json").stdout)
    assert list(document)[:2] == ["schema", "command"]
    contract = {"schema", "command", "environment", "target", "artifacts", "events", "key"}
    assert set(document) == contract | {"request"}
    assert set(document["environment"]) == {
        "jitinspect", "jax", "jaxlib", "python", "platform", "device_kind", "device_count", "xla_flags",
    }  # fmt: skip
    contract = {"ref", "module", "qualname", "file", "line", "static", "donated", "signature"}
    assert set(document["target"]) == contract | {"devices"}
    assert {"stage", "text", "sha256", "unavailable"} <= set(document["artifacts"][0])
    event = document["events"][0]
    assert {"seq", "phase", "function", "signature", "seconds", "source", "cache"} <= set(event)
    assert event["source"].endswith("samples/mlp.py:9")
    assert event["signature"] == "normalize(f32[128,784])"
    assert document["events"][-1]["cache"] == "off"


def test_a_compilation_from_disk_is_told(shell):
    outcomes = [
        json.loads(shell("hlo", *NORMALIZE, "--json", **KEEPING).stdout)["events"][-1]["cache"]
        for _ in range(2)
    ]
    assert outcomes == ["miss", "hit"]


def test_what_jax_compiles_for_itself_is_folded(shell):
    shell.write("eager.py", "import jax.numpy as jnp\nx = jnp.arange(3.0) * 2\ndef f(y):\n    return y + x\n")
    folded = shell("jaxpr", "eager:f", "--shape", "3").stderr
    assert re.search(r"^\+ .* for \d+ compilations by JAX itself", folded, re.MULTILINE)
    assert "multiply" not in folded
    assert "eager.py:2" in shell("jaxpr", "eager:f", "--shape", "3", "-v").stderr


def run_in_terminal(shell, arguments, **environ):
    """Run the command on a terminal of 80 columns and 24 lines; everything that it showed."""
    leader, follower = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        ["jitinspect", *arguments],
        cwd=shell.folder,
        env={**shell.environ, **environ},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    shown = b""
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    while chunk := _read(leader):
        shown += chunk
    os.close(leader)
    watchdog.cancel()
    return process.wait(), shown.decode()


def _read(descriptor):
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_gets_colour_and_a_pager_only_for_what_is_long(shell):
    pager = f"{sys.executable} -c \"import sys; print('PAGED', len(sys.stdin.readlines()))\""
    code, shown = run_in_terminal(shell, ["jaxpr", "samples.mlp:loss_fn", "-s", "8,4", "-s", "4,2", "-q"])
    assert code == 0 and "\x1b[" in shown and "lambda" in shown
    code, shown = run_in_terminal(shell, ["hlo", *NORMALIZE, "-q"], PAGER=pager)
    assert code == 0 and "PAGED" in shown and "HloModule" not in shown
    code, shown = run_in_terminal(shell, ["hlo", *NORMALIZE, "-q", "--no-pager"], PAGER=pager)
    assert code == 0 and "PAGED" not in shown and "HloModule" in shown


def test_a_pager_that_is_not_there_loses_nothing(shell):
    code, shown = run_in_terminal(shell, ["hlo", *NORMALIZE, "-q"], PAGER="no-such-pager")
    assert code == 0 and "HloModule" in shown


def test_log_lines_fit_the_terminal(shell):
    step = ["samples.mlp:sgd_step", "--args-from", "samples.mlp:make_args"]
    _, shown = run_in_terminal(shell, ["jaxpr", *step, "--no-pager"])
    log = [line for line in SGR.sub("", shown).split("\n") if "trace " in line]
    assert log and all(len(line.rpartition("\x1b[2K")[2].rstrip()) <= 80 for line in log)


def test_ctrl_c_ends_quietly(shell):
    shell.write("slow.py", "import time, pathlib\npathlib.Path('started').touch()\ntime.sleep(60)\n")
    process = subprocess.Popen(
        ["jitinspect", "jaxpr", "slow:f"],
        cwd=shell.folder,
        env=shell.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (shell.folder / "started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130 and stdout == "" and "Traceback" not in stderr


def test_ctrl_c_does_not_wait_for_xla(shell):
    shell.write(
        "large.py",
        "import jax.numpy as jnp\ndef f(x):\n    for i in range(1500):\n        x = jnp.sin(x @ x) + i\n"
        "    return x\n",
    )
    process = subprocess.Popen(
        ["jitinspect", "hlo", "large:f", "-s", "8,8"],
        cwd=shell.folder,
        env=shell.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line.startswith("lower"):
            break
    wait_until_it_worked(process, 0.5)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGINT  # 130 to a shell
    assert stdout == "" and "Traceback" not in stderr and "compile" not in stderr


def test_a_relative_output_is_where_the_command_was_typed(shell):
    shell.write("moves.py", "import os\nos.chdir('samples')\ndef f(x):\n    return x\n")
    assert shell("jaxpr", "moves:f", "-s", "3", "-o", "here.txt").returncode == 0
    assert (shell.folder / "here.txt").exists()


def test_what_jitinspect_traces_for_itself_is_no_event(shell):
    document = json.loads(shell("jaxpr", "jax.random:normal", "-a", "key[]", "--json").stdout)
    assert [event["signature"] for event in document["events"]] == ["normal(key<fry>[])"]


def test_a_table_in_a_pipe_is_not_cut(shell):
    assert "(params, x, y, learning_rate=0.1)" in shell.sh("jitinspect ls samples.mlp | cat").stdout
