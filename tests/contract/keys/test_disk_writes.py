"""What is said of each compilation and the cache folder, held against what lies in the folder afterwards."""

import contextlib

import jax
import numpy as np
import pytest
from jax._src import compilation_cache, distributed, lru_cache

from jitinspect.jaxapi.keys import cache_notes, disk_cache
from jitinspect.model.runs import HIT, WRITTEN
from jitinspect.programs.watch import Watch

X = np.ones(3, np.float32)
CALLBACKS_ARE_WRITTEN = jax.__version_info__ >= (0, 11)
FAST = "compiled in less than 1000 s (set jax_persistent_cache_min_compile_time_secs=0 to keep them)"
pytestmark = pytest.mark.filterwarnings("ignore:Error (reading|writing) persistent")


@pytest.fixture
def folder(tmp_path):
    """A cache folder that JAX has not opened yet; all settings are put back."""
    names = (
        "jax_compilation_cache_dir", "jax_enable_compilation_cache", disk_cache.LEAST_SECONDS,
        disk_cache.LEAST_BYTES,
    )  # fmt: skip
    before = {name: getattr(jax.config, name) for name in names}
    compilation_cache.reset_cache()
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "cache"))
    jax.config.update(disk_cache.LEAST_SECONDS, 0.0)
    yield tmp_path / "cache"
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def entries(path):
    return [file.name for file in path.glob("*-cache")] if path.is_dir() else []


def plus(n):
    """A new function each time, so that nothing is found in memory."""
    return jax.jit(lambda x: x + n)


def watched(*jits):
    """The report on a first call of each."""
    with Watch() as watch:
        for jit in jits:
            jit(X)
        return watch.report("program.py")


def printing():
    def fun(x):
        jax.debug.callback(lambda x: None, x)
        return x

    return jax.jit(fun)


def test_what_is_written_is_counted(folder):
    disk = watched(plus(1), plus(2)).disk
    assert (disk.folder, disk.written, disk.not_written) == (str(folder), 2, {})
    assert len(entries(folder)) == 2


def test_what_comes_from_disk_is_not_written_again(folder):
    plus(1)(X)
    report = watched(plus(1), plus(2))
    assert (report.totals.disk_hits, report.disk.written) == (1, 1)
    assert [one.disk for one in report.compilations] == [(), (WRITTEN,)]
    (hit,), (written,) = (one.lookups for one in report.compilations)
    assert {hit.entry, written.entry} == {*entries(folder)}
    assert hit.outcome == HIT and hit.compile_seconds == 0 and 0 < hit.read_seconds < 60
    assert written.outcome == WRITTEN and written.compile_seconds > 0 and written.read_seconds is None


def test_what_compiles_fast_is_not_written(folder):
    jax.config.update(disk_cache.LEAST_SECONDS, 1000.0)
    disk = watched(plus(1), plus(2)).disk
    assert (disk.written, disk.not_written) == (0, {FAST: 2})
    assert not entries(folder)


def test_what_calls_back_to_the_host(folder):
    disk = watched(printing(), plus(1)).disk
    assert disk.written == len(entries(folder)) == (2 if CALLBACKS_ARE_WRITTEN else 1)
    assert all("calls back to the host" in why for why in disk.not_written)
    assert sum(disk.not_written.values()) == (0 if CALLBACKS_ARE_WRITTEN else 1)


def test_what_is_small_is_not_written(folder):
    jax.config.update(disk_cache.LEAST_BYTES, 10**9)
    disk = watched(plus(1)).disk
    assert disk.not_written == {
        "smaller than 1,000,000,000 bytes (jax_persistent_cache_min_entry_size_bytes)": 1
    }
    assert not entries(folder)


def test_with_both_limits_it_is_not_known_which_one_held(folder):
    jax.config.update(disk_cache.LEAST_BYTES, 10**9)
    jax.config.update(disk_cache.LEAST_SECONDS, 1e-9)
    (why,) = watched(plus(1)).disk.not_written
    assert why.endswith(", or compiled in little less than 1e-09 s")


def test_only_the_first_process_writes(folder, monkeypatch):
    monkeypatch.setattr(distributed.global_state, "process_id", 1)
    disk = watched(plus(1)).disk
    assert disk.not_written == {"only process 0 writes, and this is process 1": 1}
    assert not entries(folder)


def test_a_cache_that_is_off(folder):
    jax.config.update("jax_enable_compilation_cache", False)
    off = watched(plus(1)).disk.not_written
    jax.config.update("jax_enable_compilation_cache", True)
    on_too_late = watched(plus(2)).disk.not_written
    assert off == {"the cache is off (jax_enable_compilation_cache)": 1}
    assert on_too_late == {
        "JAX did not use the cache: it was off before, or JAX has none for these devices": 1
    }
    assert not entries(folder)


def test_a_folder_that_is_none(folder):
    folder.write_text("")
    disk = watched(plus(1), plus(2)).disk
    assert disk.not_written == {f"JAX could not open the folder: {folder} is not a folder": 2}


def test_a_file_that_jax_cannot_load_stays(folder):
    plus(1)(X)
    (entry,) = folder.glob("*-cache")
    entry.write_bytes(b"broken")
    disk = watched(plus(1)).disk
    assert list(disk.not_written) == [
        "there is a file of that name, which JAX could not use and does not replace"
    ]
    assert entry.read_bytes() == b"broken"


def test_a_folder_that_disappears(folder):
    plus(1)(X)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.write_text("")
    disk = watched(plus(2)).disk
    assert (disk.written, disk.not_written) == (0, {f"JAX could not write it: {folder} is not a folder": 1})


def test_a_folder_that_is_set_too_late_is_told(folder, tmp_path):
    plus(1)(X)
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "other"))
    report = watched(plus(2))
    assert (report.disk.folder, report.disk.written) == (str(folder), 1)
    assert any(f"was set to {tmp_path}/other after JAX had opened {folder}" in note for note in report.notes)
    assert len(entries(folder)) == 2 and not entries(tmp_path / "other")
    jax.config.update("jax_compilation_cache_dir", f"{folder}/")
    assert not watched(plus(3)).notes


def test_a_limit_without_filelock(folder, monkeypatch):
    """As JAX, and jitinspect, find it where that is not installed."""
    monkeypatch.setattr(lru_cache, "filelock", None)
    monkeypatch.setattr(cache_notes, "has_filelock", lambda: False)
    jax.config.update(disk_cache.MOST_BYTES, 10**9)
    try:
        disk = watched(plus(1)).disk
        (note,) = disk_cache.notes()
    finally:
        jax.config.update(disk_cache.MOST_BYTES, -1)
    assert disk.not_written == {
        "JAX could not open the folder: JAX_COMPILATION_CACHE_MAX_SIZE=1000000000 needs filelock "
        "(pip install filelock)": 1
    }
    assert note.startswith("nothing is cached: JAX_COMPILATION_CACHE_MAX_SIZE=1000000000 needs filelock")
    assert not entries(folder)


def test_jaxs_own_compilations_stand_apart(folder):
    jax.clear_caches()
    with Watch() as watch:
        jax.numpy.arange(7.0) * 3
        report = watch.report("program.py")
    assert report.disk.written == 0 and not report.disk.not_written
    assert report.disk.internal_written == len(entries(folder)) == report.internal.compilations > 0


def test_what_xla_cannot_compile_is_not_told(folder):
    jit = jax.jit(lambda x: x + 1, compiler_options={"no_such_option": True})
    with Watch() as watch:
        with contextlib.suppress(Exception):
            jit(X)
        report = watch.report("program.py")
    assert report.disk is None and not entries(folder)


def test_without_a_folder_nothing_is_said(folder):
    jax.config.update("jax_compilation_cache_dir", None)
    assert watched(plus(1)).disk is None


def test_neither_a_listener_nor_a_level_is_left(folder):
    import logging

    from jax._src import monitoring

    def state():
        kinds = ("event_listeners", "event_duration_secs_listeners", "scalar_listeners")
        loggers = [logging.getLogger(name) for name in ("jax", "jax._src.compiler", "jax._src.cache_key")]
        return (
            [len(getattr(monitoring, f"_{kind}", ())) for kind in kinds],
            [(logger.level, len(logger.handlers)) for logger in loggers],
        )

    before = state()
    with Watch() as watch:
        plus(1)(X)
        inside = state()
        watch.report("program.py")
    assert state() == before and inside[1] == before[1]
