"""What JAX does not say about a cache folder."""

import os

import pytest

from jitinspect.jaxapi.keys import cache_notes
from jitinspect.jaxapi.keys.cache_notes import notes, why_nothing_is_written
from jitinspect.jaxapi.keys.cache_settings import CacheSettings

ALL_KEPT = CacheSettings(least_seconds=0)
LIMITED = CacheSettings(least_seconds=0, most_bytes=10**6)


@pytest.fixture
def missing(monkeypatch):
    """Neither package is installed."""
    monkeypatch.setattr(cache_notes, "has_filelock", lambda: False)
    monkeypatch.setattr(cache_notes, "has_epath", lambda: False)


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(cache_notes, "has_filelock", lambda: True)


def test_there_may_be_nothing_to_say(tmp_path):
    assert not [*notes(str(tmp_path), ALL_KEPT)] and not [*notes(str(tmp_path / "new" / "one"), ALL_KEPT)]


def test_limits():
    by_default = [*notes(".", CacheSettings())]
    assert len(by_default) == 1 and "less than 1 s is not written" in by_default[0]
    assert "5,000 bytes" in next(notes(".", CacheSettings(least_seconds=0, least_bytes=5000)))
    assert "is off" in next(notes(".", CacheSettings(enabled=False)))


def test_a_package_that_is_missing_comes_first(missing):
    text, *_ = notes(".", CacheSettings(most_bytes=5))
    assert text.startswith("nothing is cached: JAX_COMPILATION_CACHE_MAX_SIZE=5 needs filelock")
    assert "etils" in next(why_nothing_is_written("gs://bucket/cache", ALL_KEPT))


def test_a_limit_of_nothing(installed):
    assert "no room" in next(notes(".", CacheSettings(most_bytes=0)))


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    assert "is not a folder" in next(notes(str(tmp_path / "file"), ALL_KEPT))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    assert f"{tmp_path} cannot be written to" in next(notes(str(tmp_path / "new"), ALL_KEPT))


NAMES = ["f-1-cache", "f-1-atime", "f-2-cache", ".lockfile"]


@pytest.mark.parametrize(("version", "fails"), [("0.10.2", True), ("0.12.0.1", False), (None, False)])
def test_processes_with_and_without_a_size_limit(installed, monkeypatch, version, fails):
    monkeypatch.setattr(cache_notes.version, "installed", lambda: version)
    with_limit, without = ([*notes(".", settings, NAMES)] for settings in (LIMITED, ALL_KEPT))
    assert [note[:32] for note in with_limit] == ["nothing more is cached: 1 of 2 e"] * fails
    assert [note[:15] for note in without] == ["another process"] * fails
    assert not [*notes(".", LIMITED, NAMES[:2])] and not [*notes(".", ALL_KEPT, ["f-2-cache"])]
