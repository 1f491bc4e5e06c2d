"""`passes`: what each of XLA's passes did to the module, told by the dumps of one compilation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from jitinspect.errors import UnavailableError, UsageError
from jitinspect.jaxapi.executables import dumps
from jitinspect.model import Target
from jitinspect.model.readings import Found, Pass, PassesReport
from jitinspect.readings import pass_dumps
from jitinspect.readings.pass_dumps import Dumped, Instruction, Module
from jitinspect.stages.inspection import Subject


def read(target: Target, subjects: Iterator[Subject], pass_name: str = "", op: str = "") -> PassesReport:
    """Compiles each subject once, with dumps; of its modules two at a time are held.

    `pass_name` is a pass, a pipeline (for all of its passes) or an index, `op` an opcode or the name of an
    instruction; empty, nothing is asked. Raises `UsageError` for what there is not, `CompileError` where
    XLA fails, `UnavailableError` where it leaves no dumps, or less than all of them.
    """
    report = PassesReport("passes", target, (), "" if pass_name else None)
    for subject in subjects:
        report = _with(report, subject, pass_name, op.removeprefix("%"))
    return report


def _with(report: PassesReport, subject: Subject, pass_name: str, op: str) -> PassesReport:
    """`report`, and the passes of one call."""
    signature, lowered = subject.signature, subject.pipeline.lowered
    _require_cpu(dumps.platforms(lowered))
    spans = _Spans(op)
    with dumps.passes_dumped(lowered) as folder:
        steps = list(_steps(folder, subject.dims, pass_name, spans))
    passes = tuple(replace(made, signature=signature) for made, _ in steps)
    if pass_name and not any(one.asked for one in passes):
        raise _no_pass(pass_name, passes)
    if op and not spans.seen:
        raise _no_op(op, spans)
    told = report.difference
    return replace(
        report,
        target=replace(report.target, signature=report.target.signature or signature),
        passes=(*report.passes, *passes),
        difference=None if told is None else told + "".join(text for _, text in steps),
        found=(*report.found, *spans.found(signature)),
    )


def _require_cpu(platforms: tuple[str, ...]) -> None:
    if platforms != ("cpu",):
        raise UnavailableError(
            f"passes are read on the CPU backend only, and this is lowered for {', '.join(platforms)}",
            hint="JAX_PLATFORMS=cpu shows the passes for this machine's CPU",
        )


@dataclass(slots=True)
class _Spans:
    """Which instructions of `op` were there from when to when; None is the module that XLA was given.

    `names` are all that there is, for an error that has to tell them.
    """

    op: str
    seen: dict[Instruction, tuple[int | None, int | None]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    _module: Module | None = None
    _here: list[Instruction] = field(default_factory=list)

    def take(self, index: int | None, module: Module) -> None:
        """What is there after pass `index`."""
        if self.op and module is not self._module:
            self._module = module
            self._here = [one for one in module.instructions if self.op in one]
            self.names.update(*module.instructions)
        for one in self._here:
            self.seen[one] = (self.seen.get(one, (index,))[0], index)

    def found(self, signature: str) -> Iterator[Found]:
        return (Found(*one, *span, signature) for one, span in self.seen.items())


def _steps(
    folder: Path, dims: Mapping[str, int], pass_name: str, spans: _Spans
) -> Iterator[tuple[Pass, str]]:
    """The passes in their order, each with the text of what it changed, where that was asked for."""
    files = pass_dumps.in_order(path.name for path in folder.iterdir())
    if len(files) < 2:
        raise UnavailableError("XLA has dumped none of its passes")
    module = _module(folder / files[0].file)
    spans.take(None, module)
    index = 0
    for dumped in files[1:]:
        before, module = module, _module(folder / dumped.file, module)
        if module is before and not dumped.is_pass:
            continue
        spans.take(index, module)
        made = _pass(index, dumped, before, module)
        asked = pass_name in (made.pass_, made.pipeline, str(index))
        text = pass_dumps.difference(before, module, _title(made, dims)) if asked and made.changed else ""
        yield replace(made, asked=asked), text
        index += 1


def _module(path: Path, before: Module | None = None) -> Module:
    """The module of a dump; `before` itself, where nothing differs from it."""
    text = path.read_bytes().decode(errors="replace")
    if before is not None and text == before.text:
        return before
    module = Module(text)
    if not module.whole:
        raise UnavailableError(
            f"XLA's dump {path.name} is not complete",
            hint="is the temporary folder full? TMPDIR sets another",
        )
    return module


def _pass(index: int, dumped: Dumped, before: Module, after: Module) -> Pass:
    changed = after is not before
    return Pass(
        index=index,
        pipeline=dumped.pipeline,
        pass_=dumped.pass_,
        changed=changed,
        instructions_before=len(before.instructions),
        instructions_after=len(after.instructions),
        ops=pass_dumps.ops_changed(before, after) if changed else {},
        only=pass_dumps.only(before, after) if changed else "",
    )


def _title(made: Pass, dims: Mapping[str, int]) -> str:
    """`130 fusion (simplification) B=8`, where the sizes of a sweep tell the calls apart."""
    sizes = "".join(f" {name}={size}" for name, size in dims.items())
    return f"{made.index} {made.pass_} ({made.pipeline}){sizes}"


def _no_pass(name: str, passes: tuple[Pass, ...]) -> UsageError:
    if name.isdecimal():
        return UsageError(f"--pass {name}: the passes are numbered from 0 to {len(passes) - 1}")
    known = {name for one in passes for name in (one.pass_, one.pipeline)}
    hint = _near(name, known) or "without --pass all passes are listed, with -v also those without effect"
    return UsageError(f"--pass {name}: XLA ran no such pass, and no such pipeline", hint=hint)


def _no_op(op: str, spans: _Spans) -> UsageError:
    hint = (
        _near(op, spans.names)
        or "jitinspect hlo prints the instructions; with --before, those before XLA's passes"
    )
    return UsageError(f"--op {op}: no such opcode or instruction was there after any pass", hint=hint)


def _near(name: str, known: Iterable[str]) -> str | None:
    near = get_close_matches(name, sorted(known))
    return f"did you mean {' or '.join(near)}?" if near else None
