"""What kind a file is, by what is in it."""

import gzip
import os
import pickle

import pytest

from jitinspect.errors import LoadError
from jitinspect.files.contents import MOST, contents
from jitinspect.files.kinds import Kind, is_file_target, kind_of, parts_of

SCHEDULED = b"HloModule jit_f, is_scheduled=true, entry_computation_layout={()->f32[]}\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (SCHEDULED, Kind.HLO),
        (gzip.compress(SCHEDULED), Kind.HLO),
        (SCHEDULED.replace(b", is_scheduled=true", b""), Kind.HLO_BEFORE),
        (b"module @jit_f {\n}", Kind.MLIR),
        (b"\n\x08jit_step\x12\x06main.4\x1a\x02\n\0", Kind.PROTO),
        (b"\n\x90\x01\n\x08jit_step\x12\x06main.4\x1a\x02\n\0", Kind.PROTO),
        (b"\x1f\x08\x03\x12\tpjrt_ifrt:\x08jit_step", Kind.EXECUTABLE),
        (pickle.dumps(b"x", protocol=4), Kind.EXECUTABLE),
        (b"\x78\x9c\x03\x00\x00\x00\x00\x01", Kind.CACHE_ENTRY),
        (b"\x28\xb5\x2f\xfd\x00", Kind.CACHE_ENTRY),
    ],
)
def test_a_file_is_known_by_its_contents(tmp_path, content, kind):
    path = tmp_path / "some.thing"
    path.write_bytes(content)
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04", b"\x7fELF\x02", b"#!/bin/sh\n", b"\x93NUMPY", b"{}", b"\xff" * 9, b"\x1f\x8bno"],
)
def test_other_formats_are_told_apart(tmp_path, content):
    path = tmp_path / "some.thing"
    path.write_bytes(content)
    with pytest.raises(LoadError, match="of no kind"):
        kind_of(path)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    for name, why in (("pipe", "not a regular file"), ("empty", "is empty"), ("none", "cannot be read")):
        with pytest.raises(LoadError, match=why):
            kind_of(tmp_path / name)


def test_a_bomb_is_not_expanded_to_its_end(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(MOST + 2**20), 1))
    with pytest.raises(LoadError, match="more than 256 MiB"):
        contents(path)


@pytest.mark.parametrize("damage", [lambda whole: whole[:-9], lambda whole: whole[:30] + b"x" + whole[31:]])
def test_compressed_data_are_checked(tmp_path, damage):
    path = tmp_path / "text.gz"
    path.write_bytes(damage(gzip.compress(bytes(range(256)) * 99)))
    with pytest.raises(LoadError, match=r"cut off|damaged"):
        contents(path)


def test_a_module_of_a_folder_is_named_after_a_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dump").mkdir()
    (tmp_path / "step.hlo").touch()
    assert is_file_target("dump/:jit_step") and is_file_target("dump/") and is_file_target("step.hlo")
    assert not any(map(is_file_target, ("dump:jit_step", "dump", "nowhere/:x", "pkg.mod:fn", "train.py:fn")))
    assert parts_of("dump/:jit_step") == (parts_of("dump/")[0], "jit_step")
    assert parts_of("dump/")[1] is None
