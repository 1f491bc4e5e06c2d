"""`fit` as text: whether it fits, what takes the memory at the peak, and the search for the largest size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jitinspect.model.fit import Fit, FitReport, FitStep, LiveBuffer
from jitinspect.render.readings.columns import Row, table
from jitinspect.render.text import ALL, Painter, count, cut_middle, hanging, joined, shown_path, size

_DIM, _BOLD, _FITS, _REFUSED, _WARN = "2", "1", "32", "31", "33"
_MOST = 10
"""Rows of a table, unless verbose."""
_UNLIKE = 0.01
"""By what part XLA's own peak has to differ to be mentioned."""


def render(report: FitReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """One call on one device in full; several as a table, and with `-v` each in full."""
    room = ALL if verbose else width
    if len(report.fit) == 1:
        yield from _fit(report.fit[0], painter, room, verbose)
        return
    yield from _table(report.fit, painter, room)
    if not verbose:
        yield painter("\nno device was involved; -v shows what takes the memory of each\n", _DIM)
        return
    for one in report.fit:
        yield "\n"
        yield from _fit(one, painter, room, verbose)


def step_line(target: str, dim: str, step: FitStep) -> str:
    """What became of one size, while the search goes on: `v5e  B=64  fits  3.2 GB of 16.9 GB`."""
    verdict = "fits" if step.fits else "does not fit"
    return f"{target}  {dim}={step.size:,}  {verdict}  {_size(step.needed_bytes)} of {size(step.limit_bytes)}"


def _table(fits: Sequence[Fit], painter: Painter, room: int) -> Iterator[str]:
    names = tuple(dict.fromkeys(name for one in fits for name in one.dims if name != one.searched))
    searched = next((one.searched for one in fits if one.searched), None)
    heads = (*names, "needs", "of", "left", *((f"largest {searched}",) if searched else ()), "", "target")
    rows = [(_summary(one, names), "" if one.fits else _REFUSED) for one in fits]
    yield from table(heads, 2, rows, painter, room)


def _summary(one: Fit, names: Sequence[str]) -> tuple[str, ...]:
    largest = (_largest(one),) if one.searched else ()
    sizes = tuple(f"{one.dims.get(name, '')}" for name in names)
    needs = _size(one.needed_bytes), size(one.limit_bytes), _size(one.left_bytes)
    return *sizes, *needs, *largest, "fits" if one.fits else "does not fit", one.target


def _largest(one: Fit) -> str:
    return "none" if one.largest is None else f"{one.largest[one.searched or '']:,}"


def _fit(one: Fit, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    yield painter(cut_middle(one.signature, room), _BOLD) + "\n"
    yield painter(_verdict(one), f"1;{_FITS if one.fits else _REFUSED}") + "\n"
    if one.searched:
        yield from _search(one, painter, room)
    for name, parts in _facts(one):
        for at, line in enumerate(joined(parts, room - 16)):
            yield f"{'' if at else name:<14}  {line}\n"
    for text, sgr in _notes(one):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, room))
    yield from _buffers(one, painter, room, ALL if verbose else _MOST)


def _verdict(one: Fit) -> str:
    """`fits on v5e: 13.9 GB of 16.9 GB, 2.95 GB left`."""
    verdict = f"{'fits on' if one.fits else 'does not fit on'} {one.target}"
    if one.needed_bytes is None:
        return f"{verdict}, which has {size(one.limit_bytes)}"
    used = f"{verdict}: {size(one.needed_bytes)} of {size(one.limit_bytes)}"
    if one.left_bytes is None:
        return used
    return used + (f", {size(one.left_bytes)} left" if one.left_bytes >= 0 else _excess(-one.left_bytes))


def _excess(bytes_: int) -> str:
    return f", {size(bytes_)} too much"


def _search(one: Fit, painter: Painter, room: int) -> Iterator[str]:
    """All sizes that were tried, the smallest first, and what they tell."""
    rows = [_tried(step) for step in sorted(one.steps, key=lambda step: step.size)]
    yield from table((one.searched or "", "needs", "left", ""), 1, rows, painter, room)
    yield painter(f"{_answer(one)}; {count(len(one.steps), 'size')} compiled", _BOLD) + "\n"


def _answer(one: Fit) -> str:
    if one.largest is None:
        return f"not even {one.searched}={one.refused_size} fits"
    found = f"the largest {one.searched} is {_largest(one)}"
    return found + (f"; {one.refused_size:,} does not fit" if one.refused_size else ", the last of the range")


def _tried(step: FitStep) -> Row:
    left = None if step.needed_bytes is None else step.limit_bytes - step.needed_bytes
    cells = f"{step.size:,}", _size(step.needed_bytes), _size(left), "fits" if step.fits else "does not fit"
    return cells, _FITS if step.fits else _REFUSED


def _facts(one: Fit) -> Iterator[tuple[str, list[str]]]:
    """A name, and what is known under it."""
    if one.argument_bytes is not None:
        yield "memory", list(_memory(one))
    if one.peak_bytes is not None:
        yield "peak", [size(one.peak_bytes), *_moment(one)]
    if one.rematerialized:
        total = sum(row.bytes for row in one.rematerialized)
        instructions = sum(len(row.instructions) for row in one.rematerialized)
        lines = ", ".join(shown_path(row.line) for row in one.rematerialized if row.line)
        yield "rematerialized", [count(instructions, "instruction"), size(total), *([lines] if lines else [])]
    if one.collectives:
        sent = f"{size(one.wire_bytes or 0)} moved to other devices, if rings carry it"
        yield "collectives", [f"{one.collectives:,}", sent]
    if one.elsewhere:
        yield "elsewhere", [f"{size(bytes_)} in {name}" for name, bytes_ in one.elsewhere.items()]


def _memory(one: Fit) -> Iterator[str]:
    for bytes_, word in (
        (one.argument_bytes, "arguments"),
        (one.output_bytes, "outputs"),
        (one.temporary_bytes, "temporaries"),
        (one.constant_bytes, "constants"),
        (one.code_bytes, "code"),
    ):
        if bytes_:
            yield f"{size(bytes_)} {word}"
    if one.aliased_bytes:
        yield f"{size(one.aliased_bytes)} aliased (donated and reused)"


def _moment(one: Fit) -> Iterator[str]:
    if one.moment:
        yield f"at step {one.moment.step:,} of {one.moment.steps:,}"
        yield one.moment.instruction
        if one.moment.line:
            yield shown_path(one.moment.line)


def _notes(one: Fit) -> Iterator[tuple[str, str]]:
    """Notes, and their colours."""
    if one.refusal:
        yield f"the compiler says: {one.refusal.message}", _REFUSED
    if one.unknown:
        yield f"no buffers: {one.unknown}", _WARN
    if one.unused_bytes and one.needed_bytes and one.unused_bytes > _UNLIKE * one.needed_bytes:
        yield (
            (
                f"{size(one.unused_bytes)} are reserved but empty at the peak: gaps between temporaries, "
                "where no other fits"
            ),
            _WARN,
        )
    if one.fits and one.taken_bytes is not None and (one.needed_bytes or 0) > one.taken_bytes:
        taken = f"JAX takes {size(one.taken_bytes)} of it by default"
        yield f"{taken}: XLA_PYTHON_CLIENT_MEM_FRACTION=.95 lets it have more", _WARN
    yield from ((text, _WARN) for text in _about_xla(one))
    if one.devices > 1:
        yield f"all numbers are those of one device, of the {one.devices:,} that it runs on", _DIM
    yield from _about_compiling(one)


def _about_xla(one: Fit) -> Iterator[str]:
    """XLA's own peak has the temporaries of one memory, of whichever has more. On TPUs that may be VMEM."""
    own, peak = one.xla.get("peak"), one.peak_bytes
    if peak is None:
        return
    if own is not None and abs(own - peak) > _UNLIKE * own:
        yield f"XLA's peak_memory_in_bytes is {size(own)}: it counts VMEM, which is left out here"
    elif own is None and one.elsewhere.get("VMEM", 0) > _temporaries(one, peak):
        yield "XLA's peak_memory_in_bytes would count VMEM, which is left out here"


def _temporaries(one: Fit, peak: int) -> int:
    """Those that are alive at the peak."""
    others = (one.argument_bytes or 0) + (one.output_bytes or 0) + (one.constant_bytes or 0)
    return peak - others + (one.aliased_bytes or 0)


def _about_compiling(one: Fit) -> Iterator[tuple[str, str]]:
    if one.as_compiled:
        yield f"as it was compiled: the compiler for {one.target} was not asked, and may differ", _DIM
        return
    if one.full:
        yield f"compiled for {one.target} to the end; no device was involved", _DIM
        return
    stage = "until memory was assigned (--full: to the end)"
    yield f"compiled for {one.target} {stage}; no device was involved", _DIM
    if not one.certain:
        yield "machine code is not counted, and may decide here: --full makes sure", _WARN
    if any(not step.certain for step in one.steps if step.size == one.refused_size):
        over = f"{one.searched}={one.refused_size:,}"
        yield f"{over} is over by less than is known of the limit: --full makes sure", _WARN


def _buffers(one: Fit, painter: Painter, room: int, most: int) -> Iterator[str]:
    """The largest at the peak, and the sum of the others."""
    if not one.buffers:
        return
    yield "\n" + painter("buffers at the peak", _BOLD) + "\n"
    heads = ("bytes", "alive", "kind", "type", "argument", "line")
    rows = [(_buffer(buffer), "" if buffer.is_alive else _DIM) for buffer in one.buffers[:most]]
    yield from table(heads, 4, rows, painter, room)
    if left := one.buffers[most:]:
        total = size(sum(buffer.bytes for buffer in left))
        yield painter(f"… and {len(left):,} more, {total}", _DIM) + "\n"


def _buffer(one: LiveBuffer) -> tuple[str, ...]:
    alive = f"{one.live[0]}-{one.live[1]}" if one.live else "?"
    kind = one.kind if one.is_alive else f"{one.kind}, kept"
    return size(one.bytes), alive, kind, one.type, one.argument or "", shown_path(one.line or "")


def _size(bytes_: int | None) -> str:
    if bytes_ is None:
        return "?"
    return size(bytes_) if bytes_ >= 0 else f"-{size(-bytes_)}"
