"""Cached calls that jit's fast path did not serve: how many, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from threading import get_ident

from jitinspect.jaxapi.arrays.leaves import traced_dtype
from jitinspect.jaxapi.calls.frames import WatchedCall
from jitinspect.jaxapi.calls.proxies import Watched
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.jaxapi.keys.fast_path import fast_path_entries
from jitinspect.model import FunctionTotals
from jitinspect.process.paths import relative
from jitinspect.specs.describe import describe_call

FEWEST = 3
"""Fewer slow calls of a function are only counted."""
SHARE = 0.1
"""Of the cached calls: if fewer were slow, and only because each was the first of its form, they are too."""
_CALLBACKS = {"DebugEffect", "OrderedDebugEffect", "IOEffect", "OrderedIOEffect"}
_OTHER_FORM = "each came in a form that it had not seen before, such as NumPy arrays instead of JAX's"
_UNKNOWN = "JAX does not tell why"

Function = tuple[str, str | None]
"""Name and definition."""


class SlowHits:
    """JAX runs a call in Python if the fast path has no entry for it, and then adds one; or if the entry says
    so. That is the case for functions with side effects, and for calls of which the first one raised: the
    entry stays as it was when that was made (0.8.3 to 0.12.0.1).
    """

    def __init__(self) -> None:
        self._causes: dict[Function, Counter[str]] = {}
        self._known: dict[Watched, str] = {}
        self._again: dict[tuple[Watched, int], int] = {}  # by thread, as threads may count at once
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

    def again(self, watched: Watched) -> bool:
        """Count a call that JAX is about to run in Python, if it is known why; returns whether it is. Nothing
        more is read of it.
        """
        if watched not in self._known:
            return False
        key = watched, get_ident()
        self._again[key] = self._again.get(key, 0) + 1
        return True

    def compiled(self, facts: JitFacts, call: WatchedCall, counted: bool) -> None:
        """A call has ended that was not cached. It may have been `counted` by `again`."""
        self._entries[facts.fast] = fast_path_entries(call.jit)
        if counted and call.watched in self._known:
            key = call.watched, get_ident()
            self._again[key] = self._again.get(key, 0) - 1

    def add(self, facts: JitFacts, call: WatchedCall, effects: Collection[str]) -> None:
        """A cached call has ended that JAX ran in Python, and that `again` did not count."""
        before, now = self._entries.get(facts.fast, 0), fast_path_entries(call.jit)
        self._entries[facts.fast] = now
        form = _OTHER_FORM if now > before else None
        cause = _of_effects(effects) or form or self._of_failure(facts, call) or _UNKNOWN
        self._count(call.watched, cause, 1)
        if cause != _OTHER_FORM:
            self._known[call.watched] = cause

    def _count(self, watched: Watched, cause: str, number: int) -> None:
        facts = watched.facts  # as in its rows: equinox lets functions of one name share a jit
        self._causes.setdefault((facts.name, facts.definition), Counter())[cause] += number

    def _settle(self) -> None:
        """Add up what `again` counted; from here on causes are to be found anew."""
        for (watched, _), number in self._again.items():
            self._count(watched, self._known.get(watched, _UNKNOWN), number)
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

    @property
    def counts(self) -> Mapping[Function, int]:
        """The slow calls of each function so far."""
        self._settle()
        return {function: causes.total() for function, causes in self._causes.items()}

    def notes(self, functions: Iterable[FunctionTotals]) -> Iterator[str]:
        """A sentence for each function that had several slow calls."""
        self._settle()
        told = {(name, relative(definition)): +causes for (name, definition), causes in self._causes.items()}
        for one in functions:
            causes = told.get((one.function, one.definition), Counter())
            few = set(causes) == {_OTHER_FORM} and one.slow_hits < SHARE * one.cache_hits
            if one.slow_hits >= FEWEST and not few:
                yield (
                    f"{one.function}: {one.slow_hits:,} of {one.cache_hits:,} cached calls did not use jit's "
                    f"fast path (JAX looks them up in Python, which is slower): {_joined(causes)}"
                )


def _of_effects(effects: Collection[str]) -> str | None:
    if not effects:
        return None
    if _CALLBACKS & {*effects}:
        return "it calls back to the host (jax.debug.print, jax.debug.callback, io_callback)"
    return (
        "it reads or writes a jax.Ref"
        if "RefEffect" in effects
        else f"it has side effects ({', '.join(sorted(effects))})"
    )


def _joined(causes: Counter[str]) -> str:
    """With the numbers, if there are several."""
    if len(causes) == 1:
        return next(iter(causes))
    return "; ".join(f"{number:,} of them: {cause}" for cause, number in causes.most_common())
