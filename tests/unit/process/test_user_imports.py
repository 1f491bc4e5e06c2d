"""Modules of the user's are compiled from their source, however new it is."""

import os
import py_compile
import subprocess
import sys
from pathlib import Path

import jitinspect

PROGRAM = """
import sys
from jitinspect.process.user_imports import read_from_source
read = {}
read_from_source(lambda name, file: name == "net", read.__setitem__)
import net, other
print(net.X, other.X, sorted(file.rpartition("/")[2] for file in read), all(read.values()))
"""


def written(path, text):
    """Always at the same time."""
    path.write_text(text)
    os.utime(path, (1_000_000_000, 1_000_000_000))


def test_stale_bytecode_is_not_read_nor_any_written(tmp_path):
    for name in ("net", "other"):
        written(tmp_path / f"{name}.py", "X = 1\n")
        py_compile.compile(str(tmp_path / f"{name}.py"))
        written(tmp_path / f"{name}.py", "X = 2\n")
    before = {*(tmp_path / "__pycache__").iterdir()}
    environ = {**os.environ, "PYTHONPATH": str(Path(jitinspect.__file__).parent.parent)}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    assert told.stdout == "2 1 ['net.py'] True\n", told.stderr
    assert {*(tmp_path / "__pycache__").iterdir()} == before
