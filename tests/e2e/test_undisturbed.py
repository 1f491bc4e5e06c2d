"""A watched program does what it does without: output, exit code, work, files on disk."""

import functools
import os
import shutil
import subprocess
import sys

import pytest

from tests.e2e.conftest import CHEAPEST, COMMAND, Shell
from tests.e2e.programs import DISK, PROGRAMS

REPORT = ["-q", "-o", "report.json"]
"""So that stdout is the program's alone."""


WATCHES = {
    "trace-cache": ["trace-cache", *REPORT],
    "run": ["run", *REPORT],
    "run and record": ["run", "--record", "recording.jsonl", *REPORT],
    "run and count": ["run", "--hits", *REPORT],
    "run and profile": ["run", "--profile", *REPORT],
    "run and compile-time": ["run", "--compile-time", *REPORT],
}
FRAMES_SHOWN = {"run", "run and record", "run and profile", "run and compile-time"}
"""Nothing stands between the program and JAX: also a traceback is what it is without."""


@pytest.fixture(scope="module")
def run_bare(tmp_path_factory):
    """Each program's folder, and what it does there without a watch: once for all watches of it."""

    @functools.cache
    def run(name):
        shell = Shell(tmp_path_factory.mktemp("program"), **CHEAPEST)
        shell.write("program.py", PROGRAMS[name])
        return shell, shell.run([sys.executable, "program.py"])

    return run


@pytest.mark.parametrize("watch", WATCHES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_is_as_it_is_without(run_bare, name, watch):
    shell, bare = run_bare(name)
    (shell.folder / "report.json").unlink(missing_ok=True)
    (shell.folder / "recording.jsonl").unlink(missing_ok=True)
    watched = shell(*WATCHES[watch], "program.py")
    assert lines(watched) == lines(bare) and watched.returncode == bare.returncode
    if name != "raises" or watch in FRAMES_SHOWN:
        assert watched.stderr == bare.stderr
    assert (shell.folder / "report.json").exists()


def lines(finished):
    """The children of a pool end in any order."""
    told = finished.stdout.splitlines()
    return sorted(told) if "[]" in told else told


@pytest.mark.parametrize("watch", ["trace-cache", "run"])
def test_the_folder_of_compilations_holds_and_gives_the_same(shell, watch):
    shell.write("program.py", DISK)
    bare = [sys.executable, "program.py", "folder"]
    watched = [
        str(COMMAND),
        *WATCHES[watch],
        "program.py",
        *(["--"] if watch == "trace-cache" else []),
        "folder",
    ]
    told = told_in_turn(shell, bare, [bare, watched]) + told_in_turn(shell, watched, [watched, bare])
    assert "cache_hits" in told[0][1]
    assert len(set(told)) == 1


def told_in_turn(shell, first, others):
    """What the first command and each of the others print: the first makes the folder of compilations, and
    each of the others finds what it left there. Its name stays the same, for 0.10.2 has it in the key.
    """
    folder, left = shell.folder / "folder", shell.folder / "left"
    shutil.rmtree(left, ignore_errors=True)
    printed = shell.run(first).stdout
    folder.rename(left)
    told = []
    for other in others:
        shutil.copytree(left, folder)
        told.append((printed, shell.run(other).stdout))
        shutil.rmtree(folder)
    return told


UNFINISHED = """
import time
import jax, jax.numpy as jnp

@jax.jit
def f(x):
    return jax.lax.fori_loop(0, 60, lambda i, x: jnp.tanh(x @ x), x)

x = jnp.ones((300, 300))
f(x).block_until_ready()
began = time.process_time()
f(x).block_until_ready()
once = time.process_time() - began
for _ in range(24):  # some of which are done before the next line is, where the machine is busy
    f(x)
open("seconds.txt", "w").write(f"{once} {time.process_time()}")
"""


@pytest.mark.parametrize("watch", ["trace-cache", "run"])
def test_what_the_program_still_computes_at_its_end_is_waited_for(tmp_path, watch):
    """In CPU time: that of JAX's threads ends with the process. JAX 0.12 crashes in them if it ends early."""
    shell = Shell(tmp_path)
    shell.write("program.py", UNFINISHED)
    command = [COMMAND, *WATCHES[watch], "program.py"]
    process = subprocess.Popen(command, cwd=tmp_path, env=shell.environ)
    _, status, usage = os.wait4(process.pid, 0)
    once, at_end = map(float, (tmp_path / "seconds.txt").read_text().split())
    assert status == 0
    assert usage.ru_utime + usage.ru_stime - at_end > 10 * once
