"""To wait for what another process does: how long that takes depends on what else the machine does."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 120
"""Seconds for what takes less than one."""


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def cpu_seconds(pid: int) -> float:
    """What a process has spent, in all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_it_worked(process: "subprocess.Popen[str]", seconds: float) -> None:
    """Until it has spent so many more of them. It must not end before."""
    enough = cpu_seconds(process.pid) + seconds
    while cpu_seconds(process.pid) < enough:
        assert process.poll() is None, "it should work for longer"
        time.sleep(0.02)
