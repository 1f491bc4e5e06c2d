"""Limits on a program's compilations, so that a recompile fails in CI and not in production."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jitinspect.errors import UsageError
from jitinspect.model.runs import Check, Compilation, RunReport
from jitinspect.programs.summary import is_recompile, reasons_text

MOST_CAUSES = 8
"""Causes that are listed for a limit that did not hold; the rest is counted."""


@dataclass(frozen=True, slots=True)
class MostCompiles:
    """At most `number` compilations, of one function or (None) of the whole program."""

    function: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Warmup:
    """Until when compilations are expected: the first `calls` of each function, or up to a `marker`."""

    calls: int | None = None
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user asked for; None or empty means no limit."""

    most_compiles: tuple[MostCompiles, ...] = ()
    most_seconds: float | None = None
    fail_on_recompile: bool = False
    warmup: Warmup | None = None


def parse_most_compiles(text: str) -> MostCompiles:
    """`12`, or `step=1`. Raises `UsageError`."""
    function, equals, number = text.rpartition("=")
    if not number.strip().isdecimal() or (equals and not function.strip()):
        raise UsageError(f"--max-compiles {text}: not a number", hint="--max-compiles 3, or step=1")
    return MostCompiles(function.strip() or None, int(number))


def parse_warmup(text: str) -> Warmup:
    """`10 calls`, `10`, or the name of a marker. Raises `UsageError`."""
    if found := re.fullmatch(r"(\d+)(\s*calls?)?", text.strip()):
        return Warmup(calls=int(found[1]))
    if not text.strip() or re.fullmatch(r"[+-]\d+(\s*calls?)?", text.strip()):
        raise UsageError(
            f"--warmup {text}: neither a number of calls nor a marker", hint="--warmup '10 calls'"
        )
    return Warmup(marker=text.strip())


def check_limits(
    limits: Limits, report: RunReport, late: Sequence[Compilation], reached: bool
) -> Iterator[Check]:
    """Each limit, and whether it held. `late` is what was compiled after the warm-up, `reached` whether its
    marker was reached.
    """
    for most in limits.most_compiles:
        yield _most_compiles(most, report)
    if limits.most_seconds is not None:
        spent = report.totals.seconds
        limit = f"--max-compile-seconds {limits.most_seconds:g}"
        why = f"{spent:.3g} s were spent on tracing, lowering and compiling"
        yield _check(limit, spent <= limits.most_seconds, why, report.slowest)
    if limits.fail_on_recompile:
        yield _no_recompile(limits.warmup, report, late, reached)


def _most_compiles(most: MostCompiles, report: RunReport) -> Check:
    chosen = [
        compilation for compilation in report.compilations if _matches(most.function, compilation.function)
    ]
    # the report may list only some of its compilations
    count = sum(cost.compilations for cost in report.functions if _matches(most.function, cost.function))
    limit = f"--max-compiles {most.number if most.function is None else f'{most.function}={most.number}'}"
    names = {cost.function for cost in report.functions}
    if most.function is not None and not any(_matches(most.function, name) for name in names):
        from difflib import get_close_matches

        near = get_close_matches(most.function, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return Check(limit, True, (f"no function {most.function} was compiled{hint}",))
    of_function = f" of {most.function}" if most.function else ""
    return _check(limit, count <= most.number, f"{_count(count, 'compilation')}{of_function}", chosen)


def _matches(wanted: str | None, function: str) -> bool:
    """`step` is matched by `step`, `Trainer.step`, and None."""
    return wanted is None or wanted.rpartition(".")[2] == function or wanted == function


def _no_recompile(
    warmup: Warmup | None, report: RunReport, late: Sequence[Compilation], reached: bool
) -> Check:
    """Without a warm-up each function may compile once, by its first call."""
    if warmup is None:
        recompiles = [
            compilation
            for compilation in report.compilations
            if compilation.compilations and is_recompile(compilation)
        ]
        number = report.totals.recompilations  # the report may list only some of them
        return _check("--fail-on-recompile", not number, _count(number, "recompile"), recompiles)
    if warmup.marker is not None and not reached:
        why = f"the program never reached jitinspect.mark({warmup.marker!r})"
        return Check("--fail-on-recompile", False, (why,))
    when = _count(warmup.calls or 0, "call") if warmup.marker is None else f"mark({warmup.marker!r})"
    return _check("--fail-on-recompile", not late, f"{_count(len(late), 'compilation')} after {when}", late)


def causes(compilations: Sequence[Compilation]) -> Iterator[str]:
    """A line for each: where, what, why, and how long it took."""
    compiled = [compilation for compilation in compilations if compilation.compilations]
    for compilation in compiled[:MOST_CAUSES]:
        why = reasons_text(compilation) or compilation.kind.replace("_", " ")
        place = compilation.at or compilation.definition or "?"
        what = compilation.signature or compilation.function
        yield f"{place}: {what}: {why} ({compilation.spent:.2g} s)"
    if len(compiled) > MOST_CAUSES:
        yield f"and {len(compiled) - MOST_CAUSES} more"


def _check(limit: str, held: bool, what: str, because: Sequence[Compilation]) -> Check:
    if held:
        return Check(limit, True)
    place = next(
        (compilation.at for compilation in because if is_recompile(compilation)),
        because[0].at if because else None,
    )
    return Check(limit, False, (what, *causes(because)), place)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
