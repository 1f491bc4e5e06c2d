"""`passes`: what each of XLA's passes did to the module, according to the dumps of one compilation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from jitinspect.errors import UnavailableError, UsageError
from jitinspect.ir.readable_hlo import without_metadata
from jitinspect.jaxapi.executables import dumps
from jitinspect.model import Target
from jitinspect.model.readings import Found, Pass, PassesReport
from jitinspect.readings import pass_dumps
from jitinspect.readings.pass_dumps import DumpedModule, Instruction, PassDump
from jitinspect.stages.inspection import Subject


def read(target: Target, subjects: Iterator[Subject], pass_name: str = "", op: str = "") -> PassesReport:
    """Compiles each subject once, with dumps; keeps only two modules in memory at a time.

    `pass_name` is a pass, a pipeline (for all of its passes) or an index, `op` an opcode or the name of an
    instruction; either may be empty. Raises `UsageError` for one that does not exist, `CompileError` if
    XLA fails, `UnavailableError` if it writes no dumps, or not all of them.
    """
    report = PassesReport("passes", target, (), "" if pass_name else None)
    for subject in subjects:
        report = _with(report, subject, pass_name, op.removeprefix("%"))
    return report


def _with(report: PassesReport, subject: Subject, pass_name: str, op: str) -> PassesReport:
    """`report` with the passes of one more call."""
    signature, pipeline = subject.signature, subject.pipeline
    if pipeline.has_lowered and not report.target.devices:
        _require_cpu(dumps.platforms(pipeline.lowered))
    lifetimes = _Lifetimes(op)
    with pipeline.passes_dumped() as files:
        steps = list(_steps(files, subject.dims, pass_name, lifetimes))
    passes = tuple(replace(made, signature=signature) for made, _ in steps)
    if pass_name and not any(one.asked for one in passes):
        raise _no_pass(pass_name, passes)
    if op and not lifetimes.by_instruction:
        raise _no_op(op, lifetimes)
    difference = report.difference
    return replace(
        report,
        target=replace(report.target, signature=report.target.signature or signature),
        passes=(*report.passes, *passes),
        difference=None if difference is None else difference + "".join(text for _, text in steps),
        found=(*report.found, *lifetimes.found(signature)),
    )


def _require_cpu(platforms: tuple[str, ...]) -> None:
    if platforms != ("cpu",):
        raise UnavailableError(
            f"passes are read on the CPU backend only, but this is lowered for {', '.join(platforms)}",
            hint="JAX_PLATFORMS=cpu shows the passes for this machine's CPU",
        )


@dataclass(slots=True)
class _Lifetimes:
    """The passes after which each instruction that matches `op` first and last existed; None is the module
    that XLA was given. `names` are all names and opcodes, for error messages.
    """

    op: str
    by_instruction: dict[Instruction, tuple[int | None, int | None]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    _module: DumpedModule | None = None
    _matching: list[Instruction] = field(default_factory=list)

    def add(self, index: int | None, module: DumpedModule) -> None:
        """Take in the module as it is after pass `index`."""
        if self.op and module is not self._module:
            self._module = module
            self._matching = [one for one in module.instructions if self.op in one]
            self.names.update(*module.instructions)
        for one in self._matching:
            self.by_instruction[one] = (self.by_instruction.get(one, (index,))[0], index)

    def found(self, signature: str) -> Iterator[Found]:
        return (Found(*one, *lifetime, signature) for one, lifetime in self.by_instruction.items())


def _steps(
    paths: Mapping[str, Path], dims: Mapping[str, int], pass_name: str, lifetimes: _Lifetimes
) -> Iterator[tuple[Pass, str]]:
    """The passes in order, each with a diff of what it changed if `pass_name` asks for that."""
    files = pass_dumps.in_order(paths)
    if len(files) < 2:
        raise UnavailableError("XLA dumped none of its passes")
    module = _module(paths[files[0].file])
    lifetimes.add(None, module)
    index = 0
    for dumped in files[1:]:
        before, module = module, _module(paths[dumped.file], module)
        if module is before and not dumped.is_pass:
            continue
        lifetimes.add(index, module)
        made = _pass(index, dumped, before, module)
        asked = pass_name in (made.pass_, made.pipeline, str(index))
        text = pass_dumps.difference(before, module, _title(made, dims)) if asked and made.changed else ""
        yield replace(made, asked=asked), text
        index += 1


def _module(path: Path, before: DumpedModule | None = None) -> DumpedModule:
    """The module of a dump; `before` itself if the text is the same."""
    text = without_metadata(path.read_bytes().decode(errors="replace"))
    if before is not None and text == before.text:
        return before
    module = DumpedModule(text)
    if not module.is_complete:
        raise UnavailableError(
            f"XLA's dump {path.name} is incomplete",
            hint="is the disk for temporary files full? Set TMPDIR to another folder",
        )
    return module


def _pass(index: int, dumped: PassDump, before: DumpedModule, after: DumpedModule) -> Pass:
    changed = after is not before
    return Pass(
        index=index,
        pipeline=dumped.pipeline,
        pass_=dumped.pass_,
        changed=changed,
        instructions_before=len(before.instructions),
        instructions_after=len(after.instructions),
        ops=pass_dumps.ops_changed(before, after) if changed else {},
        only=pass_dumps.trivial_change(before, after) if changed else "",
    )


def _title(made: Pass, dims: Mapping[str, int]) -> str:
    """`130 fusion (simplification) B=8`, in which the sizes of a sweep distinguish the calls."""
    sizes = "".join(f" {name}={size}" for name, size in dims.items())
    return f"{made.index} {made.pass_} ({made.pipeline}){sizes}"


def _no_pass(name: str, passes: tuple[Pass, ...]) -> UsageError:
    if name.isdecimal():
        return UsageError(f"--pass {name}: the passes are numbered from 0 to {len(passes) - 1}")
    known = {name for one in passes for name in (one.pass_, one.pipeline)}
    hint = _near(name, known) or "leave out --pass to list all passes; -v includes those without effect"
    return UsageError(f"--pass {name}: XLA ran no such pass or pipeline", hint=hint)


def _no_op(op: str, lifetimes: _Lifetimes) -> UsageError:
    hint = _near(op, lifetimes.names) or (
        "jitinspect hlo prints the instructions; with --before, those that XLA is given"
    )
    return UsageError(f"--op {op}: no such opcode or instruction after any pass", hint=hint)


def _near(name: str, known: Iterable[str]) -> str | None:
    near = get_close_matches(name, sorted(known))
    return f"did you mean {' or '.join(near)}?" if near else None
