"""A program under `trace-cache` does what it does without: output, exit code, work, files on disk."""

import shutil
import sys

import pytest

from tests.e2e.conftest import COMMAND
from tests.e2e.programs import DISK, PROGRAMS

REPORT = ["-q", "-o", "report.json"]
"""So that stdout is the program's alone."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_is_as_it_is_without(shell, name):
    shell.write("program.py", PROGRAMS[name])
    bare = shell.run([sys.executable, "program.py"])
    watched = shell("trace-cache", "program.py", *REPORT)
    assert lines(watched) == lines(bare) and watched.returncode == bare.returncode
    if name != "raises":  # there, only the user's own frames are shown
        assert watched.stderr == bare.stderr
    assert (shell.folder / "report.json").exists()


def lines(finished):
    """The children of a pool end in any order."""
    told = finished.stdout.splitlines()
    return sorted(told) if "[]" in told else told


def test_the_folder_of_compilations_holds_and_gives_the_same(shell):
    """Its name stays the same, for 0.10.2 has it in the key."""
    shell.write("program.py", DISK)
    bare = [sys.executable, "program.py", "folder"]
    watched = [str(COMMAND), "trace-cache", "program.py", *REPORT, "--", "folder"]
    told = {}
    for order in [(bare, bare), (watched, watched), (bare, watched), (watched, bare)]:
        shutil.rmtree(shell.folder / "folder", ignore_errors=True)
        told[str(order)] = [shell.run(command).stdout for command in order]
    assert "cache_hits" in next(iter(told.values()))[1]
    assert len(set(map(tuple, told.values()))) == 1
