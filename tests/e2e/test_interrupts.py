"""Ctrl-C under `trace-cache`: the rows so far are reported, wherever it comes."""

import json
import signal
import subprocess
import time

import pytest

from tests.support.working import wait_until, wait_until_it_worked

LARGE = """
import jax, jax.numpy as jnp
@jax.jit
def small(x):
    return x + 1
@jax.jit
def large(x):
    for i in range(1500):
        x = jnp.sin(x @ x) + i
    return x
"""
PROGRAM = """
from large import *
print('hello')
x = jnp.ones((8, 8))
small(x)
small(x)
large(x)
print('never')
"""
CALLS = "from large import small, large\nsmall(f32[8,8])\nsmall(f32[8,8])\nlarge(f32[8,8])\nsmall(f32[9,9])\n"


def interrupted(shell, arguments, command="trace-cache"):
    """The exit code and output of the command, sent SIGINT while it compiled; that was not waited for."""
    for name in ("compiling", "compiled"):
        (shell.folder / name).unlink(missing_ok=True)
    shell.write("large.py", LARGE)
    shell.write("slow.py", PROGRAM)
    shell.write("slow.calls", CALLS)
    shell.write(
        "sitecustomize.py",
        "import sys\n"
        "def teller(name):\n"
        "    def told(event, value, **kwargs):\n"
        "        if 'backend_compile' in event and kwargs.get('fun_name') == 'jit(large)':\n"
        "            open(name, 'w').close()\n"
        "    return told\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'large':\n"
        "            import jax.monitoring\n"
        "            jax.monitoring.register_scalar_listener(teller('compiling'))\n"
        "            jax.monitoring.register_event_duration_secs_listener(teller('compiled'))\n"
        "sys.meta_path.insert(0, Finder())\n",
    )
    process = subprocess.Popen(
        ["jitinspect", command, *arguments],
        cwd=shell.folder,
        env={**shell.environ, "PYTHONPATH": f"{shell.folder}:{shell.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (shell.folder / "compiling").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    wait_until_it_worked(process, 0.3)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=300)
    assert not (shell.folder / "compiled").exists()
    return process.returncode, stdout, stderr


@pytest.mark.parametrize("script", ["slow.py", "slow.calls"])
def test_ctrl_c_in_a_compilation_writes_the_table(shell, script):
    code, stdout, stderr = interrupted(shell, [script])
    assert code == 130
    assert "2 calls" in stdout and "COMPILED" in stdout and "CACHED" in stdout
    assert "ended early: interrupted while compiling large" in stdout
    assert ("hello" in stdout) == (script == "slow.py")
    assert "Traceback" not in stderr


@pytest.mark.parametrize("script", ["slow.py", "slow.calls"])
def test_ctrl_c_in_a_compilation_writes_the_json(shell, script):
    code, stdout, stderr = interrupted(shell, [script, "--json"])
    document = json.loads(stdout)
    assert code == 130 and "Traceback" not in stderr
    assert [call["status"] for call in document["calls"]] == ["COMPILED", "CACHED"]
    assert document["exit_code"] == 130 and document["environment"]["platform"] == "cpu"
    code, stdout, stderr = interrupted(shell, [script, "-o", "report.json"])
    assert code == 130 and json.loads((shell.folder / "report.json").read_text())["totals"]["calls"] == 2


def test_a_handler_of_the_programs_own_stays(shell):
    shell.write(
        "own.py",
        "import os, signal, jax\n"
        "signal.signal(signal.SIGINT, lambda *_: print('mine'))\n"
        "jax.jit(lambda x: x + 1)(1.0)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "jax.jit(lambda x: x + 2)(1.0)\n"
        "print(signal.set_wakeup_fd(-1))\n",
    )
    finished = shell("trace-cache", "own.py")
    assert finished.returncode == 0 and finished.stdout.startswith("mine\n-1\n")


def test_ctrl_c_between_compilations_goes_to_the_program(shell):
    shell.write(
        "between.py",
        "import os, signal, jax\n"
        "jax.jit(lambda x: x + 1)(1.0)\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    import time; time.sleep(5)\n"
        "except KeyboardInterrupt:\n"
        "    print('caught')\n"
        "jax.jit(lambda x: x + 2)(1.0)\n",
    )
    finished = shell("trace-cache", "between.py")
    assert finished.returncode == 0 and "caught" in finished.stdout and "2 calls" in finished.stdout


@pytest.mark.parametrize("command", ["asm", "compile-time"])
def test_ctrl_c_in_a_compilation_leaves_no_dump(shell, command):
    temporary = shell.folder / "temporary"
    temporary.mkdir()
    shell.environ["TMPDIR"] = str(temporary)
    code, _, stderr = interrupted(shell, ["large:large", "-s", "8,8"], command)
    assert code in (130, -signal.SIGINT) and "Traceback" not in stderr
    wait_until(lambda: not [*temporary.iterdir()])
