"""A temporary folder is gone once it is not needed, and once its process is."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from jitinspect.process import temporary_folders
from jitinspect.process.temporary_folders import temporary_folder
from tests.support.working import wait_until

WAITING = """
import time
from jitinspect.process.temporary_folders import temporary_folder
with temporary_folder() as folder:
    open(folder + "/it's here", "w").close()
    print(folder, flush=True)
    time.sleep(600)
"""


def test_it_is_removed_at_the_end_of_the_block():
    with temporary_folder() as folder:
        (Path(folder) / "file").write_text("x")
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("free", "variables", "is_there"),
    [(2**31, {}, True), (2**26, {}, False), (2**31, {"TMPDIR": "/tmp"}, False)],
)
def test_what_is_timed_is_in_memory_if_there_is_room_and_the_user_chose_no_place(
    free, variables, is_there, tmp_path, monkeypatch
):
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(temporary_folders, "_MEMORY", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    with temporary_folder(timed=True) as timed, temporary_folder() as other:
        assert (Path(timed).parent == tmp_path) == is_there
        assert Path(other).parent != tmp_path


def test_where_no_file_system_is_in_memory_what_is_timed_is_with_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary_folders, "_MEMORY", tmp_path / "none")
    with temporary_folder(timed=True) as timed, temporary_folder() as other:
        assert Path(timed).parent == Path(other).parent


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_is_removed_however_its_process_ends(how):
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    folder = Path(process.stdout.readline().decode().strip())
    assert folder.is_dir()
    process.send_signal(how)
    process.wait()
    wait_until(lambda: not folder.exists())
