"""A folder of entries, as it is listed, filtered and sorted."""

import os

import pytest

from jitinspect.errors import LoadError
from jitinspect.files.cache.listing import Filter, contents
from tests.support.cache_entries import numbered, tables, write

DAY = 86400


@pytest.fixture
def folder(tmp_path):
    first, second, third, fourth = numbered(4)
    write(tmp_path, "jit_step", first, age=3 * DAY, used=60, seconds=2, filling=os.urandom(4000))
    write(tmp_path, "jit_step", second, age=DAY, used=2 * DAY, seconds=7, index=tables())
    write(tmp_path, "pjit_loss", third, age=10, platform="tpu")
    write(tmp_path, "jit_iota", fourth, age=2 * DAY, filling=os.urandom(9000))
    (tmp_path / ".lockfile").touch()
    (tmp_path / "notes.txt").touch()
    return tmp_path


def test_an_entry_tells_all_that_its_bytes_and_its_file_say(folder):
    entry = next(one for one in contents(str(folder)).entries if one.source)
    assert (entry.module, entry.compile_seconds, entry.platform, entry.state) == (
        "jit_step",
        7,
        "cpu",
        "sound",
    )
    assert (entry.source, entry.function, entry.key) == ("/a/train.py:8", "step", numbered(2)[1])
    assert entry.built_for == "znver2 (x86_64-unknown-linux-gnu)" and entry.compression == "zlib"
    assert entry.bytes == (folder / entry.file).stat().st_size < entry.expanded_bytes
    assert abs(entry.age_seconds - DAY) < 60 and abs(entry.used_seconds - 2 * DAY) < 60
    assert entry.jaxlib is None


def test_totals_and_what_is_no_entry(folder):
    found = contents(str(folder), Filter("step"))
    assert found.others == ("notes.txt",)
    assert (found.totals.entries, found.whole.entries) == (2, 4)
    assert found.totals.bytes == sum(entry.bytes for entry in found.entries) < found.whole.bytes


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        (Filter(), "0123"), (Filter("jit_*"), "013"), (Filter("step"), "01"), (Filter("*o*"), "23"),
        (Filter("jit_st"), ""), (Filter(older_than=1.5 * DAY), "03"), (Filter(larger_than=3000), "03"),
        (Filter("jit_step", 1.5 * DAY, 3000), "0"),
    ],
)  # fmt: skip
def test_filters(folder, chosen, keys):
    assert sorted(entry.key[-1] for entry in contents(str(folder), chosen).entries) == list(keys)


@pytest.mark.parametrize(
    ("order", "keys"),
    [("module", "3102"), ("size", "3012"), ("age", "2130"), ("time", "1032"), ("used", "0132")],
)
def test_orders(folder, order, keys):
    found = [entry.key[-1] for entry in contents(str(folder), order=order).entries]
    assert found[:2] == list(keys)[:2] and sorted(found) == sorted(keys)


def test_an_entry_for_another_machine_is_not_loadable_here(tmp_path):
    write(tmp_path, "jit_arm", machine=("riscv64-unknown-linux-gnu", "sifive", "+v"))
    write(tmp_path, "jit_future", machine=("", "future", "+sse2,+avx512f,+amx-tile,+no_such"))
    write(tmp_path, "jit_rocm", platform="rocm")
    found = {entry.module: entry for entry in contents(str(tmp_path)).entries}
    assert found["jit_arm"].loadable is False and found["jit_arm"].why_not.startswith(
        "it is for riscv64, and"
    )
    assert "no_such" not in (found["jit_future"].why_not or "")
    assert found["jit_rocm"].loadable is False and "no AMD GPU here" in found["jit_rocm"].why_not
    assert all(entry.state == "sound" for entry in found.values())


@pytest.mark.parametrize("age", [0, 3600])
def test_an_entry_that_is_cut_off_may_be_being_written_while_it_is_young(tmp_path, age):
    write(tmp_path, "jit_cut", content=b"\x78\x9c\x01", age=age)
    (entry,) = contents(str(tmp_path)).entries
    assert entry.state == ("damaged" if age else "unfinished")
    assert entry.loadable is (False if age else None)


def test_a_folder_that_is_none_is_an_error(tmp_path):
    for path, why in ((tmp_path / "none", "no such file or directory"), (write(tmp_path), "not a directory")):
        with pytest.raises(LoadError) as raised:
            contents(str(path))
        assert raised.value.message == f"{path}: {why}" and "--dir" in raised.value.hint


def test_memory_does_not_grow_with_the_entries(tmp_path):
    import tracemalloc

    for key in numbered(20):
        write(tmp_path, key=key, filling=bytes(4 << 20))
    tracemalloc.start()
    found = contents(str(tmp_path))
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.totals.entries == 20
    assert kept < 100_000 and most < 4 * (4 << 20)
