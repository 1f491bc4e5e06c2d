"""Files that expand to what they should, to too much, or to nothing: none of them is waited for."""

import os
import tracemalloc
import zlib

import pytest

from jitinspect.files.cache import expanding
from jitinspect.files.cache.expanding import expand

TEXT = bytes(range(256)) * 100


def written(tmp_path, content):
    path = tmp_path / "one-cache"
    path.write_bytes(content)
    return str(path)


def test_what_was_compressed_comes_back(tmp_path):
    found = expand(written(tmp_path, zlib.compress(TEXT)))
    assert (found.head, found.size, found.compression, found.why) == (TEXT, len(TEXT), "zlib", None)


def test_a_file_of_several_blocks_is_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(expanding, "_BLOCK", 100)
    monkeypatch.setattr(expanding, "MOST_KEPT", 300)
    random = os.urandom(5000)
    found = expand(written(tmp_path, zlib.compress(random)))
    assert found.why is None and found.size == 5000 and found.head == random[:300]
    cut = expand(written(tmp_path, zlib.compress(random)[:-1]))
    assert cut.cut_off and cut.size >= 4900


@pytest.mark.parametrize("kept", range(0, 20, 3))
def test_a_cut_file_is_cut_off(tmp_path, kept):
    found = expand(written(tmp_path, zlib.compress(TEXT)[:kept]))
    assert found.cut_off and found.state == "damaged"
    assert found.why == ("it is cut off" if kept else "it is empty")


def test_a_flipped_bit_is_found(tmp_path):
    flipped = bytearray(zlib.compress(TEXT))
    flipped[-1] ^= 1
    found = expand(written(tmp_path, flipped))
    assert found.state == "damaged" and not found.cut_off
    assert found.why == "its zlib stream is damaged: incorrect data check"


def test_another_format_is_named_by_its_first_bytes(tmp_path):
    assert (
        expand(written(tmp_path, b"\x7fELF")).why == "it is neither zlib nor zstd: it begins with 7f 45 4c 46"
    )


def test_without_a_package_for_zstd_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(expanding, "zstd_package", lambda: None)
    found = expand(written(tmp_path, b"\x28\xb5\x2f\xfd" + TEXT))
    assert found.state == "unreadable" and "pip install zstandard" in found.why
    assert expand(written(tmp_path, b"\x28\xb5")).cut_off


def test_a_bomb_is_named_and_takes_no_memory(tmp_path):
    bomb = written(tmp_path, zlib.compress(bytes(200 << 20), 1))
    tracemalloc.start()
    found = expand(bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.state == "too_large" and found.why == "it expands to more than 64 MiB"
    assert most < 3 * expanding.MOST_KEPT


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "piped").symlink_to("fifo")
    whys = {name: expand(str(tmp_path / name)).why for name in os.listdir(tmp_path)}
    assert whys == {
        "fifo": "it is a FIFO, not a file",
        "folder": "it is a folder, not a file",
        "link": "it is a link to nowhere, which does not exist",
        "round": "it cannot be read: Too many levels of symbolic links",
        "piped": "it is a FIFO, not a file",
    }
    assert expand("/dev/zero").why == "it is a device, not a file"


def test_a_file_that_is_gone_is_no_entry(tmp_path):
    with pytest.raises(FileNotFoundError):
        expand(str(tmp_path / "gone"))
