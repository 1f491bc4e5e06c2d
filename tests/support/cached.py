"""Entries that JAX itself writes, into a folder that is its cache for a while."""

import struct
import zlib
from contextlib import contextmanager

import jax
from jax.experimental.compilation_cache import compilation_cache

SETTINGS = {
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
    "jax_enable_compilation_cache": True,
}


@contextmanager
def cache_in(folder):
    """JAX keeps all that is compiled in this folder, and as before afterwards."""
    wanted = {**SETTINGS, "jax_compilation_cache_dir": str(folder)}
    before = {name: getattr(jax.config, name) for name in wanted}
    _use(wanted)
    try:
        yield
    finally:
        _use(before)


def _use(settings):
    for name, value in settings.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def expanded(path):
    return zlib.decompress(path.read_bytes())


def ending_the_process(executable):
    """The same, with relocations of a type that there is none of in the kernels' object code: LLVM aborts."""
    changed = bytearray(executable)
    at = changed.find(ELF)
    while at >= 0:
        (table,) = struct.unpack_from("<Q", changed, at + 0x28)
        (sections,) = struct.unpack_from("<H", changed, at + 0x3C)
        for header in range(at + table, at + table + 64 * sections, 64):
            (kind,) = struct.unpack_from("<I", changed, header + 4)
            begin, size = struct.unpack_from("<QQ", changed, header + 24)
            for relocation in range(at + begin, at + begin + size, 24) if kind == RELOCATIONS else ():
                struct.pack_into("<I", changed, relocation + 8, 200)
        at = changed.find(ELF, at + 4)
    return bytes(changed)


ELF, RELOCATIONS = b"\x7fELF", 4
