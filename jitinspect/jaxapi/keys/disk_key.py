"""The key of the on-disk cache, as JAX itself computes it, without a compilation.

While JAX computes a key, its logger `jax._src.cache_key` logs at DEBUG the digest of each
component and of all of them so far, with or without a cache folder, before anything is
compiled. A filter on that logger reads the records' arguments and leaves `.compile()` with an
exception at the last of them. What was hashed is read from the frame that logs.
Seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import jax
import jaxlib.version
from jax._src import cache_key as _cache_key
from jax._src import compilation_cache as _compilation_cache
from jax._src.lib import xla_client as _xla_client  # type: ignore[attr-defined]

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.devices import option
from jitinspect.jaxapi.keys.compile_options import left_out, option_name
from jitinspect.jaxapi.keys.computation import module_name
from jitinspect.model import DiskKey

LOGGER = "jax._src.cache_key"
COMPONENT = "get_cache_key hash of serialized %s: %s"
CUMULATIVE = "get_cache_key hash after serializing %s: %s"
FLAG = "Including XLA flag in cache key: %s"
LAST = "custom_hook"

_NEUTRAL: dict[str, str | bool] = {"xla_dump_hlo_as_text": False}
"""An option that is not part of the key. With it `.compile()` neither finds an executable in memory, in
which case it would not compute a key, nor keeps one."""

_ONE_AT_A_TIME = threading.Lock()
"""The logger has one level for all threads: a second thread would restore it too early for the first."""

Inputs = dict[str, Mapping[str, str]]


def disk_key(lowered: jax.stages.Lowered) -> DiskKey:
    """The key under which JAX would store the executable of `lowered`, and what it was made from.

    Nothing is compiled, and a later `.compile()` is not affected; JAX's events do report the start
    and end of a compilation. `inputs` hold what each component but the computation was made from.
    Raises `UnavailableError` if JAX makes no key.
    """
    return _key(lowered, _recorded(lowered))


@dataclass(frozen=True, slots=True)
class KeyParts:
    """A key, and of what it was made from that which an entry may hold as well: XLA's `options`, the
    `topology` of the devices, both serialized, and the `compression`. None is what this JAX does not show.
    `flags` are XLA's, as they were given.
    """

    key: DiskKey
    flags: tuple[str, ...]
    options: bytes | None
    topology: bytes | None
    compression: str | None


def key_parts(lowered: jax.stages.Lowered) -> KeyParts:
    """As `disk_key`."""
    records = _recorded(lowered)
    made_from = records.made_from
    serialized = getattr(made_from.get("compile_options"), "SerializeAsString", None)
    return KeyParts(
        _key(lowered, records),
        tuple(records.flags),
        serialized() if serialized else None,
        _topology(made_from.get("devices")),
        made_from.get("compression_algorithm"),
    )


def _recorded(lowered: jax.stages.Lowered) -> _Records:
    if why := why_no_key():
        raise UnavailableError(why)
    records = _Records(threading.get_ident())
    with _ONE_AT_A_TIME, _reading(records), suppress(_KeyIsKnown):
        lowered.compile(compiler_options=_NEUTRAL)
    if not records.digest:
        raise UnavailableError("this JAX made no on-disk key for it")
    return records


def _key(lowered: jax.stages.Lowered, records: _Records) -> DiskKey:
    module = module_name(lowered.compiler_ir("stablehlo"))  # JAX's file name begins with it
    return DiskKey(f"{module}-{records.digest}", module, dict(records.components), _inputs(records))


def _topology(devices: Any) -> bytes | None:
    """As XLA hashes it; it can be serialized from 0.12 on."""
    try:
        topology: Any = _xla_client.get_topology_for_devices(list(devices.flat))
        return bytes(topology.serialize())
    except (AttributeError, RuntimeError):
        return None


def why_no_key() -> str | None:
    """Why this JAX, with its current settings, makes no key that can be shown; None if it does."""
    if not hasattr(_cache_key, "_log_cache_key_hash"):
        return "this JAX does not log how it makes its on-disk key"
    if not option("jax_enable_compilation_cache"):
        return "the on-disk cache is off (jax_enable_compilation_cache): JAX makes no key"
    if option("jax_enable_pgle") or option("jax_compilation_cache_expect_pgle"):
        return "with profile-guided compilation (PGLE) a program has several on-disk keys"
    backend: Any = jax.devices()[0].client
    if not _compilation_cache.is_cache_used(backend):
        return f"JAX keeps no on-disk cache in this process, on platform {backend.platform!r}"
    return None


class _KeyIsKnown(BaseException):
    """Leaves `.compile()`; not an `Exception`, so that no handler on the way out catches it."""


@dataclass(slots=True)
class _Records:
    """A filter of the logger: collects what it logs about one thread's key, and drops those records."""

    thread: int
    digest: str = ""
    components: dict[str, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    made_from: Mapping[str, Any] = field(default_factory=dict)
    before: int = logging.WARNING

    def filter(self, record: logging.LogRecord) -> bool:
        if threading.get_ident() != self.thread:
            return record.levelno >= self.before
        args = record.args if isinstance(record.args, tuple) else ()
        if record.msg == COMPONENT:
            self.components[str(args[0])] = str(args[1])
            self.made_from = self.made_from or _hashed(sys._getframe(1))
        elif record.msg == FLAG and args[0] not in self.flags:  # each is logged twice
            self.flags.append(str(args[0]))
        elif record.msg == CUMULATIVE:
            self.digest = str(args[1])
            if args[0] == LAST:
                raise _KeyIsKnown
        return False


@contextmanager
def _reading(records: _Records) -> Iterator[None]:
    """Set the logger to DEBUG, with `records` as its first filter, and restore it in any case.

    A program may have switched it off with `logging.disable`, or with `logging.config`, which disables
    existing loggers: without records there would be a compilation.
    """
    logger, manager = logging.getLogger(LOGGER), logging.root.manager
    records.before = logger.getEffectiveLevel()
    level, disabled, everywhere = logger.level, logger.disabled, manager.disable
    logger.filters.insert(0, records)
    try:
        logger.disabled, manager.disable = False, 0
        logger.setLevel(logging.DEBUG)  # which also forgets what the logger knew to be disabled
        yield
    finally:
        logger.filters.remove(records)
        logger.disabled, manager.disable = disabled, everywhere
        logger.setLevel(level)


def _hashed(frame: FrameType | None) -> Mapping[str, Any]:
    """The arguments of JAX's `get(module, devices, compile_options, backend, …)`; empty if not found."""
    while frame is not None:
        if frame.f_code.co_filename == _cache_key.__file__ and frame.f_code.co_name == "get":
            return dict(frame.f_locals)
        frame = frame.f_back
    return {}


def _inputs(records: _Records) -> Inputs:
    """Component → name → value, all as text. What this JAX does not show is omitted."""
    readers: dict[str, Callable[[_Records], Mapping[str, str]]] = {
        "jax_lib version": lambda records: {"jaxlib": jaxlib.version.__version__},
        "backend version": _backend,
        "XLA flags": lambda records: dict(map(_flag, records.flags)),
        "compile_options": _compile_options,
        "accelerator_config": _accelerators,
        "compression": lambda records: {"algorithm": records.made_from["compression_algorithm"]},
    }
    inputs: Inputs = {}
    for component, reader in readers.items():
        with suppress(KeyError, AttributeError, TypeError):
            inputs[component] = reader(records)
    return inputs


def _backend(records: _Records) -> Mapping[str, str]:
    backend = records.made_from["backend"]
    return {"platform": backend.platform, "platform version": backend.platform_version}


def _accelerators(records: _Records) -> Mapping[str, str]:
    """XLA's topology is that of the whole client; a program may use only a part of it."""
    devices, backend = records.made_from["devices"], records.made_from["backend"]
    host = {"processor": _processor()} if backend.platform == "cpu" else {}
    kinds = ", ".join(sorted({str(device.device_kind) for device in devices.flat}))
    return {
        "devices of the program": f"{devices.size} × {kinds}",
        "devices": str(backend.device_count()),
        **host,
    }


def _processor() -> str:
    """The host's model and features, which XLA:CPU compiles for; empty if the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].split("\n")
    except (OSError, UnicodeDecodeError):
        return platform.processor()
    values = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    features = hashlib.sha256(values.get("flags", values.get("Features", "")).encode()).hexdigest()[:8]
    return f"{values.get('model name', platform.machine())}, features {features}"


def _flag(text: str) -> tuple[str, str]:
    """`--xla_foo (XLA_FLAGS)` → `3`; JAX also hashes such flags from the command line."""
    name, _, value = text.partition("=")
    sources = {"LIBTPU_INIT_ARGS": os.environ.get("LIBTPU_INIT_ARGS", "").split(), "sys.argv": sys.argv}
    found = [source for source, words in sources.items() if text in words]
    return f"{name} ({found[0] if found else 'XLA_FLAGS'})", value or "set"


def _compile_options(records: _Records) -> Mapping[str, str]:
    """Each option that XLA's bindings show, under its own name; other flags as they were passed."""
    options: Any = records.made_from["compile_options"]
    build = options.executable_build_options
    shown = {
        **_fields(options),
        **_fields(build),
        **_fields(build.debug_options),
        **{str(name): str(value) for name, value in options.env_option_overrides},
        "device ids": ",".join(str(device.id) for device in records.made_from["devices"].flat),
    }
    shown |= dict(_flag(flag) for flag in records.flags if flag.partition("=")[0].strip("-") not in shown)
    return {option_name(name): value for name, value in shown.items() if name not in left_out()}


def _fields(options: Any) -> Mapping[str, str]:
    plain = (bool, int, float, str, bytes, list, tuple)
    fields = {}
    for name in dir(options):
        with suppress(Exception):  # some are not set and raise
            value = getattr(options, name)
            if not name.startswith("_") and name != "env_option_overrides" and isinstance(value, plain):
                fields[name] = str(value)
    return fields
