"""A temporary folder is gone once it is not needed, and once its process is."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jitinspect.process.temporary_folders import temporary_folder

WAITING = """
import time
from jitinspect.process.temporary_folders import temporary_folder
with temporary_folder() as folder:
    open(folder + "/it's here", "w").close()
    print(folder, flush=True)
    time.sleep(60)
"""


def test_it_is_removed_at_the_end_of_the_block():
    with temporary_folder() as folder:
        (Path(folder) / "file").write_text("x")
    assert not Path(folder).exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_is_removed_however_its_process_ends(how):
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    folder = Path(process.stdout.readline().decode().strip())
    assert folder.is_dir()
    process.send_signal(how)
    process.wait()
    for _ in range(500):
        if not folder.exists():
            break
        time.sleep(0.01)
    assert not folder.exists()
