"""Cached calls under a setting that has changed since they were compiled, and that JAX does not look at."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

from jitinspect.jaxapi.calls import events, misses, proxies
from jitinspect.jaxapi.calls.frames import position
from jitinspect.jaxapi.calls.guarded import Guarded
from jitinspect.jaxapi.devices import option
from jitinspect.jaxapi.keys import unkeyed
from jitinspect.process.paths import relative


class StaleSettings(Guarded):
    """`with StaleSettings() as stale:` around a program; `notes` then has a sentence for each function and
    setting. A function that was compiled under several values is only reported for further ones.
    """

    def __init__(self) -> None:
        super().__init__()
        self._notes: dict[tuple[str, str, str], str] = {}
        self._compiled: weakref.WeakKeyDictionary[Any, dict[str, set[Any]]] = weakref.WeakKeyDictionary()
        self._watch = unkeyed.Watch(self._harmless(self._changed), self._harmless(self._called))
        self._unsubscribe: Callable[[], None] = lambda: None
        self._disabled = False

    def __enter__(self) -> StaleSettings:
        self._disabled = bool(option("jax_disable_jit"))
        lowering = self._harmless(self._lowering)
        self._unsubscribe = events.subscribe(lambda phase, _: lowering() if phase == "lower" else None)
        self._watch.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._watch.stop()
        self._unsubscribe()

    @property
    def notes(self) -> tuple[str, ...]:
        found = tuple(self._notes.values())
        return (_DISABLED, *found) if self._disabled or option("jax_disable_jit") else found

    def _lowering(self) -> None:
        if (lowered := misses.lowered()) is None:
            return
        fun, jaxpr = lowered
        now = unkeyed.values()
        try:
            known = self._compiled.setdefault(fun, {})
        except TypeError:  # not hashable, or not weakly referable
            return
        for setting in unkeyed.read_by(jaxpr):
            known.setdefault(setting, set()).add(now[setting])

    def _changed(self) -> None:
        now = unkeyed.values()
        self._watch.arm(
            any(
                now[setting] not in values
                for known in list(self._compiled.values())
                for setting, values in known.items()
            )
        )

    def _called(self, jit: Any, frame: FrameType) -> None:
        known = self._compiled.get(unkeyed.function_of(jit))
        if not known:
            return
        now = unkeyed.values()
        for setting, values in known.items():
            if now[setting] not in values:
                self._note(jit, setting, values, now[setting], frame)

    def _note(self, jit: Any, setting: str, values: set[Any], now: Any, frame: FrameType) -> None:
        function, caller = getattr(jit, "__name__", "a function"), proxies.user_frame(frame)
        if (key := (function, setting, str(now))) not in self._notes:
            before = " or ".join(sorted(map(repr, values)))
            at = relative(position(caller.f_code, caller.f_lasti))
            self._notes[key] = (
                f"{setting} is {now!r} at {at}, but {function} was compiled under {before} and still does "
                f"what it did: JAX does not compile again for this setting. Set it before the first call, "
                "or call jax.clear_caches() after setting it"
            )


_DISABLED = (
    "jax.jit was disabled (JAX_DISABLE_JIT, or the setting jax_disable_jit): functions ran operation by "
    "operation, and were not compiled as they would be"
)
