"""A hundred damaged files: each is told in one line, and none ends the process or makes it large."""

import json
import subprocess
import sys

MOST = 600 << 10
"""KiB: JAX takes 0.3 GiB, and what expands is read up to 0.25 GiB."""


def test_damaged_files_are_told_in_a_line(tmp_path):
    command = [sys.executable, "-m", "tests.support.damaged_executables", str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == "", "XLA's own words"
    count, found, memory = json.loads(finished.stdout)
    assert len(found) == count > 100 and memory < MOST
    told = {name: text for name, text in found.items() if text != "whole"}
    assert len(told) > count / 2
    for name, text in told.items():
        assert text[:2] in ("3 ", "6 ") and "\n" not in text and len(text) < 400, (name, text)
        assert str(tmp_path) in text
    assert {"bomb.entry", "bomb.gz", "pipe.hlo", "folder"} < told.keys()
