"""Compilation for devices that are not here, carried out by another process.

`jax.experimental.topologies` gives the devices, which compile only. JAX hands a lowered module to XLA by
`compiler.backend_compile_and_load(backend, module, executable_devices, options, host_callbacks)`, below its
events and caches, and makes a `jax.stages.Compiled` of what that returns. Seen on jax 0.8.3 to 0.12.0.1.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import jax
from jax._src import compiler as _compiler
from jax._src.interpreters import mlir as _mlir
from jax._src.lib import _jax  # type: ignore[attr-defined]
from jax._src.lib import xla_client as _xla_client  # type: ignore[attr-defined]
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

from jitinspect.errors import CompileError, UnavailableError, first_line
from jitinspect.jaxapi.traces.recording import TimedRecording

_DUMP_FOLDER = "xla_dump_to"
_AS_TEXT = {"xla_dump_hlo_as_text": True, "xla_dump_hlo_module_re": "", "xla_dump_hlo_to_subfolder": False}
_STATS = ("argument", "output", "temp", "alias", "generated_code")


@dataclass(frozen=True, slots=True)
class Compilation:
    """What JAX hands to XLA: MLIR bytecode, serialized `CompileOptions`, the ids of the devices.

    `name` is the module's; `dump` is the folder that the options name for XLA's dumps. `records` is whether
    the compiler's phases are to be recorded.
    """

    name: str
    module: bytes
    options: bytes
    devices: tuple[int, ...]
    dump: str
    records: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a compilation came to; what is not known is None, or empty.

    `texts` are the optimized modules. `memory` holds the attributes of `memory_analysis()`, `assignment` and
    `live_ranges` the texts of XLA's dump that list the buffers. `refused` is what the compiler said if the
    program does not fit the device, although its module is known. `recording` is a serialized `XSpace` of the
    compilation, and `seconds` its wall time, if it was carried out to the end.
    """

    texts: tuple[str, ...] = ()
    protos: tuple[bytes, ...] = ()
    memory: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, float] | None = None
    assignment: str = ""
    live_ranges: str = ""
    refused: str | None = None
    parameter_shardings: tuple[bytes, ...] | None = None
    output_shardings: tuple[bytes, ...] | None = None
    recording: bytes = b""
    seconds: float | None = None


Compiler = Callable[[Compilation], Outcome]


def absent_devices(platform: str, topology: str, options: Mapping[str, Any]) -> list[jax.Device]:
    """Devices to compile for. Loads the platform's plugin into this process.

    Raises `UnavailableError` if there is no plugin, or it does not know the topology.
    """
    from jax.experimental import topologies

    try:
        return list(topologies.get_topology_desc(topology, platform=platform, **options).devices)
    except Exception as error:  # RuntimeError, NotImplementedError, JaxRuntimeError, by version and plugin
        raise UnavailableError(
            f"the {platform} compiler does not know {topology or platform}: {first_line(error)}"
        ) from error


def why_not() -> str | None:
    """What is missing, if this JAX cannot leave a compilation to another process."""
    needed = (hasattr(_compiler, "backend_compile_and_load"), hasattr(_jax, "CompileOnlyPyClient"))
    return None if all(needed) else "this JAX does not compile for devices that are not here"


@contextmanager
def compiled_by(compiler: Compiler, dump: Callable[[], str]) -> Iterator[None]:
    """Inside the `with`, `compiler` carries out the compilations for devices that are not here.

    `dump` gives the folder for XLA's dumps of a compilation that does not ask for them itself. This patches
    JAX, and is meant for a process of our own.
    """
    if why := why_not():
        raise UnavailableError(why)
    inner = _compiler.backend_compile_and_load

    def instead(backend: Any, module: Any, devices: Any, options: Any, callbacks: Sequence[Any]) -> Any:
        if not isinstance(backend, _jax.CompileOnlyPyClient):
            return inner(backend, module, devices, options, callbacks)
        if callbacks:
            raise UnavailableError("a function that calls back to Python is not compiled for absent devices")
        return AbsentExecutable(compiler(_compilation(module, devices, options, dump)))

    _compiler.backend_compile_and_load = instead
    try:
        yield
    finally:
        _compiler.backend_compile_and_load = inner


def _compilation(module: Any, devices: Any, options: Any, dump: Callable[[], str]) -> Compilation:
    written = io.BytesIO()
    module.operation.write_bytecode(written)
    copied: Any = _xla_client.CompileOptions.ParseFromString(options.SerializeAsString())
    asked = dict(copied.env_option_overrides)
    folder = asked.get(_DUMP_FOLDER) or dump()
    copied.env_option_overrides = list((_AS_TEXT | asked | {_DUMP_FOLDER: folder}).items())
    name = ir.StringAttr(module.operation.attributes["sym_name"]).value
    ids = tuple(device.id for device in devices)
    return Compilation(name, written.getvalue(), copied.SerializeAsString(), ids, str(folder))


_NOTHING = b"""module @warm_up {
  func.func public @main(%x: tensor<f32>) -> tensor<f32> { return %x : tensor<f32> }
}"""


def warm_up(devices: Sequence[jax.Device]) -> None:
    """Compile a program that does nothing. The first compilation of a process takes libtpu 0.2 s more than
    others of the same program (0.0.42.1 and 0.0.50.1). Raises `CompileError`.
    """
    options: Any = _xla_client.CompileOptions()
    options.env_option_overrides = [(_DUMP_FOLDER, "")]
    carry_out(Compilation("warm_up", _NOTHING, options.SerializeAsString(), (devices[0].id,), ""), devices)


def carry_out(compilation: Compilation, devices: Sequence[jax.Device]) -> Outcome:
    """Compile to the end, in the process of the compiler. Raises `CompileError` with all that XLA says."""
    by_id = {device.id: device for device in devices}
    with _mlir.make_ir_context():
        module: Any = ir.Module.parse(compilation.module)
    options: Any = _xla_client.CompileOptions.ParseFromString(compilation.options)
    chosen: Any = _xla_client.DeviceList(tuple(by_id[number] for number in compilation.devices))
    client: Any = devices[0].client
    watch = TimedRecording()
    try:
        with watch() if compilation.records else nullcontext():
            executable = client.compile(module, executable_devices=chosen, compile_options=options)
    except UnavailableError:
        raise
    except Exception as error:
        raise CompileError(str(error).strip()) from error
    known = _outcome(executable)
    if not compilation.records:
        return known
    return replace(known, recording=watch.recording.xspace, seconds=watch.seconds)


def _outcome(executable: Any) -> Outcome:
    modules = executable.hlo_modules()
    return Outcome(
        texts=tuple(module.to_string() for module in modules),
        protos=tuple(module.as_serialized_hlo_module_proto() for module in modules),
        memory=_memory(executable),
        cost=_cost(executable),
        parameter_shardings=_serialized(executable.get_parameter_shardings()),
        output_shardings=_serialized(executable.get_output_shardings()),
    )


def _memory(executable: Any) -> dict[str, Any]:
    """The sums in bytes, and the serialized buffer assignment, by their attributes' names."""
    with suppress(NotImplementedError, RuntimeError):
        stats = executable.get_compiled_memory_stats()
        names = [f"{name}_size_in_bytes" for name in _STATS]
        names += ["peak_memory_in_bytes", "serialized_buffer_assignment_proto"]
        return {name: getattr(stats, name) for name in names if hasattr(stats, name)}
    return {}


def _cost(executable: Any) -> dict[str, float] | None:
    """CUDA's compiler gives none."""
    with suppress(NotImplementedError, RuntimeError):
        analysis = executable.cost_analysis()
        return dict(analysis[0] if isinstance(analysis, list) else analysis)
    return None


def _serialized(shardings: Sequence[Any] | None) -> tuple[bytes, ...] | None:
    return None if shardings is None else tuple(one.SerializeToString() for one in shardings)


def outcome(compiled: jax.stages.Compiled) -> Outcome:
    """What another process found out. Raises `UnavailableError` for what was compiled here."""
    executable = compiled.runtime_executable()
    if not isinstance(executable, AbsentExecutable):
        raise UnavailableError("it was not compiled for a device that is not here")
    return executable.outcome


class AbsentExecutable:
    """Stands for XLA's own executable, with the methods that `jax.stages.Compiled` and its making use."""

    def __init__(self, known: Outcome) -> None:
        self.outcome = known

    def hlo_modules(self) -> list[_Module]:
        protos = self.outcome.protos or (None,) * len(self.outcome.texts)
        return [_Module(*pair) for pair in zip(self.outcome.texts, protos, strict=True)]

    def get_compiled_memory_stats(self) -> Any:
        if not self.outcome.memory:
            raise NotImplementedError
        return _Stats(self.outcome.memory)

    def cost_analysis(self) -> Mapping[str, float]:
        if self.outcome.cost is None:
            raise NotImplementedError
        return self.outcome.cost

    def get_parameter_shardings(self) -> list[Any] | None:
        return _parsed(self.outcome.parameter_shardings)

    def get_output_shardings(self) -> list[Any] | None:
        return _parsed(self.outcome.output_shardings)


class _Module:
    """Stands for an `HloModule`."""

    def __init__(self, text: str, proto: bytes | None) -> None:
        self._text = text
        self._proto = proto

    def to_string(self, options: Any = None) -> str:
        return self._text

    def as_serialized_hlo_module_proto(self) -> bytes:
        if self._proto is None:
            raise NotImplementedError
        return self._proto


class _Stats:
    """Stands for `CompiledMemoryStats`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)


def _parsed(shardings: tuple[bytes, ...] | None) -> list[Any] | None:
    if shardings is None:
        return None
    found = []
    for one in shardings:
        sharding: Any = _xla_client.OpSharding()
        sharding.ParseFromString(one)
        found.append(sharding)
    return found
