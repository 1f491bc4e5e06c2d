"""`passes` as a table: which ones changed the module, and how; and the answers to `--pass` and `--op`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jitinspect.model.readings import Found, Pass, PassesReport
from jitinspect.render.readings.pass_history import history, pass_name
from jitinspect.render.readings.percall import by_call
from jitinspect.render.text import ALL, Painter, count, cut_middle, fitted, joined

_ADDED, _REMOVED, _DIM, _BOLD = "32", "31", "2", "1"
_DIFF = {"+": _ADDED, "-": _REMOVED, "@": "36"}
_OPS, _PIPELINE, _LEAST = 20, 12, 8
"""The least columns for opcodes, pipelines and other names; a pipeline shrinks first."""
_HEAD = ("pipeline", "pass")
_ONLY = {"names": "names only", "order": "order only", "": "same op counts"}
_NAMES = ["a pass may rename an instruction", "these rows follow the name"]
_SEVERAL = ["--op with one of the names shows its history"]


def render(report: PassesReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """For each call its passes, or with `--op` the instructions; then the differences of `--pass`."""
    room = ALL if verbose else width
    for at, (heading, passes) in enumerate(by_call(report.passes, painter, room)):
        yield ("\n" if at else "") + heading
        found = [one for one in report.found if one.signature == passes[0].signature]
        if found:
            yield from _instructions(found, passes, painter, room, not report.histories)
        for one in report.histories:
            if one.signature == passes[0].signature:
                yield "\n"
                yield from history(one, painter)
        if found and report.difference is not None:
            yield "\n"
        if report.difference is not None:
            yield from _passes([one for one in passes if one.asked], painter, room, verbose, "run")
        elif not found:
            yield from _passes(passes, painter, room, verbose, "pass", "es")
    yield from (_diff_line(line, painter) for line in (report.difference or "").splitlines())


def _passes(
    passes: Sequence[Pass], painter: Painter, room: int, verbose: bool, what: str, many: str = "s"
) -> Iterator[str]:
    """The table, and the sums below it."""
    if not passes:
        return
    shown = [one for one in passes if one.changed or verbose]
    if shown:
        yield from _table(shown, painter, room)
        yield "\n"
    changed = sum(one.changed for one in passes)
    totals = [
        f"{count(len(passes), what, many=many)}, {changed or 'none'} changed the module",
        f"{passes[0].instructions_before:,} → {passes[-1].instructions_after:,} instructions",
        *([] if verbose or changed == len(passes) else ["-v shows all"]),
    ]
    yield from (painter(line, _BOLD) + "\n" for line in joined(totals, room))


def _table(passes: Sequence[Pass], painter: Painter, room: int) -> Iterator[str]:
    index = max(len(str(one.index)) for one in passes)
    before, after = (max(map(len, column)) for column in zip(*map(_counts, passes), strict=True))
    counts = max(len("instructions"), before + 3 + after)
    fixed = index + counts + 8
    pipeline, name = (max(map(len, column)) for column in zip(_HEAD, *map(_names, passes), strict=True))
    name = min(name, max(_LEAST, room - fixed - _OPS - min(pipeline, _PIPELINE)))
    pipeline = min(pipeline, max(_LEAST, room - fixed - _OPS - name))
    head = f"{'#':>{index}}  {'pipeline':<{pipeline}}  {'pass':<{name}}  {'instructions':<{counts}}  ops"
    yield painter(head, _DIM) + "\n"
    for one in passes:
        names = (
            f"{cut_middle(_names(one)[0], pipeline):<{pipeline}}  {cut_middle(_names(one)[1], name):<{name}}"
        )
        numbers = f"{_counts(one)[0]:>{before}} → {_counts(one)[1]:>{after}}"
        cells = painter(f"{names}  {numbers:<{counts}}", "" if one.changed else _DIM)
        ops = _ops(one, painter, room - fixed - pipeline - name)
        yield f"{painter(f'{one.index:>{index}}', _DIM)}  {cells}  {ops}".rstrip() + "\n"


def _names(one: Pass) -> tuple[str, str]:
    return one.pipeline, pass_name(one.pass_)


def _counts(one: Pass) -> tuple[str, str]:
    return f"{one.instructions_before:,}", f"{one.instructions_after:,}"


def _ops(one: Pass, painter: Painter, room: int) -> str:
    """`fusion +3  multiply -2`, as many as fit; the largest changes come first."""
    if not one.ops:
        return painter(_ONLY[one.only], _DIM) if one.changed else ""
    parts = [
        (f"{opcode} {number:+,}", _ADDED if number > 0 else _REMOVED) for opcode, number in one.ops.items()
    ]
    fits = _fitting([len(text) for text, _ in parts], room)
    shown = [painter(text, sgr) for text, sgr in parts[:fits]]
    return "  ".join([*shown, "…"] if fits < len(parts) else shown)


def _fitting(lengths: Sequence[int], room: int) -> int:
    """How many texts fit two columns apart, with an ellipsis behind them if some do not."""
    taken = 0
    for at, length in enumerate(lengths):
        taken += length + 2
        if taken - 2 + (3 if at + 1 < len(lengths) else 0) > room:
            return at
    return len(lengths)


def _instructions(
    found: Sequence[Found], passes: Sequence[Pass], painter: Painter, room: int, several: bool
) -> Iterator[str]:
    """A row each: the pass that added its name, and the one that removed it."""
    names = {one.index: f"{one.index} {_names(one)[1]}" for one in passes}
    rows = [("instruction", "opcode", "added by", "removed by"), *(_row(one, names) for one in found)]
    widths = fitted([max(map(len, column)) for column in zip(*rows, strict=True)], room - 6, _LEAST)
    for at, row in enumerate(rows):
        cells = (f"{cut_middle(text, width):<{width}}" for text, width in zip(row, widths, strict=True))
        line = "  ".join(cells).rstrip()
        yield (line if at else painter(line, _DIM)) + "\n"
    yield from (
        "\n",
        *(painter(line, _DIM) + "\n" for line in joined([*_NAMES, *(_SEVERAL if several else [])], room)),
    )


def _row(one: Found, names: Mapping[int, str]) -> tuple[str, str, str, str]:
    came = "(in XLA's input)" if one.first is None else names.get(one.first, "")
    return one.name, one.opcode, came, names.get(0 if one.last is None else one.last + 1, "(kept)")


def _diff_line(line: str, painter: Painter) -> str:
    if line.startswith(("--- ", "+++ ")):
        return ("\n" if line[0] == "-" else "") + painter(line, _BOLD) + "\n"
    return painter(line, _DIFF.get(line[:1], "")) + "\n"
