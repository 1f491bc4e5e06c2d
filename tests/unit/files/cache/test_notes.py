"""What JAX keeps to itself is told where it applies, and only there."""

import os

import pytest

from jitinspect.files.cache import notes as notes_module
from jitinspect.files.cache.listing import contents
from jitinspect.files.cache.notes import notes
from jitinspect.jaxapi.keys.cache_settings import CacheSettings
from tests.support.cache_entries import write


def told(folder, **settings):
    return list(notes(contents(str(folder)), CacheSettings(**{"least_seconds": 0, **settings})))


def test_nothing_where_there_is_nothing_to_tell(tmp_path):
    assert told(tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"least_seconds": 1.0}, "in less than 1 s is not written"), ({"least_bytes": 4096}, "4,096 bytes"),
        ({"enabled": False}, "JAX_ENABLE_COMPILATION_CACHE is off"),
    ],
)  # fmt: skip
def test_settings_that_keep_entries_away(tmp_path, settings, word):
    (note,) = told(tmp_path, **settings)
    assert word in note


def test_a_size_limit_without_filelock_has_jax_cache_nothing(tmp_path, monkeypatch):
    assert told(tmp_path, most_bytes=1000) == []
    monkeypatch.setattr(notes_module, "has_filelock", lambda: False)
    (note,) = told(tmp_path, most_bytes=1000)
    assert note.startswith("nothing is cached: JAX_COMPILATION_CACHE_MAX_SIZE=1000 needs filelock")


@pytest.mark.parametrize(("version", "fails"), [("0.10.2", True), ("0.12.0.1", False), (None, False)])
def test_entries_without_a_note_stop_an_old_jax_that_has_a_size_limit(tmp_path, monkeypatch, version, fails):
    write(tmp_path, "jit_noted", used=60)
    monkeypatch.setattr(notes_module.version, "installed", lambda: version)
    assert told(tmp_path, most_bytes=10**6) == []
    write(tmp_path, "jit_step")
    assert [note[:22] for note in told(tmp_path, most_bytes=10**6)] == ["nothing more is cached"] * fails
    assert told(tmp_path) == []


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (note,) = told(tmp_path)
    assert note.startswith(f"{tmp_path} cannot be written to")
