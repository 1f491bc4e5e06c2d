"""The kernels of a compiled function: LLVM IR and machine code, each with the HLO instruction it is for.

XLA:CPU only. A kernel's symbol is matched with the optimized HLO of the same
compilation; a kernel that no rule matches has no instruction. Equal computations
share one kernel, whose header names all their instructions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import jax

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables import dumps
from jitinspect.model import Kernel, StageText
from jitinspect.stages.kernels import disassembly, instructions, llvm_ir
from jitinspect.stages.kernels.missing import find_missing, no_kernel_error, notes


def llvm(lowered: jax.stages.Lowered, *, optimized: bool = True, expose_library: bool = False) -> StageText:
    """Each kernel's LLVM IR, after LLVM's own passes or (`optimized=False`) before them.

    `expose_library` compiles with `jaxapi.executables.dumps.LIBRARY_OFF`: that is not
    the program that runs by default, but one in which XLA itself makes more of the
    kernels. Compiles `lowered` once more. Raises `UnavailableError` if there is no
    kernel, or no CPU; `CompileError` if XLA fails.
    """
    with dump_of(lowered, expose_library) as dump:
        return llvm_of(dump, optimized, expose_library)


@contextmanager
def dump_of(lowered: jax.stages.Lowered, expose_library: bool = False) -> Iterator[dumps.Dump]:
    """The dump that both read. Compiles; raises `UnavailableError` if there is no CPU."""
    _require_cpu(lowered)
    with dumps.dumped(lowered, library=not expose_library) as dump:
        yield dump


def llvm_of(dump: dumps.Dump, optimized: bool = True, exposed: bool = False) -> StageText:
    """The same from a dump that is there."""
    functions = [pair for module in dump.ir(optimized=optimized) for pair in llvm_ir.functions(module)]
    return _stage_text(functions, dump, exposed, "LLVM IR")


def asm(lowered: jax.stages.Lowered, *, expose_library: bool = False) -> StageText:
    """Each kernel's machine code, disassembled; otherwise like `llvm`. Needs `objdump` or `llvm-objdump`."""
    _require_cpu(lowered)
    disassembly.require_tool()
    with dump_of(lowered, expose_library) as dump:
        return asm_of(dump, expose_library)


def asm_of(dump: dumps.Dump, exposed: bool = False) -> StageText:
    """The same from a dump that is there."""
    disassembly.require_tool()
    functions = list(disassembly.functions(dump.objects()))
    return _stage_text(functions, dump, exposed, "object code")


def why_no_llvm() -> str | None:
    """Why this process's default backend has no LLVM IR; None if it does."""
    backend = jax.default_backend()
    return None if backend == "cpu" else f"kernels are read on the CPU backend only; this is {backend}"


def why_no_asm() -> str | None:
    """The same for machine code."""
    return why_no_llvm() or (None if disassembly.tool() else disassembly.NO_TOOL)


def _require_cpu(lowered: jax.stages.Lowered) -> None:
    lowered_for = dumps.platforms(lowered)
    if lowered_for != ("cpu",):
        raise UnavailableError(
            f"kernels are read on the CPU backend only, but this is lowered for {', '.join(lowered_for)}",
            hint="JAX_PLATFORMS=cpu shows what XLA makes of the function for this machine's CPU",
        )


def _stage_text(functions: list[tuple[str, str]], dump: dumps.Dump, exposed: bool, wanted: str) -> StageText:
    module = instructions.parse(dump.hlo)
    kernels = _in_execution_order(functions, module)
    named = {kernel.instruction for kernel in kernels if kernel.instruction}
    missing = find_missing(module, named)
    if not kernels:
        raise no_kernel_error(missing, exposed, wanted)
    text = "\n\n".join(f"{_header(kernel, missing.shared)}\n{kernel.text}" for kernel in kernels)
    return StageText(text, kernels, notes(missing, exposed, dump.refused))


def _header(kernel: Kernel, shared: Mapping[str, tuple[str, ...]]) -> str:
    if kernel.instruction is None:
        return f"; kernel {kernel.name}"
    also = "".join(f", %{name}" for name in shared.get(kernel.instruction, ()))
    names = (
        f"HLO instructions %{kernel.instruction}{also}" if also else f"HLO instruction %{kernel.instruction}"
    )
    return f"; kernel {kernel.name}  ({names})"


def _in_execution_order(
    functions: Iterable[tuple[str, str]], module: instructions.Module
) -> tuple[Kernel, ...]:
    """Sorted by when their instructions run; those whose instruction is not known come last."""
    position = {instruction.name: at for at, instruction in enumerate(module.executed())}
    kernels = [Kernel(name, _instruction(name, module, position), text) for name, text in functions]
    last = len(position)
    return tuple(sorted(kernels, key=lambda kernel: position.get(kernel.instruction or "", last)))


def _instruction(symbol: str, module: instructions.Module, executed: Iterable[str]) -> str | None:
    """The instruction whose code `symbol` is.

    Seen on jaxlib 0.10.2 and 0.12.0: a fusion's kernel has the fusion's name; that
    of a `dot`, or of a `call` compiled as one, has `_kernel` appended; a sort's
    comparator has the name of the computation. Mach-O puts `_` before each symbol.
    """
    names = set(executed)
    spellings = [spelling for prefix in ("", "_") for spelling in _spellings(symbol, prefix)]
    for spelling in spellings:
        if spelling in names:
            return spelling
    return next(filter(None, (module.caller(spelling, names) for spelling in spellings)), None)


def _spellings(symbol: str, prefix: str) -> list[str]:
    name = symbol.removeprefix(prefix)
    return [name, name.removesuffix("_kernel")]
