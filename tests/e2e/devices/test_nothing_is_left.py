"""Whatever happens to a worker, a line says what, and no process and no file is left."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.working import wait_until

DEVICE = ("--target", "v5e")
CALL = ("hlo", "long:step", "-s", "256,256", *DEVICE, "--full")
SHORT = ("hlo", "samples.mlp:normalize", "-s", "8,4", *DEVICE, "-q")
LONG = """
import jax, jax.numpy as jnp
def step(x):
    for i in range(40):
        x = jnp.tanh(x @ x) + jnp.sort(x, axis=i % 2)
    return x
"""
"""Keeps the compiler at work for longer than a test."""
ABORTS = """
import os
forks = []
def forked():
    forks.append(True)
    if len(forks) == 2:  # from the worker, and from what it forked
        os.write(2, b"the reason")
        os.abort()
os.register_at_fork(after_in_child=forked)
"""
OUTSIDE = ("tpu_logs", "libtpu_lockfile", "tpu_driver*")


@pytest.fixture
def folder(shell, tpu, tmp_path):
    """What the worker has as the place for temporary files."""
    shell.write("long.py", LONG)
    made = tmp_path / "temporary"
    made.mkdir()
    shell.environ["TMPDIR"] = str(made)
    return made


@pytest.fixture(autouse=True)
def nothing_elsewhere():
    before = outside()
    yield
    assert outside() == before


def outside():
    return {path for name in OUTSIDE for path in Path("/tmp").glob(name)}


def processes(folder):
    """Those of the worker: their temporary files would lie in the folder."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={folder}/".encode() in environ.read_bytes():
                found.append(int(environ.parent.name))
        except OSError:
            continue
    return found


def is_gone(folder):
    return not processes(folder) and not any(folder.iterdir())


def is_compiling(folder):
    return any(folder.glob("*/dump-*/*"))


def started(shell):
    return subprocess.Popen(
        [shell.command, *CALL], cwd=shell.folder, env=shell.environ, text=True, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("signal_sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_when_the_command_is_ended(shell, folder, signal_sent):
    command = started(shell)
    wait_until(lambda: is_compiling(folder))
    assert len(processes(folder)) == 3
    command.send_signal(signal_sent)
    command.communicate()
    assert command.returncode in (-signal_sent, 130)
    wait_until(lambda: is_gone(folder))


@pytest.mark.parametrize(("generation", "which"), [(0, "worker"), (2, "compiler")])
def test_when_a_process_is_killed(shell, folder, generation, which):
    command = started(shell)
    wait_until(lambda: is_compiling(folder))
    os.kill(by_generation(processes(folder))[generation], signal.SIGKILL)
    _, told = command.communicate()
    assert command.returncode == 5 and f"the {which} for v5e ended with SIGKILL" in told
    assert is_gone(folder)


def by_generation(pids):
    """The worker, what it forked, and what that forked."""
    child_of = {parent(pid): pid for pid in pids}
    found = [next(pid for pid in pids if parent(pid) not in pids)]
    while found[-1] in child_of:
        found.append(child_of[found[-1]])
    return found


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_when_the_compiler_aborts(shell, folder):
    shell.write("sitecustomize.py", ABORTS)
    finished = shell(*CALL, PYTHONPATH=str(shell.folder))
    assert finished.returncode == 5
    assert (
        "the compiler for v5e ended with SIGABRT" in finished.stderr and "the reason" not in finished.stderr
    )
    assert "the reason" in shell(*CALL, "-v", PYTHONPATH=str(shell.folder)).stderr
    assert is_gone(folder)


def test_when_time_is_up(shell, folder):
    finished = shell(*CALL, "--timeout", "0.5")
    assert finished.returncode == 5 and "longer than 0.5 s" in finished.stderr
    assert is_gone(folder)


def test_when_the_disk_is_full(shell, folder):
    """No file may be larger than 3 kB."""
    line = f"ulimit -f 3; jitinspect {' '.join(CALL[:-1])}"
    finished = shell.sh(line)
    assert finished.returncode == 6 and "disk" in finished.stderr
    assert is_gone(folder)


def test_when_all_goes_well(shell, folder):
    assert shell(*CALL[:-1], "-q").stderr == ""
    assert is_gone(folder)


def test_when_a_sweep_goes_well(shell, folder):
    """For which compilers are started before they are needed."""
    finished = shell("hlo", "samples.mlp:normalize", "-s", "B,4", "--dim", "B=8,16,32", *DEVICE, "-q")
    assert finished.returncode == 0 and finished.stdout.count("ENTRY") == 3, finished.stderr
    assert is_gone(folder)


@pytest.mark.parametrize(
    "wrong", [("--nonsense",), ("--target", "v5f"), ("--before", "--full", "--timeout", "x")]
)
def test_when_the_command_line_is_wrong(shell, folder, wrong):
    """A worker is started ahead of the command, and is ended."""
    finished = shell(*CALL[:-1], *wrong)
    assert finished.returncode == 2 and finished.stderr.startswith("error: ")
    assert is_gone(folder)


STARTED = """
import sys
if any("devices.worker" in word for word in sys.orig_argv):
    print("one more", file=open("workers", "a"))
"""


def test_a_command_uses_the_worker_that_was_started_ahead(shell, folder):
    shell.write("sitecustomize.py", STARTED)
    path = os.pathsep.join([str(shell.folder), os.environ.get("PYTHONPATH", "")])
    finished = shell(*SHORT, PYTHONPATH=path)
    assert finished.returncode == 0, finished.stderr
    assert (shell.folder / "workers").read_text().splitlines() == ["one more"]


def test_what_the_compiler_is_told_to_dump_is_of_the_users_program_alone(shell, folder, tmp_path):
    """Before it, a compiler warms up with another, which makes no difference to the text."""
    dumps = tmp_path / "dumps"
    finished = shell(*SHORT, LIBTPU_INIT_ARGS=f"--xla_jf_dump_to={dumps} --xla_jf_dump_llo_text=true")
    assert finished.returncode == 0, finished.stderr
    assert not [path for path in dumps.glob("*.txt") if "warm_up" in path.read_text()]
    assert shell(*SHORT).stdout == finished.stdout


EIGHT = ("long:step", "-s", "8,8")
MAPPED = """
import atexit
atexit.register(lambda: open("mapped", "w").write(open("/proc/self/maps").read()))
"""


@pytest.mark.parametrize("command", [("hlo", *EIGHT), ("jaxpr", *EIGHT), ("doctor",)], ids=lambda c: c[0])
def test_without_a_target_no_compiler_of_another_device_is_loaded(shell, folder, command):
    shell.write("sitecustomize.py", MAPPED)
    shell.environ.pop("JAX_PLATFORMS", None)
    finished = shell.run([shell.command, *command], PYTHONPATH=str(shell.folder))
    assert finished.returncode == 0, finished.stderr
    mapped = (shell.folder / "mapped").read_text()
    assert "jaxlib" in mapped and "libtpu.so" not in mapped and "xla_cuda_plugin.so" not in mapped
