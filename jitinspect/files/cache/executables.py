"""What the bytes of a serialized executable say, without XLA.

IFRT writes a header, a length and a message, before what the platform writes. That begins with the HLO
module for a CPU, and tells no module for TPUs and GPUs (jaxlib 0.10.2, 0.12.0.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from jitinspect.ir.hlo_proto_frames import origin
from jitinspect.ir.program import Frame
from jitinspect.ir.wire_format import Place, first_places, varint, varint_at

SECONDS = 4
"""Bytes before the executable: JAX's compile time, in whole seconds, big-endian."""

_IFRT = b"pjrt_ifrt"
_HEADER_MODULE, _HEADER_ABI = 7, 9
_PATH_TO_NAME = re.compile(rb"\x0a([\x80-\xff]*[\x00-\x7f])" * 4)
"""Executable, module with its configuration, module, and name: of each the first field, and its length."""
_MACHINE, _FEATURES = 9, 3
_NONE = (0, 0)
_VERSION = re.compile(rb"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Machine:
    """The CPU that an entry is for: LLVM's target triple, its name, and `+avx2` for what it must have."""

    triple: str
    name: str
    features: frozenset[str]


class Executable(NamedTuple):
    """`module` is the name of the HLO module, `origin` the place in the Python source that it came from,
    `versions` those of a GPU's libraries.
    """

    module: str
    platform: str | None = None
    machine: Machine | None = None
    origin: Frame | None = None
    versions: str | None = None


def executable_in(entry: bytes) -> Executable | None:
    """What an entry, decompressed, or the beginning of it, says. None if it is no serialized executable."""
    try:
        length, begin = varint_at(entry, SECONDS)
    except ValueError:
        return None
    end = begin + length
    if entry.find(_IFRT, begin, end) < 0 or end > len(entry):
        return None
    if (cpu := _of_cpu(entry, begin, end)) is not None:
        return cpu
    header = first_places(entry, begin, end, _HEADER_ABI)
    if _HEADER_MODULE not in header:
        return None
    abi = entry[slice(*header.get(_HEADER_ABI, _NONE))]
    return _of_device(entry, end, abi, _text(entry, header[_HEADER_MODULE]))


def _of_cpu(entry: bytes, header: int, begin: int) -> Executable | None:
    """One whose path to a module, those of `CpuExecutableProto` and of what is around it, leads to the name
    that the header has.
    """
    path = _PATH_TO_NAME.match(entry, begin)
    if path is None:
        return None
    name = entry[path.end() : path.end() + varint(path[4])]
    if len(name) < varint(path[4]) or entry.find(name, header, begin) < 0:
        return None
    module = name.decode(errors="replace")
    at = path.end()
    machine = _machine_in(entry, path.end(1), path.end(1) + varint(path[1]))
    return Executable(module, "cpu", machine, origin(entry, at, path.end(3) + varint(path[3]), module))


def _machine_in(entry: bytes, begin: int, end: int) -> Machine | None:
    """Most entries of a folder are for one CPU: that it is the one of another entry is found at once."""
    for message in _MACHINES:
        if entry.find(message, begin, end) >= 0:
            return _MACHINES[message]
    place = first_places(entry, begin, end, _MACHINE).get(_MACHINE)
    if place is None:
        return None
    message = entry[slice(*place)]
    parts = first_places(message, 0, len(message), _FEATURES)
    triple, name, features = (_text(message, parts.get(part, _NONE)) for part in (1, 2, _FEATURES))
    found = Machine(triple, name, frozenset(one for one in features.split(",") if one.startswith("+")))
    if features and len(_MACHINES) < _MOST_MACHINES:
        _MACHINES[message] = found
    return found


_MACHINES: dict[bytes, Machine] = {}
_MOST_MACHINES = 8


def _of_device(entry: bytes, begin: int, abi: bytes, module: str) -> Executable:
    """0.12 writes an ABI version into the header; before, what is written tells the platform by its names."""
    if b"TpuXlaExecutable" in abi or b"TpuCompilationEnvironment" in entry or b"xla.TpuExecutable" in entry:
        return Executable(module, "tpu")
    if b"GpuXlaExecutable" not in abi and b"xla.gpu.GpuExecutableProto" not in entry[begin : begin + 4096]:
        return Executable(module)
    if b"ROCM" in abi:
        return Executable(module, "rocm", versions=_versions(abi, ("ROCm", "MIOpen")))
    if b"CUDA" in abi:
        return Executable(module, "cuda", versions=_versions(abi, ("CUDA", "cuDNN")))
    return Executable(module, "cuda" if b".nv." in entry else "gpu")


def _versions(abi: bytes, names: tuple[str, ...]) -> str:
    found = zip(names, _VERSION.findall(abi), strict=False)
    return ", ".join(f"{name} {version.decode()}" for name, version in found)


def _text(message: bytes, place: Place) -> str:
    return message[slice(*place)].decode(errors="replace")
