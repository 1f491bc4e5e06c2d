"""A context manager that collects the compile events of whatever runs inside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from jitinspect.jaxapi.calls import events
from jitinspect.model import CacheOutcome, CompileEvent, Phase
from jitinspect.specs.describe import describe_call

OnEvent = Callable[[CompileEvent], None]
OnStart = Callable[[Phase, str], None]


class Observer:
    """Events of all threads between `__enter__` and `__exit__`, in the order in which they end.

    `on_event` is called with each as it happens; `on_start(phase, function)` when
    a stage begins. Nothing is patched, and only its own listeners are removed.
    `subject`, the signature and source of what jitinspect itself compiles, is used
    in its events: the frames only show how the jit's library makes the call.
    """

    subject: tuple[str, str | None] | None = None
    muted: bool = False
    """While set, nothing is collected: what jitinspect traces for its own purposes is not an event."""

    def __init__(self, on_event: OnEvent | None = None, on_start: OnStart | None = None) -> None:
        self.events: list[CompileEvent] = []
        self._on_event = on_event
        self._on_start = on_start
        self._thread = _ThreadState()

    def __enter__(self) -> Observer:
        self._unsubscribe = events.subscribe(self._start, self._end, self._cache_hit)
        return self

    def __exit__(self, *exception: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._unsubscribe()

    def _start(self, phase: Phase, name: str) -> None:
        if self.muted:
            return
        if phase == "compile":
            self._thread.cache_hit = False
        if self._on_start:
            self._on_start(phase, events.plain_name(name))

    def _cache_hit(self) -> None:
        self._thread.cache_hit = True

    def _end(self, phase: Phase, name: str, seconds: float) -> None:
        if self.muted:
            return
        event = self._event(phase, events.plain_name(name), seconds)
        self.events.append(event)
        if self._on_event:
            self._on_event(event)

    def _event(self, phase: Phase, function: str, seconds: float) -> CompileEvent:
        stack = events.read_stack()
        definition, signature = self._definition_and_signature(phase, function, stack)
        source = stack.call_site or definition
        if stack.ours and self.subject:
            signature, source = self.subject
        return CompileEvent(
            seq=len(self.events),
            phase=phase,
            function=function,
            signature=signature,
            seconds=seconds,
            source=source,
            cache=self._cache_outcome() if phase == "compile" else None,
            internal=not stack.ours and definition is not None and events.is_internal(definition),
        )

    def _definition_and_signature(
        self, phase: Phase, function: str, stack: events.StackFacts
    ) -> tuple[str | None, str | None]:
        """Later stages of a function take these from its trace."""
        if phase == "trace" or function not in self._thread.traced:
            call = describe_call(function, *stack.call) if stack.call else None
            self._thread.traced[function] = (stack.definition, call)
        return self._thread.traced[function]

    def _cache_outcome(self) -> CacheOutcome:
        if self._thread.cache_hit:
            return "hit"
        return "miss" if events.persistent_cache_enabled() else "off"


class _ThreadState(threading.local):
    """State from earlier events of one thread: a call is traced, lowered and compiled on a single thread."""

    def __init__(self) -> None:
        self.cache_hit = False
        self.traced: dict[str, tuple[str | None, str | None]] = {}
        """function → (its definition, the signature of its last trace)."""
