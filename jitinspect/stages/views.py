"""Parts and summaries of a stage, as a `View` asks for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from jitinspect.errors import UsageError
from jitinspect.ir import selection, shapes
from jitinspect.ir.attribution import MADE_BY_NO_LINE, Attribution, Line, attribute
from jitinspect.ir.fold import fold
from jitinspect.ir.interleave import interleave
from jitinspect.ir.outline import outline
from jitinspect.ir.program import Operation, Program
from jitinspect.ir.source_files import SourceFiles
from jitinspect.ir.text_view import TextView, parents
from jitinspect.ir.unrolled_loops import unrolled_loops
from jitinspect.model import Artifact, StageText, View
from jitinspect.model.views import Branch, LineCount, OpCount, Stats, TypeCount, Unrolled
from jitinspect.process import garbage_collection
from jitinspect.process.paths import relative
from jitinspect.stages.parsing import program
from jitinspect.stages.pipeline import Pipeline, artifact


def viewed(stage: str, pipeline: Pipeline, view: View, file: str | None) -> Artifact:
    """The stage as `view` asks to see it. `file` is the target's.

    Raises `UsageError` if nothing is selected, and the errors of the stage.
    """
    parsed = program(stage, pipeline, text=not view.stats)
    with garbage_collection.paused():
        return _viewed(Viewer(parsed, file), stage, view)


def _viewed(viewer: Viewer, stage: str, view: View) -> Artifact:
    text = "" if view.stats or view.outline else viewer.text(view)
    made = artifact(stage, StageText(text))
    return replace(
        made,
        stats=viewer.stats() if view.stats else None,
        outline=viewer.outline() if view.outline else None,
    )


class Viewer:
    """One program, and the Python code that it was made from. `file` is the target's."""

    def __init__(self, program: Program, file: str | None) -> None:
        self._program = program
        self._file = file
        self._python = SourceFiles()

    @cached_property
    def _attribution(self) -> Attribution:
        return attribute(self._program, self._file)

    def text(self, view: View) -> str:
        """The part of the text that the view shows. Raises `UsageError` if it selects nothing."""
        text_view = TextView(self._program)
        if view.selects:
            chosen = selection.with_neighbours(self._program, self._chosen(view), view.neighbours)
            text_view.show(chosen, parents(self._program, chosen))
        if view.source:
            interleave(text_view, self._attribution, self._line_text)
        if view.fold:
            fold(text_view)
        return text_view.text()

    def outline(self) -> Branch:
        """The tree of its blocks."""
        return outline(self._program)

    def stats(self) -> Stats:
        """Counts of operations, of their result types, and of the lines that made them."""
        alike = self._program.alike()
        counted = [(one, len(blocks)) for blocks in alike for one in blocks[0].operations]
        return Stats(
            operations=sum(count for _, count in counted),
            blocks=sum(map(len, alike)),
            ops=tuple(_op_counts(counted)),
            types=tuple(_type_counts(counted)),
            lines=tuple(self._line_counts()),
            unrolled=tuple(unrolled_rows(self._program, self._attribution, self._python)),
        )

    def _chosen(self, view: View) -> list[Operation]:
        """The intersection of all given selections."""
        selections = (self._by_op(view), self._by_line(view), self._by_fusion(view))
        found = [operations for operations in selections if operations is not None]
        common = set.intersection(*({id(one) for one in operations} for operations in found))
        if not common:
            raise UsageError("no operation is selected", hint="use only one of --op, --line, --fusion")
        return [one for one in found[0] if id(one) in common]

    def _by_op(self, view: View) -> list[Operation] | None:
        if view.op is None:
            return None
        found = selection.by_name(self._program, _pattern(view.op))
        if not found:
            common = Counter(operation.opcode for operation in self._program.operations()).most_common(8)
            raise UsageError(f"--op {view.op}: no such operation", hint=f"there are {_listed(common)}")
        return found

    def _by_line(self, view: View) -> list[Operation] | None:
        if view.line is None:
            return None
        file, line = line_of(view.line)
        found = selection.by_line(self._program, self._attribution, file, line)
        if not found:
            raise UsageError(
                f"--line {view.line}: no operation comes from that line", hint=self._lines_there()
            )
        return found

    def _by_fusion(self, view: View) -> list[Operation] | None:
        if view.fusion is None:
            return None
        found = selection.by_fusion(self._program, view.fusion)
        if not found:
            fusions = [one.names[0] for one in self._program.operations() if one.opcode == "fusion"]
            raise UsageError(f"--fusion {view.fusion}: no such fusion", hint=_near(view.fusion, fusions))
        return found

    def _lines_there(self) -> str:
        lines = Counter(
            line for one in self._program.operations() for line in self._attribution.lines(one)
        ).most_common(6)
        return (
            f"there are {_listed([(relative(str(line)), count) for line, count in lines])}" if lines else ""
        )

    def _line_text(self, line: Line) -> str:
        """`samples/mlp.py:12  y = x @ w`."""
        return f"{relative(str(line))}  {self._python.text_of(line)}"

    def _line_counts(self) -> Iterator[LineCount]:
        counts: Counter[Line | None] = Counter()
        for lines, count in self._attribution.counts(but=MADE_BY_NO_LINE).items():
            counts.update(dict.fromkeys(lines or (None,), count))
        for line, count in counts.most_common():
            text = self._python.text_of(line) if line is not None else ""
            yield LineCount(relative(str(line)) if line is not None else None, count, text)


def unrolled_rows(program: Program, attribution: Attribution, python: SourceFiles) -> Iterator[Unrolled]:
    """Python loops that were unrolled, the longest first."""
    for one in unrolled_loops(program, attribution, python.loop_of):
        yield Unrolled(relative(str(one.line)), one.times, one.period, python.text_of(one.line))


def line_of(text: str) -> tuple[str, int]:
    """`41` → any file's line 41; `mlp.py:41` → that file's. Raises `UsageError` for anything else."""
    file, _, number = text.rpartition(":")
    if not number.isdecimal():
        raise UsageError(f"--line {text}: this is not a line", hint="--line 41, or --line mlp.py:41")
    return file, int(number)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"--op {text}: {error}", hint="a regular expression, such as 'dot|conv'") from None


_Counted = Iterable[tuple[Operation, int]]
"""Operations, and how many there are that are alike but for names."""


def _op_counts(counted: _Counted) -> Iterator[OpCount]:
    alike: Counter[tuple[str, str]] = Counter()
    for one, count in counted:
        alike[one.opcode, one.type] += count
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for (op, type_), count in alike.items():
        counts[op] += count
        sizes[op] += count * shapes.size(type_)
    return (OpCount(op, count, sizes[op]) for op, count in counts.most_common())


def _type_counts(counted: _Counted) -> list[TypeCount]:
    """The largest first."""
    counts: Counter[str] = Counter()
    for one, count in counted:
        counts[one.type] += count
    rows = [TypeCount(type_, count, shapes.size(type_)) for type_, count in counts.items() if type_]
    return sorted(rows, key=lambda one: (-one.bytes, one.type))


def _listed(counts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts)


def _near(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1, cutoff=0.3)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {', '.join(names[:6])}{', …' if len(names) > 6 else ''}" if names else "there are none"
