"""Which instructions have no kernel, and why, so that none is left out silently."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from jitinspect.errors import UnavailableError
from jitinspect.jaxapi.executables.dumps import LIBRARY_OFF
from jitinspect.stages.kernels.instructions import CONTROL_FLOW, Instruction, Module

EXPOSE = "--no-library"
"""The command-line option that makes XLA generate these kernels itself."""

LISTED = 8
"""How many instructions of each kind are named."""

_WITHOUT_CODE = CONTROL_FLOW | {
    *("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "opt-barrier", "add-dependency"),
    *("after-all", "async-update", "async-done", "domain", "copy", "copy-start", "copy-done"),
}
"""Opcodes that the runtime handles by passing pointers or copying memory."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Instructions that run without a kernel of their own.

    `library`: fusions formed for a library, and matrix products; `runtime`: custom
    calls and anything else for which XLA:CPU's runtime has its own code; `not_found`:
    fusions whose kernel must exist but was not in the dump; `shared`: instruction
    with a kernel → the other instructions that run the same kernel.
    """

    library: tuple[Instruction, ...]
    runtime: tuple[Instruction, ...]
    not_found: tuple[Instruction, ...]
    shared: Mapping[str, tuple[str, ...]]


def find_missing(module: Module, with_kernel: Collection[str]) -> Missing:
    """Sort the instructions that run and are not in `with_kernel`."""
    executed = module.executed(with_kernel)
    kernel_for = {
        work: instruction.name
        for instruction in executed
        if instruction.name in with_kernel and (work := module.shape_of_work(instruction))
    }
    groups: dict[str, list[Instruction]] = {"library": [], "runtime": [], "not_found": []}
    shared: dict[str, tuple[str, ...]] = {}
    for instruction in executed:
        if instruction.name in with_kernel or instruction.opcode in _WITHOUT_CODE:
            continue
        if twin := kernel_for.get(module.shape_of_work(instruction) or ""):
            shared[twin] = (*shared.get(twin, ()), instruction.name)
        else:
            groups[_group(instruction)].append(instruction)
    return Missing(tuple(groups["library"]), tuple(groups["runtime"]), tuple(groups["not_found"]), shared)


def _group(instruction: Instruction) -> str:
    if instruction.opcode == "fusion":
        return "library" if instruction.target else "not_found"
    return "library" if instruction.opcode == "dot" else "runtime"


def notes(missing: Missing, exposed: bool, refused: Collection[str]) -> tuple[str, ...]:
    """`exposed`: XLA was asked to make the kernels itself; `refused`: options that it did not know."""
    return (*(_compiled_how(refused) if exposed else ()), *_reasons(missing, exposed))


def no_kernel_error(missing: Missing, exposed: bool, wanted: str) -> UnavailableError:
    """The error for a program that has no kernel at all."""
    hint = f"{EXPOSE} compiles without the library" if missing.library and not exposed else None
    reasons = "\n".join(_reasons(missing, exposed)) or None
    if missing.not_found:
        message = f"XLA wrote no {wanted}"
    elif reasons:
        message = f"no {wanted}: no part of the program runs in kernels that XLA makes"
    else:
        message = f"no {wanted}: the program only returns or copies its arguments and constants"
    return UnavailableError(message, hint=hint, detail=reasons)


def _compiled_how(refused: Collection[str]) -> Iterator[str]:
    used = [f"{name}={value!r}" for name, value in LIBRARY_OFF.items() if name not in refused]
    if used:
        yield f"compiled with {', '.join(used)}: not the kernels that run by default"
    yield from (f"this XLA has no option {name}" for name in LIBRARY_OFF if name in refused)


def _reasons(missing: Missing, exposed: bool) -> Iterator[str]:
    if missing.library:
        still = "still " if exposed else ""
        way = "" if exposed else f"; {EXPOSE} shows the kernels where XLA can make them itself"
        yield f"{still}handed to a library, not compiled to a kernel by XLA: {_listed(missing.library)}{way}"
    if missing.runtime:
        yield f"no kernel, done by a library or XLA's runtime: {_listed(missing.runtime)}"
    if missing.not_found:
        yield f"not found in XLA's dump: {_listed(missing.not_found)}"


def _listed(instructions: Collection[Instruction]) -> str:
    """`%ynn_fusion, %ynn_fusion.1 (__ynn_fusion), %dot.3 (dot)`: names grouped by kind."""
    kinds: dict[str, list[str]] = {}
    for instruction in instructions:
        kinds.setdefault(instruction.target or instruction.opcode, []).append(f"%{instruction.name}")
    return ", ".join(f"{_first(names)} ({kind})" for kind, names in kinds.items())


def _first(names: list[str]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")
