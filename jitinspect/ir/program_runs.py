"""The runs of compiled programs that a recording holds: when each of their operations ran.

An event of an operation has the statistics `hlo_op`, `hlo_module` and `program_id`, and on a CPU `run_id` and
`device_ordinal` (0.8.3 to 0.12.0.1). There it may end when the operation has only been launched: its true end
is an event `end: NAME`, often on another thread, where the rest of the program then goes on, and operations
may run at the same time. So what ran inside what is told by the program and by times, not by threads.

On a TPU's plane the line `XLA Ops` has the operations, and `XLA Modules` the runs, such as `jit_f(20)`; the
streams of a GPU have kernels, which name their operation. Both are by XLA's sources and were not tried.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jitinspect.ir.trace import Event, Track

_CPU = "CPU"
_END = "end: "
_REGION = "ThreadpoolListener::StartRegion"
_CONTROL = re.compile(r"(while|cond|conditional|call)\b")
_DEVICE_PLANE = re.compile(r"/device:(\w+:\d+)")
_OPS, _MODULES = "XLA Ops", "XLA Modules"
_MODULE_RUN = re.compile(r"(.+)\((\d+)\)$")
_INSTRUCTION = re.compile(r"%?([\w.\-]+)")


class Execution(NamedTuple):
    """One execution of the operation `op`, named as in the program's HLO: from `start` to its true `end`,
    which was `recorded` later.
    """

    op: str
    start: float
    end: float
    recorded: float
    track: str

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(slots=True)
class ProgramRun:
    """One run of a program on one device, with its executions in the order of their starts. `program` is its
    number in the recording, None if the events have none; `device` is such as `CPU:0`. `number` is that of
    the run in its process, also in another recording that has the rest of it; None if that is not told.
    """

    program: int | None
    module: str
    device: str
    executions: list[Execution] = field(default_factory=list)
    number: int | None = None

    @property
    def start(self) -> float:
        return self.executions[0].start

    @property
    def end(self) -> float:
        return max(one.end for one in self.executions)


_Key = tuple[object, object, object, object]
"""Program, module, device, run."""


class _Telling:
    """Events of a CPU, and those of GPUs' streams: they say themselves what they are of."""

    def __init__(self, track: Track) -> None:
        device = _DEVICE_PLANE.search(track.plane)
        self._device = device[1] if device else None

    def __call__(self, event: Event) -> tuple[_Key, str] | None:
        stats = event.stats
        if "hlo_op" not in stats:
            return None
        device = self._device or f"{_CPU}:{stats.get('device_ordinal', 0)}"
        run = stats.get("run_id", stats.get("group_id"))
        return (stats.get("program_id"), stats.get("hlo_module", ""), device, run), str(stats["hlo_op"])


class _Listed:
    """Events of a line `XLA Ops`: the run is that of the line `XLA Modules` which is under way."""

    def __init__(self, device: str, modules: Sequence[Event]) -> None:
        self._device = device
        self._modules = modules
        self._starts = [one.start for one in modules]

    def __call__(self, event: Event) -> tuple[_Key, str] | None:
        at = bisect_right(self._starts, event.start) - 1
        named = _INSTRUCTION.match(str(event.stats.get("hlo_op", event.name)))
        if at < 0 or named is None:
            return None
        module = _MODULE_RUN.match(self._modules[at].name)
        name, number = (module[1], int(module[2])) if module else (self._modules[at].name, None)
        return (event.stats.get("program_id", number), name, self._device, at), named[1]


def _operations(track: Track, tracks: Sequence[Track]) -> Iterator[tuple[_Key, str, Event]]:
    """The events of operations, with the run and the name of each. Where a plane has a line for them, its
    others tell of the same in other ways.
    """
    device = _DEVICE_PLANE.search(track.plane)
    lines = {one.name: one for one in tracks if one.plane == track.plane}
    if device is not None and _OPS in lines and track.name != _OPS:
        return
    modules = lines[_MODULES].events if _MODULES in lines else ()
    find = _Listed(device[1], modules) if device and modules else _Telling(track)
    for event in track.events:
        if (found := find(event)) is not None:
            yield *found, event


def program_runs(tracks: Sequence[Track]) -> list[ProgramRun]:
    """In the order of their starts. The ends of control flow are not yet right: see `settled`."""
    runs: dict[_Key, ProgramRun] = {}
    found = [list(_operations(track, tracks)) for track in tracks]
    ends = _Ends(tracks, found)
    for track, operations in zip(tracks, found, strict=True):
        for key, op, event in operations:
            run = runs.setdefault(key, ProgramRun(_number(key[0]), str(key[1]), str(key[2])))
            run.number = _number(event.stats.get("run_id"))
            run.executions.append(Execution(op, event.start, *ends.of(event), track.name))
    for run in runs.values():
        run.executions.sort(key=lambda one: (one.start, -one.end))
        _end_the_unrecorded(run)
    on_devices = {run.program for run in runs.values() if run.device.partition(":")[0] != _CPU}
    separate = (
        one
        for key, run in runs.items()
        if run.program not in on_devices or run.device.partition(":")[0] != _CPU  # not its launches
        for one in (_separated(run) if key[3] is None else [run])
    )
    return sorted(separate, key=lambda run: run.start)


def _end_the_unrecorded(run: ProgramRun) -> None:
    """What has no end, since that came after the recording, ended where the next operation began."""
    starts = [one.start for one in run.executions]
    last = max(one.end for one in run.executions)
    for at, one in enumerate(run.executions):
        if one.recorded == math.inf:
            following = bisect_left(starts, one.end)
            end = starts[following] if following < len(starts) else one.end
            run.executions[at] = one._replace(end=end, recorded=last)


def _separated(run: ProgramRun) -> Iterator[ProgramRun]:
    """Where events do not tell their run, one begins with each execution of the operation that came first."""
    first = run.executions[0].op
    begins = [at for at, one in enumerate(run.executions) if one.op == first]
    for begin, end in zip(begins, [*begins[1:], None], strict=True):
        yield replace(run, executions=run.executions[begin:end])


def _number(value: object) -> int | None:
    try:
        return int(value)  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return None


class _Ends:
    """When operations of a CPU truly ended.

    An event and its end share a number: `_p` of the one, `_c` of the other. The end is recorded on the thread
    that did the last of the work, in the region of that work. But what comes next in the program runs there
    first: if other operations start in that region, the first of them tells the end.
    """

    def __init__(self, tracks: Sequence[Track], operations: Sequence[list[tuple[_Key, str, Event]]]) -> None:
        self._ends = {
            event.stats.get("_c"): (event.start, at)
            for at, track in enumerate(tracks)
            for event in track.events
            if event.name.startswith(_END)
        }
        self._regions = [[one.start for one in track.events if one.name == _REGION] for track in tracks]
        self._starts = [[event.start for _, _, event in found] for found in operations]

    def of(self, event: Event) -> tuple[float, float]:
        """The true end, and when it was recorded."""
        number = event.stats.get("_p")
        if number is None:
            return event.end, event.end
        if number not in self._ends:  # the recording stopped first
            return event.end, math.inf
        recorded, at = self._ends[number]
        regions, starts = self._regions[at], self._starts[at]
        region = bisect_right(regions, recorded) - 1
        since = max(event.start, regions[region] if region >= 0 else 0.0)
        following = bisect_right(starts, since)
        return min([recorded, *starts[following : following + 1]]), recorded


Inner = Mapping[str, Sequence[str]]
"""By name of an operation such as a `while`, the operations that it runs itself."""


def settled(run: ProgramRun, inner: Inner) -> ProgramRun:
    """The run with each `while`, conditional and call ended when the last of what it ran did: its end is
    recorded when all that follows it has run as well.
    """
    executions = list(run.executions)
    at = _indices(run)
    for outer in inner.keys() & at.keys():
        starts = [executions[index].start for index in at[outer]]
        leaves = sorted(index for name in _leaves(outer, inner) for index in at.get(name, ()))
        begins = [executions[index].start for index in leaves]
        for index, following in zip(at[outer], [*starts[1:], math.inf], strict=True):
            one = executions[index]
            limit = min(one.recorded, following)
            first, last = bisect_left(begins, one.start), bisect_left(begins, limit)
            ends = (run.executions[leaf].end for leaf in leaves[first:last])
            executions[index] = one._replace(end=min(limit, max(ends, default=limit)))
    return replace(run, executions=executions)


def _leaves(outer: str, inner: Inner) -> set[str]:
    """All that it runs, and that runs nothing else."""
    found: set[str] = set()
    for name in inner[outer]:
        found |= _leaves(name, inner) if name in inner else {name}
    return found


def _indices(run: ProgramRun) -> dict[str, list[int]]:
    """Of the executions of each operation, in order."""
    at: dict[str, list[int]] = {}
    for index, one in enumerate(run.executions):
        at.setdefault(one.op, []).append(index)
    return at


def self_seconds(run: ProgramRun, inner: Inner) -> list[float]:
    """Of each execution of a settled run, the seconds without those of the executions that it contains."""
    own = [one.seconds for one in run.executions]
    at = _indices(run)
    for outer in inner.keys() & at.keys():
        within = sorted(index for name in inner[outer] for index in at.get(name, ()))
        intervals = list(union(run.executions[index] for index in within))
        for index in at[outer]:
            one = run.executions[index]
            own[index] -= covered(intervals, one.start, one.end)
    return own


def inner_by_name(runs: Iterable[ProgramRun]) -> dict[str, list[str]]:
    """For runs whose HLO is not known: what has the name of control flow runs all that has not."""
    names = {one.op for run in runs for one in run.executions}
    control = {name for name in names if _CONTROL.match(name)}
    return {name: sorted(names - control) for name in control}


def union(executions: Iterable[Execution]) -> Iterator[tuple[float, float]]:
    """The time in which at least one of them ran, as intervals in order; they come in the order of starts."""
    begin = end = None
    for one in executions:
        if end is None or begin is None:
            begin, end = one.start, one.end
        elif one.start <= end:
            end = max(end, one.end)
        else:
            yield begin, end
            begin, end = one.start, one.end
    if begin is not None and end is not None:
        yield begin, end


def covered(intervals: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """The seconds of the intervals, which are in order, that lie between `start` and `end`."""
    total, at = 0.0, max(bisect_right(intervals, (start, start)) - 1, 0)
    while at < len(intervals) and intervals[at][0] < end:
        begin, finish = intervals[at]
        total += max(0.0, min(finish, end) - max(begin, start))
        at += 1
    return total
