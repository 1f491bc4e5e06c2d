"""What an entry was compiled from, as far as it holds that, and the same of a call that is not compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jitinspect.errors import LoadError
from jitinspect.files.cache.executables import SECONDS
from jitinspect.files.cache.expanding import expand
from jitinspect.ir.hlo_proto import Module, grouped, module
from jitinspect.ir.wire_format import fields, varint_at
from jitinspect.jaxapi.keys.compile_options import CompileOptions, read_options
from jitinspect.jaxapi.keys.disk_key import KeyParts

_EXECUTABLE, _OPTIONS = 1, 2
_MODULE_WITH_CONFIG, _MACHINE, _MODULE = 1, 9, 1
_TOPOLOGY, _TOPOLOGY_VALUE, _TOPOLOGY_MACHINE = 9, 2, 5
_MACHINE_NAME, _MACHINE_FEATURES = 2, 3


class Cpu(NamedTuple):
    """`features` are those that LLVM may use, and may not: `+avx2,-sse4a`."""

    name: str
    features: str


@dataclass(frozen=True, slots=True)
class Contents:
    """None is what is not known. `flags` are the names of XLA's flags that are set; only a call tells."""

    module: Module | None
    options: CompileOptions | None
    cpu: Cpu | None
    compression: str | None
    flags: frozenset[str] = frozenset()

    @property
    def is_partitioned(self) -> bool:
        return self.options is not None and len(self.options.devices) > 1


def contents_of_entry(path: str) -> Contents:
    """Nothing of it is run. Raises `LoadError` for an entry that cannot be read to its end."""
    found = expand(path)
    if found.state != "sound" or found.size != len(found.head):
        raise LoadError(found.why or f"it expands to {found.size >> 20} MiB, more than is compared")
    try:
        length, begin = varint_at(found.head, SECONDS)
        parts = dict(fields(found.head[begin + length :]))
        options = read_options(parts[_OPTIONS])
    except (ValueError, IndexError, KeyError, TypeError):
        raise LoadError("it does not hold what it was compiled with in a form that is known") from None
    executable = _fields_or_none(parts.get(_EXECUTABLE)) or {}
    made = _module_of(executable, is_partitioned=len(options.devices) > 1)
    return Contents(made, options, _cpu(executable.get(_MACHINE)), found.compression)


def contents_of_call(parts: KeyParts, hlo: bytes | None) -> Contents:
    """`hlo` is the module that XLA would be given, serialized."""
    compression = {"zstandard": "zstd"}.get(parts.compression or "", parts.compression)
    return Contents(
        module(hlo) if hlo is not None else None,
        read_options(parts.options) if parts.options is not None else None,
        _cpu_of(parts.topology) if parts.topology is not None else None,
        compression,
        frozenset(flag.partition("=")[0].strip("-") for flag in parts.flags),
    )


def _module_of(executable: Mapping[int, Any], is_partitioned: bool) -> Module | None:
    """Only a CPU's executable has it."""
    try:
        return module(dict(fields(executable[_MODULE_WITH_CONFIG]))[_MODULE], is_partitioned)
    except (ValueError, IndexError, KeyError, TypeError, RecursionError):
        return None


def _fields_or_none(message: Any) -> dict[int, Any] | None:
    try:
        return dict(fields(message))
    except (ValueError, IndexError, TypeError):
        return None


def _cpu(machine: Any) -> Cpu | None:
    parts = _fields_or_none(machine) or {}
    name, features = parts.get(_MACHINE_NAME), parts.get(_MACHINE_FEATURES)
    if not isinstance(name, bytes) or not isinstance(features, bytes):
        return None
    return Cpu(name.decode(errors="replace"), features.decode(errors="replace"))


def _cpu_of(topology: bytes) -> Cpu | None:
    """Of the topology of a client for CPUs, where the message lies in one of any kind (jaxlib 0.12)."""
    try:
        value = dict(fields(grouped(topology)[_TOPOLOGY][0]))[_TOPOLOGY_VALUE]
        return _cpu(grouped(value)[_TOPOLOGY_MACHINE][0])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
