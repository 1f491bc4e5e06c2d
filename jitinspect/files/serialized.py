"""Bytes of a serialized executable → the HLO module in them, without a backend.

IFRT writes a header, a length and a message, and then what the platform writes. For a CPU that is a
`CpuExecutableProto` in two wrappers, whose fields are below; TPUs and GPUs write no HLO. JAX's
`serialize_executable.serialize` pickles it together with the shapes of arguments: that is looked through, and
never unpickled, which could run anything. Seen on jaxlib 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from jitinspect.errors import LoadError, UnavailableError
from jitinspect.files.cache import executables
from jitinspect.files.cache.executables import SECONDS
from jitinspect.ir.wire_format import fields, packed_numbers

PICKLE = b"\x80"
"""How a pickle begins (from protocol 2 on)."""
IFRT = b"pjrt_ifrt"
_COMPILED, _CONFIGURED, _ASSIGNMENT, _MODULE, _CONFIG = 1, 1, 2, 1, 2
_OF_HLO_PROTO = {"module": 1, "assignment": 3}
_NAME, _COMPUTATIONS, _SCHEDULE, _DEVICES = 1, 3, 7, 15
_REPLICAS, _PARTITIONS, _TO_OUTPUT, _TO_PARAMETERS = 4, 5, 27, 33
_COUNTS = (1, 2)
"""Of a device assignment: how many replicas, and how many partitions."""


@dataclass(frozen=True, slots=True)
class Serialized:
    """An `HloModuleProto`, and as far as they are known, its `HloModuleConfigProto` and its
    `BufferAssignmentProto`.
    """

    module: bytes
    config: bytes = b""
    assignment: bytes = b""

    def head(self) -> str:
        """What the header of the module's text says of the configuration, as XLA prints it there."""
        known = _first(self.config)
        words = [
            f", allow_spmd_sharding_propagation_to_{name}={{{_flags(known[number])}}}"
            for name, number in (("parameters", _TO_PARAMETERS), ("output", _TO_OUTPUT))
            if known.get(number, b"\0") != b"\0"
        ]
        counts = known if known else dict(zip((_REPLICAS, _PARTITIONS), self._counts(), strict=True))
        for name, number in (("replica_count", _REPLICAS), ("num_partitions", _PARTITIONS)):
            if counts.get(number, 1) > 1:
                words.append(f", {name}={counts[number]}")
        return "".join(words)

    def _counts(self) -> tuple[int, int]:
        known = _first(_first(self.module).get(_DEVICES, b""))
        replicas, partitions = (known.get(number, 1) for number in _COUNTS)
        return replicas, partitions


def module_in(content: bytes) -> Serialized:
    """That of an `HloModuleProto`, or of an `HloProto`, which has it inside. Raises `ValueError`."""
    known = _first(content)
    if _is_module(content):
        return Serialized(content)
    module, assignment = (known.get(number, b"") for number in _OF_HLO_PROTO.values())
    if not isinstance(module, bytes) or not _is_module(module):
        raise ValueError("it is no HLO module")
    return Serialized(module, assignment=assignment)


def is_scheduled(content: bytes) -> bool:
    """Whether a compiler has put the module of a proto in order; the one that it is given has no schedule.
    Also for bytes that are cut off, of which no more can be told.
    """
    try:
        return bool(_first(module_in(content).module).get(_SCHEDULE))
    except (ValueError, IndexError):
        return True


def executable_in(content: bytes, what: str) -> Serialized:
    """The module in a serialized executable, pickled or not. `what` it is, for messages.

    Raises `LoadError` for bytes that are none, `UnavailableError` for one without a module.
    """
    for one in _strings(content, what) if content.startswith(PICKLE) else [content]:
        if (payload := _after_header(one)) is None:
            continue
        if found := _of_cpu(payload):
            return found
        if platform := _other_platform(one):
            raise UnavailableError(
                f"{what} is for a {platform}, for which executables hold machine code, and no HLO",
                hint="keep the text beside it: jitinspect hlo --raw … -o step.hlo",
            )
    raise LoadError(f"{what} is cut off or damaged: it holds no executable of JAX")


def _other_platform(content: bytes) -> str | None:
    known = executables.executable_in(bytes(SECONDS) + content)
    return known.platform.upper() if known and known.platform not in (None, "cpu") else None


def _strings(pickled: bytes, what: str) -> Iterator[bytes]:
    """The byte strings of a pickle, of which nothing is carried out."""
    try:
        for _, argument, _ in pickletools.genops(pickled):
            if isinstance(argument, bytes | bytearray):
                yield bytes(argument)
    except Exception as error:  # ValueError, UnicodeDecodeError, struct.error, …
        raise LoadError(f"{what} is cut off or damaged: {error}") from None


def _after_header(content: bytes) -> bytes | None:
    """None if there is no header of IFRT's."""
    try:
        length, begin = _varint(content)
    except IndexError:
        return None
    end = begin + length
    return content[end:] if IFRT in content[begin:end] and end <= len(content) else None


def _varint(content: bytes) -> tuple[int, int]:
    number = 0
    for at in range(10):
        number |= (content[at] & 0x7F) << 7 * at
        if content[at] < 0x80:
            return number, at + 1
    raise IndexError


def _of_cpu(payload: bytes) -> Serialized | None:
    try:
        compiled = _first(_first(payload)[_COMPILED])
        configured = _first(compiled[_CONFIGURED])
        found = Serialized(configured[_MODULE], configured.get(_CONFIG, b""), compiled.get(_ASSIGNMENT, b""))
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return found if _is_module(found.module) else None


def _is_module(message: bytes) -> bool:
    try:
        known = _first(message)
        return bool(known[_NAME].decode()) and isinstance(known[_COMPUTATIONS], bytes) and _names_text(known)
    except (KeyError, AttributeError, ValueError, IndexError):
        return False


def _names_text(known: dict[int, Any]) -> bool:
    """The name of its entry computation, the second field, is a text, too."""
    return isinstance(known.get(2, b""), bytes) and known[_NAME].decode().isprintable()


def _first(message: bytes) -> dict[int, Any]:
    """The first value of each field. Raises `ValueError` or `IndexError` for bytes that are no message."""
    return dict(chain(reversed(list(fields(message)))))


def _flags(packed: bytes) -> str:
    return ",".join("true" if flag else "false" for flag in packed_numbers(packed))
