"""When a save counts as complete, whatever the file system and the editor make of it."""

import os

import pytest

from jitinspect.process.saved_files import SavedFiles, stamp


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "net.py"
    made.write_text("first")
    return made


@pytest.fixture
def files(file, clock):
    watched = SavedFiles(clock)
    watched.read({str(file): stamp(str(file))})
    return watched


def after(files, clock, *seconds):
    """What `saved` says after each wait."""
    found = []
    for wait in seconds:
        clock.now += wait
        found.append(bool(files.saved()))
    return found


def test_a_save_is_told_once_and_when_it_is_complete(files, file, clock):
    assert after(files, clock, 0, 10) == [False, False]
    file.write_text("second, longer")
    assert after(files, clock, 0.05, 0.05) == [False, False]
    file.write_text("second, and longer")
    assert after(files, clock, 0.05, 0.05, 0.05, 0.05, 9) == [False, False, True, False, False]


def test_the_same_size_at_the_same_time(files, file, clock):
    """By a rename, on a file system whose clock is coarse."""
    before = file.stat()
    beside = file.with_name("net.py~")
    beside.write_text("secnd")
    os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
    beside.rename(file)
    assert after(files, clock, 0.05, 0.2) == [False, True]


@pytest.mark.parametrize("between", ["gone", "empty"])
def test_what_is_gone_or_empty_is_waited_for(files, file, clock, between):
    text = file.read_text()
    file.unlink() if between == "gone" else file.write_text("")
    assert after(files, clock, 0.05, 0.5) == [False, False]
    file.write_text(text + "!")
    assert after(files, clock, 0.05, 0.2) == [False, True]
    file.unlink()
    assert after(files, clock, 0.05, 0.5, 0.6, 5) == [False, False, True, False]
    file.write_text(text)
    assert after(files, clock, 0.05, 0.2) == [False, True]


def test_a_save_before_the_file_is_watched_is_told(files, file, clock):
    """It was read before that."""
    other = file.with_name("helper.py")
    other.write_text("a")
    read = stamp(str(other))
    other.write_text("b, longer")
    files.read({str(other): read})
    assert after(files, clock, 0.05, 0.2) == [False, True]
    files.keep_only({str(file)})
    other.write_text("c")
    assert after(files, clock, 0.05, 0.2) == [False, False] and [*files.files] == [str(file)]
