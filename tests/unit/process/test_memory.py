"""What a process occupies, and what it gives back."""

import ctypes

import pytest

from jitinspect.process.memory import give_back, resident_bytes

LIBRARY = ctypes.CDLL(None)
BLOCK, COUNT = 32 * 1024, 4096


@pytest.mark.skipif(not hasattr(LIBRARY, "malloc_trim"), reason="the C library is not glibc")
def test_what_is_free_between_what_is_in_use_is_given_back():
    LIBRARY.malloc.restype = ctypes.c_void_p
    blocks = [LIBRARY.malloc(ctypes.c_size_t(BLOCK)) for _ in range(COUNT)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    for at, block in enumerate(blocks):
        if at % 64:
            LIBRARY.free(ctypes.c_void_p(block))
    before = resident_bytes()
    give_back()
    after = resident_bytes()
    for block in blocks[::64]:
        LIBRARY.free(ctypes.c_void_p(block))
    assert before - after > BLOCK * COUNT // 2


def test_another_c_library_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back()
