"""The roofline of `cost --target`: the least time on a device, and what it comes from."""

from __future__ import annotations

from collections.abc import Iterator

from jitinspect.model.readings import Rate, Roofline
from jitinspect.render.text import Painter, amount, count, duration, hanging, significant, size

_DIM, _BOLD, _WARN = "2", "1", "33"
BOUND_BY = {"flops": "FLOPs", "bytes": "bytes", "links": "links", None: ""}
"""What needs longest, in words."""
_UNITS = "FLOP/s"


def render(one: Roofline, painter: Painter, room: int, verbose: bool) -> Iterator[str]:
    """The bound, what each of its sides needs, and what it leaves out."""
    by = f", bound by {BOUND_BY[one.bound_by]}" if one.bound_by else ""
    yield "\n" + painter(f"on {one.device}: at least {duration(one.bound_seconds)}{by}", _BOLD) + "\n"
    rows = [*map(_of_rate, (rate for rate in one.rates if rate.seconds is not None)), _of_bytes(one)]
    rows += _of_links(one)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, number, seconds, *told in rows:
        cells = f"{name:<{widths[0]}}", f"{number:>{widths[1]}}", f"{seconds:>{widths[2]}}", *told
        yield "  ".join(cells).rstrip() + "\n"
    if one.intensity is not None and one.ridge is not None:
        yield f"intensity {significant(one.intensity)} FLOPs/byte of HBM, ridge {significant(one.ridge)}\n"
    for text, sgr in _notes(one, verbose):
        yield from (painter(line, sgr) + "\n" for line in hanging(text, room))


def _of_rate(rate: Rate) -> tuple[str, ...]:
    peak = f"at {amount(rate.per_second or 0)}{_UNITS}, the {rate.peak} peak"
    return "FLOPs", amount(rate.flops), duration(rate.seconds or 0.0), f"{peak}: {_numbers(rate)}"


def _numbers(rate: Rate) -> str:
    """`f32 products`, `f32 products of precision highest, 6 of bf16 for each`."""
    if not rate.is_product:
        return f"{rate.dtype}, outside of products"
    asked = "" if rate.precision == "default" else f" of precision {rate.precision}"
    each = f", {rate.products} of {rate.peak} for each" if rate.products > 1 else ""
    return f"{rate.dtype} products{asked}{each}"


def _of_bytes(one: Roofline) -> tuple[str, ...]:
    return "HBM", size(one.hbm_bytes), duration(one.bytes_seconds), f"at {size(one.bandwidth)}/s"


def _of_links(one: Roofline) -> Iterator[tuple[str, ...]]:
    if one.links and one.links_seconds is not None:
        speed = f"at {size(one.links.bandwidth)}/s, one way over {one.links.kind}"
        yield "links", size(one.wire_bytes), duration(one.links_seconds), speed


def _notes(one: Roofline, verbose: bool) -> Iterator[tuple[str, str]]:
    """What is not in the bound, and their colours."""
    unknown = [rate for rate in one.rates if rate.seconds is None]
    products = [rate for rate in unknown if rate.is_product]
    if products:
        yield f"FLOPs with no public peak, not in the bound: {_listed(products)}", _WARN
    others = [rate for rate in unknown if not rate.is_product]
    if others:
        yield f"FLOPs outside of products with no public peak, not in the bound: {_listed(others)}", _DIM
    if one.collectives and one.links is None:
        sent = count(len(one.collectives), "collective")
        yield f"the time that data take between devices is not in the bound: {sent}", _WARN
    assumed = f": it assumes that {', and that '.join(one.assumptions)}" if one.assumptions else ""
    yield f"a bound, not a prediction{assumed}", _DIM
    if verbose and one.source:
        yield f"peaks and bandwidth: {one.source}", _DIM
    if verbose and one.links:
        yield f"links: {one.links.source}", _DIM


def _listed(rates: list[Rate]) -> str:
    return ", ".join(f"{amount(rate.flops)} in {rate.dtype}" for rate in rates)
