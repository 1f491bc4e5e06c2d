"""`export` as text: what an exported function is, who can call it, its arguments and results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jitinspect.model.exports import Exported, ExportedArray, ExportReport
from jitinspect.render.text import ALL, Painter, count, cut_middle, hanging, shown_path, size

_BOLD, _DIM, _WARN = "1", "2", "33"
_LABEL = 14
_WINDOW = (
    "JAX promises that a JAX up to 6 months newer, and one up to 3 weeks older, than the one that wrote it "
    "can call it"
)
"""Of "Exporting and serializing staged-out computations" in JAX's documentation, seen in November 2026."""

_NOT_BY_ITSELF = "only if the caller donates as well: jax.jit(exported.call, donate_argnums=…)"
"""Seen on 0.10.2 and 0.12.0.1: the module says what is donated, and a call does not."""


def render(report: ExportReport, painter: Painter, width: int, verbose: bool) -> Iterator[str]:
    """Nothing is cut with `verbose`."""
    one, room = report.exported, ALL if verbose else width
    yield painter(f"{shown_path(one.file)}  {size(one.bytes)}", _BOLD) + "\n"
    for label, text, sgr in _facts(one):
        first, *more = hanging(text, room - _LABEL)
        yield f"{painter(f'{label:<{_LABEL}}', _DIM)}{painter(first, sgr) if sgr else first}\n"
        yield from (f"{'':<{_LABEL}}{line}\n" for line in more)
    yield "\n"
    yield from _table("argument", one.arguments, painter, room)
    yield "\n"
    yield from _table("result", one.results, painter, room)


def _facts(one: Exported) -> Iterator[tuple[str, str, str]]:
    """Labels, texts and colours."""
    yield "function", one.function, ""
    yield "platforms", ", ".join(one.platforms), ""
    yield "devices", str(one.devices), ""
    if one.dims:
        yield "dimensions", f"{', '.join(one.dims)}; of any size that the export takes", ""
    least, greatest = one.supported
    known = f"version {one.calling_convention}; this JAX calls {least} to {greatest}"
    yield "called by", known, "" if one.is_supported else _WARN
    by = f" by jax {one.written_by}" if one.written_by else ""
    yield "written", f"in form {one.schema}{by}, its module as {one.stablehlo}", ""
    yield "", _WINDOW, _DIM
    yield "gradients", "a VJP is in it" if one.has_vjp else "none: it was written without a VJP", ""
    if donated := [array.path for array in one.arguments if array.donated]:
        yield "donates", f"{', '.join(donated)}; {_NOT_BY_ITSELF}", _WARN
    yield "effects", ", ".join(one.effects) or "none", ""
    unstable = [call.name for call in one.custom_calls if not call.stable]
    stable = [call.name for call in one.custom_calls if call.stable]
    yield "custom calls", ", ".join(stable) or ("none" if not unstable else "no stable ones"), ""
    if unstable:
        yield "", f"without a promise that they go on to work: {', '.join(unstable)}", _WARN
    if one.disabled_checks:
        yield "not checked", ", ".join(one.disabled_checks), _WARN
    yield "sha256", one.sha256, _DIM


def _table(head: str, arrays: Sequence[ExportedArray], painter: Painter, room: int) -> Iterator[str]:
    if not arrays:
        yield f"no {head}s\n"
        return
    types = max(len("type"), *(len(one.type) for one in arrays))
    longest = max(len(head), *(len(one.path) for one in arrays))
    paths = min(longest, max(len(head), room - types - 24))
    yield painter(f"{head:<{paths}}  {'type':<{types}}  sharding", _DIM) + "\n"
    for one in arrays:
        where = one.sharding or ("" if one.used else "unused")
        yield f"{cut_middle(one.path, paths):<{paths}}  {one.type:<{types}}  {where}".rstrip() + "\n"
    yield painter(count(len(arrays), head), _DIM) + "\n"
