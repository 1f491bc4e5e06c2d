"""A call log → the report: a `Call` for each row, and the totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from types import CodeType
from typing import Any

from jitinspect.calls.call_log import CallLog
from jitinspect.calls.entries import PHASES, Executable, Miss, Row, number_of
from jitinspect.jaxapi.calls import frames, proxies
from jitinspect.model import Call, CallTotals, FunctionTotals, SlowCalls
from jitinspect.process.paths import relative


def rows(call_log: CallLog) -> Iterator[Call]:
    """The calls that were kept, in the order in which they ended. After the first `most`, only `Row`s are
    kept, which have their indices, until the calls that are still in the log.
    """
    for index, entry in chain(enumerate(call_log.kept or ()), enumerate(call_log.log, call_log.offset)):
        yield call_of(call_log, entry) if isinstance(entry, Row) else _cached(call_log, index, *entry)


def _cached(
    call_log: CallLog,
    index: int,
    watched: proxies.Watched,
    code: CodeType,
    instruction: int,
    executable: Executable,
    at: str | None = None,
) -> Call:
    name, number = watched.facts.name, number_of(executable)
    signature = executable.signature if isinstance(executable, Miss) else f"{name}(…)"
    return Call(
        index=index,
        function=name,
        definition=relative(watched.facts.definition),
        at=at or relative(frames.position(code, instruction)),
        signature=call_log.verdicts.signatures.get(number or 0, signature),
        status="CACHED",
        executable=number,
    )


def call_of(call_log: CallLog, row: Row) -> Call:
    """A row of the log, as the report has it."""
    miss, raised = row.miss, row.raised
    nearest, reasons = call_log.explained(row)
    return Call(
        index=row.index,
        function=miss.facts.name,
        definition=relative(miss.facts.definition),
        at=relative(row.at),
        signature=miss.signature,
        status=miss.stages.status(),
        executable=number_of(miss.executable),
        stages=tuple(phase for phase in PHASES if phase in miss.stages.ran),
        seconds={str(phase): spent for phase, spent in miss.stages.ran.items()},
        compilations=miss.stages.compilations,
        nearest=nearest,
        reasons=reasons,
        error=raised.error if raised else None,
        traceback=raised.traceback if raised else None,
        jax_says=miss.jax_says,
    )


def function_totals(
    calls: Iterable[Call],
    folded: Mapping[tuple[str, str | None], int],
    slow: Iterable[SlowCalls],
) -> tuple[FunctionTotals, ...]:
    """One for each definition, in the order of first calls. `folded` counts cached calls without a row,
    `slow` are those that the fast path did not serve.
    """
    sums: dict[tuple[str, str | None], list[Any]] = {}
    for call in calls:
        entry = sums.setdefault((call.function, call.definition), [0, 0, 0, 0.0, 0])
        entry[0] += 1
        entry[1] += call.compilations
        entry[2] += call.status == "CACHED" and call.error is None
        entry[3] += sum(call.seconds.values())
    for (name, definition), count in folded.items():
        key = (name, relative(definition))
        entry = sums.setdefault(key, [0, 0, 0, 0.0, 0])
        entry[0] += count
        entry[2] += count
    for one in slow:
        if (key := (one.function, one.definition)) in sums:
            sums[key][4] += one.calls
    return tuple(FunctionTotals(*key, *entry) for key, entry in sums.items())


def totals(functions: Iterable[FunctionTotals], executables: int, disk_hits: int) -> CallTotals:
    """The sums over all functions."""
    listed = list(functions)
    return CallTotals(
        calls=sum(function.calls for function in listed),
        compilations=sum(function.compilations for function in listed),
        cache_entries=executables,
        cache_hits=sum(function.cache_hits for function in listed),
        disk_hits=disk_hits,
        seconds=sum(function.seconds for function in listed),
    )
