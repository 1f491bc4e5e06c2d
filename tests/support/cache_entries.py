"""Entries of a cache folder, made by hand: as much of a serialized executable as is looked at."""

import os
import time
import zlib

KEY = "0123456789abcdef" * 4
ABI = {
    "tpu": b"xla::TpuXlaExecutableAbiVersion",
    "cuda": b"xla::GpuXlaExecutableAbiVersion CUDA 12.8.0 9.10.0",
    "rocm": b"xla::GpuXlaExecutableAbiVersion ROCM 7.0.1",
}
MACHINE = ("x86_64-unknown-linux-gnu", "znver2", "+64bit,+sse2,-avx512f")


def number(value):
    low, rest = value & 0x7F, value >> 7
    return bytes([low]) if not rest else bytes([low | 0x80]) + number(rest)


def field(at, value):
    """A field of a protocol buffer: a number, or bytes."""
    if isinstance(value, int):
        return number(at << 3) + number(value)
    value = value.encode() if isinstance(value, str) else value
    return number(at << 3 | 2) + number(len(value)) + value


def message(*fields):
    return b"".join(field(at, value) for at, value in fields)


def tables(
    files=("/a/train.py",), functions=("<module>", "step"), locations=((1, 1, 40), (1, 2, 8)), frames=(1, 2)
):
    """A `StackFrameIndexProto`. A location is a file, a function, from 1, and a line; a frame a location."""
    rows = [message((1, file), (2, function), (3, line), (4, 7)) for file, function, line in locations]
    stacks = [message((1, location), *([(2, at)] if at else [])) for at, location in enumerate(frames)]
    return message(*((1, one) for one in files), *((2, one) for one in functions),
                   *((3, one) for one in rows), *((4, one) for one in stacks))  # fmt: skip


def module(name="jit_step", index=None):
    """An `HloModuleProto`, without instructions."""
    found = [(1, name), (2, "main"), (3, b"\x0a\x05fused"), (5, 3)]
    return message(*found, *([(17, index)] if index is not None else []), (18, b""), (19, b"\x08\x01"))


def executable(name="jit_step", platform="cpu", index=None, machine=MACHINE, seconds=0, filling=b""):
    """What an entry expands to."""
    abi = [(9, ABI[platform])] if platform in ABI else [(9, b"")]
    header = message((1, 3), (2, "pjrt_ifrt"), (6, b"layout"), (7, name), *abi)
    inner = message((1, message((1, module(name, index)))), (7, b"kernel"), (8, b"\x7fELF" + filling))
    inner += message((9, message(*enumerate(machine, 1)))) if machine else b""
    payload = message((1, inner), (2, b"options")) if platform == "cpu" else b"\x83\xafp\xd1" + filling
    return seconds.to_bytes(4, "big") + number(len(header)) + header + payload


def write(folder, name="jit_step", key=KEY, age=0.0, used=None, content=None, **more):
    """Write an entry of that age, in seconds, and the note on its last use; returns its path."""
    path = folder / (f"{name}-{key}-cache" if key else f"{name}-cache")
    path.write_bytes(zlib.compress(executable(name, **more)) if content is None else content)
    written = time.time() - age
    os.utime(path, (written, written))
    if used is not None:
        note = path.with_name(path.name.removesuffix("-cache") + "-atime")
        note.write_bytes(int((time.time() - used) * 1e9).to_bytes(8, "little"))
    return path


def numbered(count):
    """Keys, all different."""
    return [f"{at:064x}" for at in range(count)]
