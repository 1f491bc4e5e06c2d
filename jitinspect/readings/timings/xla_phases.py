"""Which part of a compilation an event of XLA's stands for: a phase, a pass, a kernel.

The names of events are not a public API. Those of the CPU's compiler were seen on jaxlib 0.8.3 to 0.12.0,
those of CUDA's and TPU's on 0.10.2 and 0.12.0, with libtpu 0.0.42 and 0.0.50. None means different things.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from jitinspect.ir.trace import Event

JAX = "JAX around XLA"
CONVERSION = "StableHLO to HLO"
PARTITIONER = "partitioner"
BEFORE_LAYOUT = "HLO passes before layout"
AFTER_LAYOUT = "HLO passes after layout"
FUSION = "fusion"
CODEGEN = "code generation"
LLVM = "LLVM"
LINKING = "linking"
PTXAS = "PTX to machine code"
SCHEDULING = "scheduling"
REGISTERS = "register allocation"
AUTOTUNING = "autotuning"
OTHER = "other work of XLA"
"""What XLA has no event for: scheduling and the assignment of buffers, among other things."""
OF_KERNELS = (LLVM, PTXAS)
"""Phases in which kernels are compiled one by one."""

CALL = "backend_compile_and_load"
"""JAX's call of XLA."""
KERNEL = "FusionCompiler::Compile"
"""The CPU's code generation of one kernel, whose module is one of its statistics."""
TPU_KERNEL = "XLA::TPU emitting for "
"""A TPU's, up to its machine code, of the instruction whose name follows."""
CUDA_KERNELS = "CompileSingleModule"
"""CUDA's, of a kernel or of several; LLVM's part of it, which is inside, names the kernel, if it is one."""
_CUDA_LLVM, _SEVERAL = "Compiling IR:", "LLVMDialectModule"
LLVM_MODULE = "TaskDispatcher::dispatch"
"""LLVM's compilation of one module for the CPU: which one is not told."""
COMPILING = ("PjRtCpuClient::Compile", "CompileCpuExecutable", "TpuCompiler::Compile", "CompileAheadOfTime")
"""XLA's compiler, on the CPU from 0.9 to 0.10 and for TPUs on another thread than JAX's call."""
CPU_WAITING = (CALL, "ThunkEmitter::EmitEntryComputation", "ThunkEmitter::ConsumeKernels", "Codegen",
               "JitCompiler::Compile")  # fmt: skip
"""Events during which other threads may do the work."""
_WAITING = (
    *CPU_WAITING, "CompileModuleToLlvmIr", "TpuCompiler::Compile", "XLA::TPU run hlo passes",
    "XLA::TPU HLO optimization", "XLA::TPU run backend", "XLA::TPU lowering and optimization",
)  # fmt: skip
_PJRT = "PjRtCApiCompiler::Compile("
"""A plugin's compilation, as JAX's side sees it."""
_TPU = "XLA::TPU "
_TPU_HELPS = (TPU_KERNEL, "XLA::TPU LLO ")

_PHASES = {
    KERNEL: CODEGEN,
    LLVM_MODULE: LLVM,
    "ThunkEmitter::EmitEntryComputation": CODEGEN,
    "ThunkEmitter::ConsumeKernels": CODEGEN,
    "SplitModule": CODEGEN,
    "Codegen": LINKING,
    "JitCompiler::Compile": LINKING,
    CALL: CONVERSION,
    **dict.fromkeys(COMPILING, OTHER),
    "CpuCompiler::RunBackend": OTHER,
    "CpuCompiler::CompileCpuExecutable": OTHER,
    "CompileModuleToLlvmIr": CODEGEN,
    CUDA_KERNELS: LLVM,
    "PTX->CUBIN": PTXAS,
    "ScheduleGpuModule": SCHEDULING,
    "XLA::TPU run backend": CODEGEN,
    "XLA::TPU lowering and optimization": CODEGEN,
}
_BEGINNINGS = (
    (TPU_KERNEL, CODEGEN),
    ("XLA::TPU LLO ", SCHEDULING),
    ("LSRAv2", REGISTERS),
    ("XLA::TPU code gen", CODEGEN),
    (_CUDA_LLVM, LLVM),
    (_PJRT, CONVERSION),
    (_TPU, OTHER),
)
_PIPELINES = (
    ("HLO passes through layout assignment", BEFORE_LAYOUT),
    ("HLO passes after layout assignment", AFTER_LAYOUT),
    ("hlo normalization", AFTER_LAYOUT),
    ("SubbytePacker", BEFORE_LAYOUT),
    ("async-collective", PARTITIONER),
    ("pre-spmd-partitioner", PARTITIONER),
    ("spmd-", PARTITIONER),
    ("sharding-removal", PARTITIONER),
    ("config-assigner", AUTOTUNING),
    ("latency-hiding-scheduler", SCHEDULING),
    ("final_scheduler", SCHEDULING),
    ("async_scheduling", SCHEDULING),
)
_FIRST = tuple(begin for begin, _ in _PIPELINES)
_AFTER_LAYOUT = re.compile(
    r"post|after|fusion|copy|schedul|remat|memory|dynamic-slice|async-wrapper|propagate-call|SparseCore|TensorCore",
    re.IGNORECASE,
)
"""In the names of other pipelines of CUDA's and TPU's compilers."""
_FUSION = re.compile(r"(.*[-_ ])?fusion", re.IGNORECASE)
"""Passes that form fusions."""


class Part(NamedTuple):
    """`pass_` and `pipeline` are empty for what is no pass, `module` for what is no kernel's."""

    phase: str
    pipeline: str = ""
    pass_: str = ""
    module: str = ""


def part_of(path: Sequence[Event]) -> tuple[Part, Event]:
    """What the innermost event of the path belongs to, and the event that is all of that: a pass, a kernel.
    With no event of XLA's, it is JAX.
    """
    if pipelines := _pipelines(path):
        return _of_pass(path, pipelines)
    kernel = next((event for event in path if _module(event)), None)
    for event in reversed(path):
        if phase := _phase(event):
            return Part(phase, module=_module(kernel)), kernel or event
    return Part(JAX), path[-1]


def is_helping(event: Event) -> bool:
    """Whether it is a piece of work that XLA may give to another thread."""
    return event.name in (KERNEL, LLVM_MODULE, CUDA_KERNELS) or event.name.startswith(_TPU_HELPS)


def is_waiting(event: Event) -> bool:
    """Whether other threads may do the work during it, outside of the events inside it."""
    return event.name in _WAITING or event.name.startswith(_PJRT)


def is_leading(event: Event) -> bool:
    """Whether all threads that do not help wait for the one that has this event."""
    is_tpus = event.name.startswith(_TPU) and not is_helping(event)
    return is_tpus or event.name in COMPILING


def with_kernel(event: Event, inner: Sequence[Event]) -> Event:
    """CUDA's compilation of a module, with the name of the kernel that LLVM's part of it tells."""
    names = [one.name.removeprefix(_CUDA_LLVM) for one in inner if one.name.startswith(_CUDA_LLVM)]
    if event.name != CUDA_KERNELS or not names or names[0] == _SEVERAL:
        return event
    return event._replace(stats={**event.stats, "module": names[0]})


def _module(event: Event | None) -> str:
    """The kernel that an event is for; "" if it is for none, or if that is not told."""
    if event is None:
        return ""
    if event.name.startswith(TPU_KERNEL):
        return event.name.removeprefix(TPU_KERNEL)
    return str(event.stats.get("module", "")) if event.name in (KERNEL, CUDA_KERNELS) else ""


def _phase(event: Event) -> str | None:
    if "autotun" in event.name.lower():
        return AUTOTUNING
    known = _PHASES.get(event.name)
    return known or next((phase for begin, phase in _BEGINNINGS if event.name.startswith(begin)), None)


def _of_pass(path: Sequence[Event], pipelines: Sequence[int]) -> tuple[Part, Event]:
    """Of several pipelines, one within a pass of another, the outermost tells the phase."""
    outer, inner = path[pipelines[0]], path[pipelines[-1]]
    made = (*path[pipelines[-1] :], inner)[1]
    names = [event.name for event in path[pipelines[0] + 1 :]]
    phase = FUSION if any(map(_FUSION.fullmatch, names)) else _of_pipeline(_plain(outer))
    return Part(phase, _plain(inner), made.name if made is not inner else _plain(inner)), made


def _of_pipeline(name: str) -> str:
    known = next((phase for begin, phase in _PIPELINES if name.startswith(begin)), None)
    return known or (AFTER_LAYOUT if _AFTER_LAYOUT.search(name) else BEFORE_LAYOUT)


def _pipelines(path: Sequence[Event]) -> list[int]:
    """Where on the path there are any. From 0.10 on, the name of one ends with that of the module:
    `simplification (jit_f)`. Before, it is one of those that the compiler begins itself, or within them has
    the name of the pass that it is.
    """
    found: list[int] = []
    for at, (around, event) in enumerate(pairwise(path), 1):
        if "module" in event.stats:
            is_one = event.name.endswith(f"({event.stats['module']})")
        elif found:
            is_one = event.name == around.name
        else:
            is_one = around.name in COMPILING and event.name.startswith(_FIRST)
        found += [at] if is_one else []
    return found


def _plain(pipeline: Event) -> str:
    name = pipeline.name
    return name.removesuffix(f" ({pipeline.stats['module']})") if "module" in pipeline.stats else name
