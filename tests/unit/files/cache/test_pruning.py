"""Which entries go, in which order, and which stay since another process may need them."""

import os
import time

import filelock
import pytest

from jitinspect.errors import UnavailableError
from jitinspect.files.cache import folder_lock, pruning
from jitinspect.files.cache.listing import Filter
from jitinspect.files.cache.pruning import Choice
from tests.support.cache_entries import numbered, write

HOUR = 3600
EVERYTHING = Choice(Filter("*"))


def prune(folder, choice, remove=True, needs_lock=False):
    return pruning.prune(str(folder), choice, remove, needs_lock)


def left(folder):
    return sorted(name for name in os.listdir(folder))


def test_without_remove_nothing_goes(tmp_path):
    path = write(tmp_path)
    report = prune(tmp_path, EVERYTHING, remove=False)
    assert report.dry_run and [row.outcome for row in report.pruned] == ["would_go"]
    assert (report.totals.entries, report.left.entries) == (1, 0) and path.exists()


def test_an_entry_goes_with_the_note_on_its_last_use(tmp_path):
    write(tmp_path, "jit_a", used=5)
    kept = write(tmp_path, "jit_b", used=5)
    report = prune(tmp_path, Choice(Filter("jit_a")))
    assert [(row.module, row.outcome, row.reason) for row in report.pruned] == [
        ("jit_a", "removed", "asked for")
    ]
    assert left(tmp_path) == [kept.name.removesuffix("-cache") + "-atime", kept.name]


def test_as_many_go_as_are_needed_least_recently_used_first(tmp_path):
    first, second, third = numbered(3)
    for key, age, used in ((first, 9 * HOUR, 1), (second, 2 * HOUR, None), (third, 5 * HOUR, 4 * HOUR)):
        write(tmp_path, key=key, age=age, used=used, filling=os.urandom(5000))
    size = write(tmp_path, key=first, used=1, filling=os.urandom(5000)).stat().st_size
    report = prune(tmp_path, Choice(keep=2 * size + 100))
    assert [row.file[-70:-6] for row in report.pruned] == [third]
    report = prune(tmp_path, Choice(keep=100))
    assert [row.file[-70:-6] for row in report.pruned] == [second, first] and report.left.bytes == 0


def test_kinds_and_filters_together(tmp_path):
    write(tmp_path, "jit_cut", content=b"\x78\x9c\x01", age=HOUR)
    write(tmp_path, "jit_tpu", platform="rocm")
    write(tmp_path, "jit_old_tpu", platform="rocm", age=HOUR)
    foreign = prune(tmp_path, Choice(foreign=True), remove=False)
    assert [row.module for row in foreign.pruned] == ["jit_old_tpu", "jit_tpu"]
    damaged = prune(tmp_path, Choice(damaged=True), remove=False)
    assert [(row.module, row.reason) for row in damaged.pruned] == [("jit_cut", "it is cut off")]
    both = prune(tmp_path, Choice(Filter(older_than=60), foreign=True, damaged=True), remove=False)
    assert [row.module for row in both.pruned] == ["jit_cut", "jit_old_tpu"]


def test_what_may_be_being_written_stays_and_so_does_what_is_no_file(tmp_path):
    write(tmp_path, "jit_cut", content=b"\x78\x9c\x01")
    write(tmp_path, "jit_empty", content=b"")
    write(tmp_path, "jit_flipped", content=b"\x78\x9c\xff\xff\xff")
    os.mkfifo(tmp_path / "fifo-cache")
    (tmp_path / "folder-cache").mkdir()
    before = left(tmp_path)
    for choice in (EVERYTHING, Choice(damaged=True), Choice(keep=0)):
        report = prune(tmp_path, choice)
        assert not report.pruned and left(tmp_path) == before
        assert any("may still be being written" in note for note in report.notes)


def test_an_entry_that_is_written_anew_meanwhile_stays(tmp_path, monkeypatch):
    write(tmp_path)
    read = pruning.entries_in

    def entries_then_written(*given):
        yield from list(read(*given))
        write(tmp_path, filling=b"more")

    monkeypatch.setattr(pruning, "entries_in", entries_then_written)
    report = prune(tmp_path, EVERYTHING)
    assert [row.outcome for row in report.pruned] == ["changed"]
    assert report.left.entries == 1 and len(left(tmp_path)) == 1


def test_the_lock_is_the_one_that_jax_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_lock, "_PATIENCE", 0.2)
    write(tmp_path)
    jax_s = filelock.FileLock(tmp_path / ".lockfile")
    with jax_s, pytest.raises(UnavailableError, match="locked"):
        prune(tmp_path, EVERYTHING)
    with folder_lock.locked(tmp_path, needed=True), pytest.raises(filelock.Timeout):
        jax_s.acquire(timeout=0)
    with jax_s.acquire(timeout=0):
        pass
    assert prune(tmp_path, EVERYTHING, needs_lock=True).totals.entries == 1


def test_no_lock_is_made_where_none_is_needed(tmp_path):
    write(tmp_path)
    assert prune(tmp_path, EVERYTHING).totals.entries == 1
    assert left(tmp_path) == []


def test_an_entry_that_cannot_be_removed_is_told(tmp_path, monkeypatch):
    write(tmp_path)

    def refuse(path, *given):
        raise PermissionError

    monkeypatch.setattr(pruning.Path, "unlink", refuse)
    report = prune(tmp_path, EVERYTHING)
    assert [row.outcome for row in report.pruned] == ["failed"] and report.left.entries == 1


def test_ages_are_exact(tmp_path):
    """An entry is taken for unchanged by its time of writing, whatever the clock says of it."""
    path = write(tmp_path)
    os.utime(path, ns=(1, time.time_ns() + 123_456_789))
    assert prune(tmp_path, EVERYTHING).totals.entries == 1
