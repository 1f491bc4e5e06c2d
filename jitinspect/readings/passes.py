"""`passes`: what each of XLA's passes did to the module, according to the dumps of one compilation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from jitinspect.errors import UsageError
from jitinspect.model import Target
from jitinspect.model.readings import Found, Pass, PassesReport
from jitinspect.readings import pass_dumps
from jitinspect.readings.dumped_modules import (
    DumpedModule,
    Instruction,
    difference,
    ops_changed,
    trivial_change,
)
from jitinspect.readings.explore import exploration
from jitinspect.readings.pass_dumps import Ran
from jitinspect.readings.pass_histories.recorder import Recorder
from jitinspect.stages.inspection import Subject


def read(
    target: Target, subjects: Iterator[Subject], pass_name: str = "", op: str = "", page: bool = False
) -> PassesReport:
    """Compiles each subject once, with dumps; keeps only two modules in memory at a time.

    `pass_name` is a pass, a pipeline (for all of its passes) or an index, `op` an opcode or the name of an
    instruction, whose history is told; either may be empty. For a `page` the report has an exploration of the
    first subject, with the history of all its instructions.

    Raises `UsageError` for a name that does not exist, `CompileError` if XLA fails, `UnavailableError` if it
    writes no dumps, or not all of them.
    """
    report = PassesReport("passes", target, (), "" if pass_name else None)
    for subject in subjects:
        explored = page and report.exploration is None
        report = _with(report, subject, pass_name, op.removeprefix("%"), explored)
    return report


def _with(report: PassesReport, subject: Subject, pass_name: str, op: str, explored: bool) -> PassesReport:
    """`report` with the passes of one more call."""
    signature = subject.signature
    lifetimes, recorder = _Lifetimes(op), Recorder() if op or explored else None
    with pass_dumps.passes_of(subject.pipeline, report.target, recorder is not None) as all_ran:
        steps = list(_steps(_watched(all_ran, lifetimes, recorder), subject.dims, pass_name))
    passes = tuple(replace(made, signature=signature) for made, _ in steps)
    if pass_name and not any(one.asked for one in passes):
        raise _no_pass(pass_name, passes)
    if op and not lifetimes:
        raise _no_op(op, recorder.words if recorder else ())
    told = report.difference
    report = replace(
        report,
        target=replace(report.target, signature=report.target.signature or signature),
        passes=(*report.passes, *passes),
        difference=None if told is None else told + "".join(text for _, text in steps),
        found=(*report.found, *lifetimes.found(signature)),
    )
    return report if recorder is None else _with_history(report, subject, recorder, lifetimes, explored)


def _with_history(
    report: PassesReport, subject: Subject, recorder: Recorder, lifetimes: _Lifetimes, explored: bool
) -> PassesReport:
    """That of the instruction that is asked for, and for a page those of all."""
    one = recorder.histories().of(lifetimes.only) if lifetimes.only else None
    if one is not None:
        report = replace(report, histories=(*report.histories, replace(one, signature=subject.signature)))
    if not explored:
        return report
    with subject.muted():
        made = exploration(subject, report.target.file, recorder=recorder)
    return replace(report, exploration=made)


class _Lifetimes:
    """The passes after which each instruction that matches `op` first and last existed; None is the module
    that XLA was given.
    """

    def __init__(self, op: str) -> None:
        self._op = op
        self._first: dict[Instruction, int | None] = {}
        self._last: dict[Instruction, int | None] = {}
        self._module: DumpedModule | None = None
        self._matching: list[Instruction] = []

    def add(self, index: int | None, module: DumpedModule) -> None:
        """Take in the module as it is after pass `index`."""
        if self._op and module is not self._module:
            self._module = module
            self._matching = [one for one in module.instructions if self._op in one]
            self._first = self._first | {one: index for one in self._matching if one not in self._first}
        self._last.update(dict.fromkeys(self._matching, index))

    def __bool__(self) -> bool:
        """Whether any matches."""
        return bool(self._first)

    @property
    def only(self) -> str:
        """The name of the one instruction that is asked for; "" if that may be several."""
        names = dict.fromkeys(name for name, _ in self._first)
        return self._op if self._op in names else next(iter(names)) if len(names) == 1 else ""

    def found(self, signature: str) -> Iterator[Found]:
        return (Found(*one, first, self._last[one], signature) for one, first in self._first.items())


def _steps(all_ran: Iterable[Ran], dims: Mapping[str, int], pass_name: str) -> Iterator[tuple[Pass, str]]:
    """The passes in order, each with a diff of what it changed if `pass_name` asks for that."""
    for one in all_ran:
        made = _pass(one)
        asked = pass_name in (made.pass_, made.pipeline, str(made.index))
        shown = asked and made.changed
        text = difference(one.before, one.after, _title(made, dims)) if shown else ""
        yield replace(made, asked=asked), text


def _watched(all_ran: Iterable[Ran], lifetimes: _Lifetimes, recorder: Recorder | None) -> Iterator[Ran]:
    """The same passes, which the others take in as well."""
    for one in all_ran:
        if one.index == 0:
            lifetimes.add(None, one.before)
        lifetimes.add(one.index, one.after)
        if recorder:
            recorder.add(one)
        yield one


def _pass(ran: Ran) -> Pass:
    before, after = ran.before, ran.after
    changed = after is not before
    return Pass(
        index=ran.index,
        pipeline=ran.dumped.pipeline,
        pass_=ran.dumped.pass_,
        changed=changed,
        instructions_before=before.ops.total(),
        instructions_after=after.ops.total(),
        ops=ops_changed(before, after) if changed else {},
        only=trivial_change(before, after) if changed else "",
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


def _no_op(op: str, known: Iterable[str]) -> UsageError:
    hint = _near(op, known) or (
        "jitinspect hlo prints the instructions; with --before, those that XLA is given"
    )
    return UsageError(f"--op {op}: no such opcode or instruction after any pass", hint=hint)


def _near(name: str, known: Iterable[str]) -> str | None:
    near = get_close_matches(name, sorted(known))
    return f"did you mean {' or '.join(near)}?" if near else None
