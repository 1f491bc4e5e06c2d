"""XLA's dumps: compile a lowering once more, with a dump into a temporary folder.

The names of XLA's options and dump files are not a public API; those below were
seen on jaxlib 0.8.3, 0.9.2, 0.10.2, 0.11.2 and 0.12.0, where not all know every option.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
from jax._src import compiler as _compiler
from jax._src.interpreters import mlir as _mlir
from jax._src.lib import xla_client as _xla_client  # type: ignore[attr-defined]
from jax._src.lib.mlir import ir  # type: ignore[attr-defined]

from jitinspect.errors import CompileError, JitinspectError, UnavailableError
from jitinspect.process.temporary_folders import temporary_folder

_DUMP_FOLDER = "xla_dump_to"
_DUMP_OPTIONS: dict[str, str | bool] = {
    "xla_dump_emitter_re": "llvm",  # from 0.12 on LLVM IR is dumped only with it
    "xla_dump_hlo_module_re": "",  # XLA_FLAGS may hold a pattern that leaves this module out
}
_PASS_OPTIONS: dict[str, str | bool] = {
    "xla_dump_hlo_module_re": "",
    "xla_dump_hlo_pipeline_re": "",
    "xla_dump_hlo_pass_re": ".+",  # with ".*", exactly, passes that report no change are left out
    "xla_dump_hlo_as_text": True,
    "xla_dump_hlo_as_long_text": True,  # the form of `Compiled.as_text()`
    "xla_dump_disable_metadata": True,
    "xla_dump_hlo_to_subfolder": False,
    "xla_dump_include_timestamp": False,
    "xla_dump_compact_gte": False,  # compact, get-tuple-element has no line of its own (from 0.11 on)
}
_SHARDING_OPTIONS = _PASS_OPTIONS | {
    "xla_dump_hlo_pass_re": "shardy-xla|sharding-propagation",
    "xla_dump_disable_metadata": False,
}
_AFTER_SHARDING = ("*.after_shardy-xla.*.txt", "*.after_sharding-propagation.*.txt")
"""The passes that decide on the sharding of each value: Shardy's, or without it GSPMD's."""
_PASSES_NEED = ("xla_dump_hlo_pass_re", "xla_dump_disable_metadata")
LIBRARY_OFF: dict[str, str | bool] = {
    "xla_cpu_experimental_ynn_fusion_type": "",  # do not give whole fusions away (`__ynn_fusion`)
    "xla_cpu_multi_thread_eigen": False,  # lets XLA emit small matrix products itself
}
"""Options that make XLA:CPU emit kernels for what it delegates to a library by default."""

_KERNEL_OPTIONS: dict[str, str | bool] = {
    "xla_dump_hlo_module_re": "",
    "xla_dump_hlo_as_text": False,
    "xla_dump_hlo_as_proto": False,
    "xla_dump_hlo_snapshots": True,  # a form that nothing is written in: without any, HLO is dumped as text
}

_CACHE: ModuleType | None = sys.modules.get("jax._src.compilation_cache")
_CACHE_STATE = ("_cache_checked", "_cache_used")
_UNKNOWN_OPTION = re.compile(r"No such compile option: '(\w+)'")
_NO_OPTION = "jitinspect_no_such_option"
_OBJECTS = "*obj-file*.o"
_OBJECT_OF = ".obj-file."
_FIRST_IR = re.compile(r"^(?:\d+\.)?module_\d+\.[^.]*\.(.+)\.ir-no-opt\.ll$")
_IR = {True: "*ir-with-opt.ll", False: "*ir-no-opt.ll"}


Watch = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class KernelFiles:
    """What LLVM's compilation of one of XLA's modules wrote: the object file at its end, `written`, and up to
    0.10 the IR at its beginning, `begun`; without it, that is the same. Both are the files' own times, in
    seconds since the epoch, which go by the ticks of the file system's clock, of 4 ms and more.
    """

    module: str
    begun: float
    written: float
    path: Path

    def symbols(self) -> frozenset[str]:
        """All strings of the object file, among them the names of its functions."""
        words = self.path.read_bytes().split(b"\0")
        return frozenset(word.decode() for word in words if word.isascii())


@dataclass(frozen=True, slots=True)
class Dump:
    """What one compilation wrote; the files exist while `dumped` is open.

    `hlo` is the optimized HLO of that same compilation; `refused` names the
    options that this XLA does not know; the names of its files begin with `start`; `compiled` is the
    executable, None if the dump was made elsewhere.
    """

    folder: Path
    hlo: str
    refused: tuple[str, ...] = ()
    start: str = ""
    compiled: jax.stages.Compiled | None = None

    def ir(self, *, optimized: bool) -> tuple[str, ...]:
        """LLVM modules in textual form, after LLVM's passes or before them."""
        return tuple(file.read_text(errors="replace") for file in self._files(_IR[optimized]))

    def objects(self) -> tuple[Path, ...]:
        """Relocatable object files, in the machine's own format."""
        return tuple(self._files(_OBJECTS))

    def _files(self, pattern: str) -> list[Path]:
        return sorted(path for path in self.folder.glob(pattern) if path.name.startswith(self.start))


@contextmanager
def dumped(lowered: jax.stages.Lowered, *, library: bool = True) -> Iterator[Dump]:
    """Compile `lowered` with a dump of its kernels; `library=False` sets `LIBRARY_OFF`.

    The options apply to this one compilation and override `XLA_FLAGS`; the in-memory
    cache cannot have an entry, as the folder's name is one of the options. Raises
    `CompileError` if XLA fails.
    """
    optional = _DUMP_OPTIONS if library else _DUMP_OPTIONS | LIBRARY_OFF
    with _dump_folder(lowered, optional) as (folder, compiled, refused):
        yield Dump(folder, compiled.as_text() or "", refused, compiled=compiled)


@contextmanager
def passes_dumped(
    lowered: jax.stages.Lowered, metadata: bool = False
) -> Iterator[tuple[Path, jax.stages.Compiled]]:
    """Compile `lowered` with a dump of its module after each pass; yields the folder, which is then removed,
    and the executable.

    It holds the module's text, without metadata unless that is asked for, as XLA got it
    (`…before_optimizations.txt`), after each pass that ran
    (`….0044.<pipeline>.after_<pass>.before_<next>.txt`), and at the end (`…cpu_after_optimizations.txt`).
    Options and caches as for `dumped`. Raises `CompileError` if XLA fails, `UnavailableError` if it cannot
    dump its passes.
    """
    options = _PASS_OPTIONS | {"xla_dump_disable_metadata": not metadata}
    with _dump_folder(lowered, options) as (folder, compiled, refused):
        if lacking := [name for name in _PASSES_NEED if name in refused]:
            raise UnavailableError(f"this XLA does not dump its passes: it has no {', '.join(lacking)}")
        yield folder, compiled


def sharded(lowered: jax.stages.Lowered) -> tuple[jax.stages.Compiled, str | None]:
    """The executable, and its module as it was when XLA had decided on the sharding of each value, but not
    divided any of them yet; None if it is for one device, and XLA so decided nothing.

    The text has metadata. Options, caches and errors as for `passes_dumped`.
    """
    with _dump_folder(lowered, _SHARDING_OPTIONS) as (folder, compiled, refused):
        if lacking := [name for name in _PASSES_NEED if name in refused]:
            raise UnavailableError(f"this XLA does not dump its passes: it has no {', '.join(lacking)}")
        found = [path for pattern in _AFTER_SHARDING for path in sorted(folder.glob(pattern))]
        text = found[0].read_text(errors="replace") if found else None
    if text and not text.rstrip().endswith("}"):
        raise UnavailableError("XLA's dump is incomplete", hint="is the disk for temporary files full?")
    return compiled, text


@contextmanager
def kernels_dumped(
    lowered: jax.stages.Lowered, watch: Watch
) -> Iterator[tuple[jax.stages.Compiled, tuple[KernelFiles, ...]]]:
    """Compile `lowered` with a dump of its kernels and of little else, so that it takes hardly longer; inside
    `watch()` is the compilation alone. The files exist while this is open.

    Options, caches and errors as for `dumped`.
    """
    with _dump_folder(lowered, _KERNEL_OPTIONS, watch) as (folder, compiled, _):
        yield compiled, tuple(_kernel_files(folder))


def _kernel_files(folder: Path) -> Iterator[KernelFiles]:
    """Those that have an object file; the others were not compiled."""
    ir = {found[1]: path for path in folder.glob("*.ll") if (found := _FIRST_IR.search(path.name))}
    for path in folder.glob(_OBJECTS):
        module = path.name.partition(_OBJECT_OF)[2].removesuffix(".o")
        written = path.stat().st_mtime_ns * 1e-9
        begun = ir[module].stat().st_mtime_ns * 1e-9 if module in ir else written
        yield KernelFiles(module, begun, written, path)


@contextmanager
def _dump_folder(
    lowered: jax.stages.Lowered, optional: dict[str, str | bool], watch: Watch | None = None
) -> Iterator[tuple[Path, jax.stages.Compiled, tuple[str, ...]]]:
    """The folder of the dump, the executable, and the options that were left out. What is watched is timed,
    and so is what is written meanwhile.
    """
    with temporary_folder(timed=watch is not None) as folder:
        with persistent_cache_off():
            compiled, refused = _compile(lowered, {_DUMP_FOLDER: folder}, optional, watch or nullcontext)
        yield Path(folder), compiled, refused


def _compile(
    lowered: jax.stages.Lowered,
    required: dict[str, str | bool],
    optional: dict[str, str | bool],
    watch: Watch,
) -> tuple[jax.stages.Compiled, tuple[str, ...]]:
    """Compile with as many of the `optional` options as this XLA knows."""
    refused = not_known(tuple(optional.items()))
    while True:
        options = required | {name: value for name, value in optional.items() if name not in refused}
        try:
            with watch():
                return lowered.compile(compiler_options=options), refused
        except JitinspectError:  # of a compiler in another process
            raise
        except Exception as error:
            unknown = _UNKNOWN_OPTION.search(str(error))
            if unknown is None or unknown[1] not in options or unknown[1] in required:
                first = str(error).strip().split("\n")[0]
                raise CompileError(f"XLA failed: {type(error).__name__}: {first}") from error
            refused += (unknown[1],)


@cache
def not_known(options: tuple[tuple[str, str | bool], ...]) -> tuple[str, ...]:
    """Those of the `options` that this XLA does not know, by their names, without a compilation that JAX's
    events would tell of: XLA names the first one that it does not know, and one that nobody knows is last.

    Empty where XLA cannot be asked so; then a compilation is refused for them, one by one.
    """
    refused: tuple[str, ...] = ()
    while True:
        try:
            _compile_nothing([one for one in options if one[0] not in refused] + [(_NO_OPTION, "")])
            return refused
        except Exception as error:
            name = _UNKNOWN_OPTION.search(str(error))
            if name is None or name[1] == _NO_OPTION:
                return refused
            refused += (name[1],)


def _compile_nothing(options: list[tuple[str, str | bool]]) -> None:
    """`compiler.backend_compile_and_load`, which JAX calls below its events and caches."""
    with _mlir.make_ir_context():
        module: Any = ir.Module.parse("module @m { func.func public @main() { return } }")
    asked: Any = _xla_client.CompileOptions()
    asked.env_option_overrides = options
    devices: Any = _xla_client.DeviceList(tuple(jax.devices()[:1]))
    _compiler.backend_compile_and_load(devices[0].client, module, devices, asked, [])


@contextmanager
def persistent_cache_off() -> Iterator[None]:
    """Neither read nor write the on-disk compilation cache inside the `with`.

    JAX decides once per process whether to use that cache: after the first compilation
    the option `jax_enable_compilation_cache` has no effect, and if set before, it
    switches the cache off for good. The decision is kept in two variables, the same
    ones in 0.8.3 to 0.12.0.1.
    """
    if _CACHE is None or not all(hasattr(_CACHE, name) for name in _CACHE_STATE):
        _require_no_persistent_cache()
        yield
        return
    before = [getattr(_CACHE, name) for name in _CACHE_STATE]
    _set_state(_CACHE, [True, False])
    try:
        yield
    finally:
        _set_state(_CACHE, before)


def _set_state(cache: ModuleType, values: list[bool]) -> None:
    for name, value in zip(_CACHE_STATE, values, strict=True):
        setattr(cache, name, value)


def _require_no_persistent_cache() -> None:
    settings = jax.config.values
    if settings.get("jax_enable_compilation_cache") and settings.get("jax_compilation_cache_dir"):
        raise UnavailableError(
            "with this JAX the persistent compilation cache cannot be set aside for one compilation",
            hint="run it again with JAX_ENABLE_COMPILATION_CACHE=false",
        )


def platforms(lowered: jax.stages.Lowered) -> tuple[str, ...]:
    """The platforms of the lowering, such as `("cpu",)`; the default backend if JAX does not tell.

    `Lowered._lowering._platforms`, seen on 0.8.3 to 0.12.0.1.
    """
    lowered_for = getattr(getattr(lowered, "_lowering", None), "_platforms", None)
    return tuple(lowered_for) if lowered_for else (jax.default_backend(),)
