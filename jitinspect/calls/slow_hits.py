"""Cached calls that jit's fast path did not serve: how many, where, why, and what that costs."""

from __future__ import annotations

import statistics
from collections import Counter, deque
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from threading import get_ident
from typing import Any, TypeAlias

from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.calls.frames import Place, WatchedCall, position
from jitinspect.jaxapi.calls.proxies import Watched
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.jaxapi.keys.fast_path import fast_path_entries
from jitinspect.model import SlowCalls
from jitinspect.process.paths import relative
from jitinspect.specs.describe import describe_call

FEWEST = 3
"""Fewer slow calls of a function are only counted, and fewer times of a call say nothing."""
SHARE = 0.1
"""Of the cached calls: if fewer were slow, and only because each was the first of its form, they are too."""
MOST_TIMES = 1000
"""The newest ones, of the calls of each jit."""
MOST_LINES = 3
_CALLBACKS = {"DebugEffect", "OrderedDebugEffect", "IOEffect", "OrderedIOEffect"}
_OTHER_FORM = "each came in a form that it had not seen before, such as NumPy arrays instead of JAX's"
_UNKNOWN = "JAX does not tell why"

Function: TypeAlias = tuple[str, str | None]
"""Name and definition."""
Caller: TypeAlias = "Place | str | None"
"""Where a call is made: a place in the program, or a line of a call script."""


class Times:
    """Seconds of the cached calls of one jit: those that the fast path served, and those that it did not."""

    def __init__(self) -> None:
        self.fast: deque[float] = deque(maxlen=MOST_TIMES)
        self.slow: deque[float] = deque(maxlen=MOST_TIMES)
        self._looked_up: dict[int, float] = {}

    def looked_up(self, seconds: float) -> None:
        """JAX looks up a call of this thread in Python; so much of its time went into counting it."""
        self._looked_up[get_ident()] = seconds

    def ended(self, seconds: float) -> None:
        counting = self._looked_up.pop(get_ident(), None)
        if counting is None:
            self.fast.append(seconds)
        else:
            self.slow.append(seconds - counting)

    def dropped(self) -> None:
        """The call was not cached."""
        self._looked_up.pop(get_ident(), None)


class SlowHits:
    """JAX runs a call in Python if the fast path has no entry for it, and then adds one; or if the entry says
    so. That is the case for functions with side effects, and for calls of which the first one raised: the
    entry stays as it was when that was made (0.8.3 to 0.12.0.1).

    From a jit's first slow call on, its cached calls are timed.
    """

    def __init__(self) -> None:
        self._counts: dict[Function, Counter[tuple[str, Caller]]] = {}
        self._times: dict[Function, list[Times]] = {}
        self._known: dict[Watched, str] = {}
        self._again: dict[tuple[Watched, int, Caller], int] = {}  # by thread, as threads may count at once
        self._entries: dict[Hashable, int] = {}
        self._raised: dict[int, dict[str, str | None]] = {}

    def raised(self, facts: JitFacts, signature: str, at: str | None) -> None:
        """A call has raised at the line `at`."""
        self._raised.setdefault(facts.function, {}).setdefault(signature, at)

    def cleared(self, facts: JitFacts | None) -> None:
        """The caches of one function were cleared, or all."""
        self._settle()
        self._entries.clear()
        if facts is None:
            self._raised.clear()
        else:
            self._raised.pop(facts.function, None)

    def knows(self, watched: Watched) -> bool:
        """Whether it is known why calls of this jit are slow; of these nothing more is read."""
        return watched in self._known

    def again(self, watched: Watched, caller: Caller, number: int = 1) -> None:
        """Count one more call that JAX is about to run in Python, of a jit that is known; or one less, if it
        turns out that JAX compiled for it.
        """
        key = watched, get_ident(), caller
        self._again[key] = self._again.get(key, 0) + number

    def compiled(self, facts: JitFacts, jit: Any) -> None:
        """A call has ended that was not cached."""
        self._entries[facts.fast] = fast_path_entries(jit)

    def add(self, facts: JitFacts, call: WatchedCall, effects: Collection[str], caller: Caller) -> None:
        """A cached call has ended that JAX ran in Python, and that `again` did not count."""
        before, now = self._entries.get(facts.fast, 0), fast_path_entries(call.jit)
        self._entries[facts.fast] = now
        form = _OTHER_FORM if now > before else None
        cause = _of_effects(effects) or form or self._of_failure(facts, call) or _UNKNOWN
        self._count(call.watched, cause, caller, 1)
        if cause != _OTHER_FORM:
            self._known[call.watched] = cause
        if call.watched.times is None:
            call.watched.times = times = Times()
            self._times.setdefault(_function(call.watched), []).append(times)

    def _count(self, watched: Watched, cause: str, caller: Caller, number: int) -> None:
        self._counts.setdefault(_function(watched), Counter())[cause, caller] += number

    def _settle(self) -> None:
        """Add up what `again` counted; from here on causes are to be found anew."""
        for (watched, _, caller), number in self._again.items():
            self._count(watched, self._known.get(watched, _UNKNOWN), caller, number)
        self._again.clear()
        self._known.clear()

    def _of_failure(self, facts: JitFacts, call: WatchedCall) -> str | None:
        failed = self._raised.get(facts.function)
        if not failed:
            return None
        signature = describe_call(facts.name, call.args, call.kwargs, traced_dtype)
        if signature not in failed:
            return None
        at = f" at {failed[signature]}" if failed[signature] else ""
        return (
            f"the first call like them raised{at}, and JAX keeps such calls off the fast path from then on. "
            "clear_cache() of the jitted function, called after the failure, ends that; it compiles again"
        )

    def slow_calls(self) -> tuple[SlowCalls, ...]:
        """The slow calls of each function so far."""
        self._settle()
        return tuple(self._slow_calls(*one) for one in self._counts.items() if one[1].total())

    def _slow_calls(self, function: Function, counts: Counter[tuple[str, Caller]]) -> SlowCalls:
        at: Counter[str] = Counter()
        why: Counter[str] = Counter()
        for (cause, caller), number in counts.items():
            why[cause] += number
            if (line := _line(caller)) is not None:
                at[line] += number
        name, definition = function
        lines, causes = (dict((+counted).most_common()) for counted in (at, why))
        return SlowCalls(name, relative(definition), counts.total(), lines, causes, *self._medians(function))

    def _medians(self, function: Function) -> tuple[float, float] | tuple[None, None]:
        """Seconds of a slow call, and of a fast one."""
        times = self._times.get(function, [])
        slow, fast = (
            [took for one in times for took in one.slow],
            [took for one in times for took in one.fast],
        )
        if min(len(slow), len(fast)) < FEWEST:
            return None, None
        return statistics.median(slow), statistics.median(fast)


def notes(slow: Iterable[SlowCalls], hits: Mapping[Function, int]) -> Iterator[str]:
    """A sentence for each function that had several slow calls; `hits` are its cached calls."""
    for one in slow:
        cached = hits.get((one.function, one.definition), 0)
        few = set(one.why) == {_OTHER_FORM} and one.calls < SHARE * cached
        if one.calls >= FEWEST and not few:
            slower = f"JAX looks them up in Python, which is slower{_measured(one)}"
            yield (
                f"{one.function}: {one.calls:,} of {cached:,} cached calls{_lines(one.at)} did not use jit's "
                f"fast path ({slower}): {_causes(one.why)}"
            )


def _function(watched: Watched) -> Function:
    """As in its rows: equinox lets functions of one name share a jit."""
    return watched.facts.name, watched.facts.definition


def _line(caller: Caller) -> str | None:
    return relative(position(*caller[1:]) if isinstance(caller, tuple) else caller)


def _of_effects(effects: Collection[str]) -> str | None:
    if not effects:
        return None
    if _CALLBACKS & {*effects}:
        what = "it calls back to the host (jax.debug.print, jax.debug.callback, io_callback)"
    elif "RefEffect" in effects:
        what = "it reads or writes a jax.Ref from outside"
    else:
        what = f"it has side effects ({', '.join(sorted(effects))})"
    return f"{what}, and JAX never takes the fast path for such a function"


def _causes(why: Mapping[str, int]) -> str:
    """With the numbers, if there are several."""
    if len(why) == 1:
        return next(iter(why))
    return "; ".join(f"{number:,} of them: {cause}" for cause, number in why.items())


def _lines(at: Mapping[str, int]) -> str:
    """With the numbers, if there are several."""
    if not at:
        return ""
    if len(at) == 1:
        return f", at {next(iter(at))},"
    told = [f"{line} ({number:,})" for line, number in at.items()]
    further = len(told) - MOST_LINES
    more = [f"{further} more line{'' if further == 1 else 's'}"] if further > 0 else []
    *first, last = told[:MOST_LINES] + more
    return f", at {', '.join(first)} and {last},"


def _measured(slow: SlowCalls) -> str:
    if slow.seconds is None or slow.fast_seconds is None:
        return ""
    return f": {_micro(slow.seconds)} a call, {_micro(slow.fast_seconds)} on the fast path, in the median"


def _micro(seconds: float) -> str:
    figure = seconds * 1e6
    return f"{figure:.1f} µs" if figure < 10 else f"{figure:,.0f} µs"
