"""What a file is, by its first bytes, and which targets are files."""

import os
import struct

import pytest

from jitinspect.errors import LoadError
from jitinspect.files.kinds import Kind, is_file_target, kind_of, looks_like_file

MODULE = b"module @jit_f {\n}\n"
HLO = b"HloModule jit_f, entry_computation_layout={()->f32[]}\n"


PROTO = b"\n\x05jit_f\x12\x04main"


def hlo_proto(module):
    """What has a module inside, of 128 to 16,383 bytes if it is not short."""
    size = len(module)
    length = bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])
    return b"\n" + length + module


def table(version=3, fields=18):
    """As flatbuffers begin that `jax.export` writes: an offset, the list of fields, the table."""
    places = [4 + 4 * at for at in range(fields)]
    listed = struct.pack(f"<{2 + fields}H", 4 + 2 * fields, 4 + 4 * fields, *places)
    start = 4 + len(listed)
    return struct.pack("<I", start) + listed + struct.pack("<iH", len(listed), version) + bytes(200)


@pytest.mark.parametrize(
    "content, kind",
    [
        (MODULE, Kind.MLIR),
        (b'#loc1 = loc("x")\n\n' + MODULE, Kind.MLIR),
        (b"// a comment\n\n  " + MODULE, Kind.MLIR),
        (b'"builtin.module"() ({\n}) : () -> ()\n', Kind.MLIR),
        (b"ML\xefR\x06MLIR23\x00", Kind.MLIR),
        (HLO, Kind.HLO_BEFORE),
        (b"HloModule jit_f, is_scheduled=true, x\n", Kind.HLO),
        (table(), Kind.EXPORTED),
        (table(version=12, fields=28), Kind.EXPORTED),
        (PROTO, Kind.PROTO),
        (hlo_proto(PROTO), Kind.PROTO),
        (hlo_proto(PROTO.ljust(300, b"\x12")), Kind.PROTO),  # as if its length were that of a name
    ],
)
def test_the_first_bytes_tell(tmp_path, content, kind):
    file = tmp_path / "named.wrongly"
    file.write_bytes(content)
    assert kind_of(file) is kind


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"import jax\nmodule = 3\n",
        b"A module\nmodule of a book\n",
        b"# HloModule\n",
        bytes(4096),
        b"\xff" * 4096,
        b"M",
        table(version=0),
        table(fields=9),
        table()[:20],
        b"\x10\x00\x00\x00TFL3" + bytes(64),
    ],
)
def test_other_bytes_are_of_no_kind(tmp_path, content):
    file = tmp_path / "step.jaxexport"
    file.write_bytes(content)
    with pytest.raises(LoadError, match="of no kind that can be inspected"):
        kind_of(file)


def test_what_is_no_file_to_read_is_refused(tmp_path):
    empty, pipe = tmp_path / "empty.mlir", tmp_path / "pipe.mlir"
    empty.write_bytes(b"")
    os.mkfifo(pipe)
    for path, why in (
        (empty, "is empty"),
        (pipe, "not a regular file"),
        (tmp_path / "none", "cannot be read"),
    ):
        with pytest.raises(LoadError, match=why):
            kind_of(path)
    assert kind_of(tmp_path) is Kind.DUMP


def test_functions_are_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.py").write_text("def fn(): pass\n")
    (tmp_path / "mod").mkdir()
    (tmp_path / "step.jaxexport").write_bytes(table())
    assert is_file_target("step.jaxexport") and is_file_target("./step.jaxexport")
    for target in (
        "mod:fn",
        "file.py:fn",
        "./file.py:fn",
        "file.py",
        "mod",
        "pkg.mod:Class.method",
        "other.mlir",
    ):
        assert not is_file_target(target), target
    assert looks_like_file("other.mlir") and looks_like_file("no/such/thing")
    for target in ("mod:fn", "a/file.py:fn", "a/file.py", "mod", "pkg.mod.fn"):
        assert not looks_like_file(target), target
