"""A watched program does what it does without: output, exit code, work, files on disk."""

import functools
import shutil
import sys

import pytest

from tests.e2e.conftest import COMMAND, Shell
from tests.e2e.programs import DISK, PROGRAMS

REPORT = ["-q", "-o", "report.json"]
"""So that stdout is the program's alone."""


WATCHES = {
    "trace-cache": ["trace-cache", *REPORT],
    "run": ["run", *REPORT],
    "run and record": ["run", "--record", "recording.jsonl", *REPORT],
    "run and count": ["run", "--hits", *REPORT],
}
FRAMES_SHOWN = {"run", "run and record"}
"""Nothing stands between the program and JAX: also a traceback is what it is without."""


@pytest.fixture(scope="module")
def run_bare(tmp_path_factory):
    """Each program's folder, and what it does there without a watch: once for all watches of it."""

    @functools.cache
    def run(name):
        shell = Shell(tmp_path_factory.mktemp("program"))
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
    """Its name stays the same, for 0.10.2 has it in the key."""
    shell.write("program.py", DISK)
    bare = [sys.executable, "program.py", "folder"]
    watched = [
        str(COMMAND),
        *WATCHES[watch],
        "program.py",
        *(["--"] if watch == "trace-cache" else []),
        "folder",
    ]
    told = {}
    for order in [(bare, bare), (watched, watched), (bare, watched), (watched, bare)]:
        shutil.rmtree(shell.folder / "folder", ignore_errors=True)
        told[str(order)] = [shell.run(command).stdout for command in order]
    assert "cache_hits" in next(iter(told.values()))[1]
    assert len(set(map(tuple, told.values()))) == 1
