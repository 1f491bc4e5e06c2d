"""What the bytes of a serialized executable say, without XLA.

IFRT writes a header, a length and a message, before what the platform writes. That begins with the HLO
module for a CPU, and tells no module for TPUs and GPUs (jaxlib 0.10.2, 0.12.0.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from jitinspect.ir.hlo_proto_frames import origin
from jitinspect.ir.program import Frame
from jitinspect.ir.wire_format import Place, first_places, varint_at

SECONDS = 4
"""Bytes before the executable: JAX's compile time, in whole seconds, big-endian."""

_IFRT = b"pjrt_ifrt"
_HEADER_MODULE, _HEADER_ABI = 7, 9
_EXECUTABLE, _MODULE_WITH_CONFIG, _MODULE, _MACHINE = 1, 1, 1, 9
_NAME, _STACK_FRAMES = 1, 17
_FEATURES = 3
_NONE = (0, 0)
_VERSION = re.compile(rb"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Machine:
    """The CPU that an entry is for: LLVM's target triple, its name, and `+avx2` for what it must have."""

    triple: str
    name: str
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class Executable:
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
    header = first_places(entry, begin, end, _HEADER_ABI)
    if end > len(entry) or _IFRT not in entry[begin:end] or _HEADER_MODULE not in header:
        return None
    module = _text(entry, header[_HEADER_MODULE])
    abi = entry[slice(*header.get(_HEADER_ABI, _NONE))]
    return _of_cpu(entry, end, module) or _of_device(entry, end, abi, module)


def _of_cpu(entry: bytes, begin: int, module: str) -> Executable | None:
    """The path to the module is that of `CpuExecutableProto` and what it is wrapped in."""
    executable = first_places(entry, begin, len(entry), _EXECUTABLE).get(_EXECUTABLE, _NONE)
    parts = first_places(entry, *executable, _MACHINE)
    configured = first_places(entry, *parts.get(_MODULE_WITH_CONFIG, _NONE), _MODULE)
    found = first_places(entry, *configured.get(_MODULE, _NONE), _STACK_FRAMES)
    if _NAME not in found or _text(entry, found[_NAME]) != module:
        return None
    machine = _machine(entry[slice(*parts[_MACHINE])]) if _MACHINE in parts else None
    tables = found.get(_STACK_FRAMES)
    return Executable(module, "cpu", machine, origin(entry, tables, module) if tables else None)


@lru_cache(64)
def _machine(message: bytes) -> Machine:
    parts = first_places(message, 0, len(message), _FEATURES)
    triple, name, features = (_text(message, parts.get(part, _NONE)) for part in (1, 2, _FEATURES))
    return Machine(triple, name, frozenset(one for one in features.split(",") if one.startswith("+")))


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
