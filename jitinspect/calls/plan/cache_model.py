"""The verdicts from the keys alone: JAX's in-memory caches, modelled layer by layer.

Nothing is traced, lowered, compiled or run. The layers are those that 0.10.2 and 0.12.0.1 have; a property
test holds the model against JAX.
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jitinspect.calls.cache_layers import Keys, Layers, fast
from jitinspect.calls.comparisons import Comparisons
from jitinspect.calls.reasons import after_failure
from jitinspect.calls.signature import CallKey, SignatureReader, refuse_arrays_as_statics
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, accepted, facts
from jitinspect.jaxapi.jits.filter_jit import facts_of_filter_jit
from jitinspect.jaxapi.jits.recognition import underlying, whole_call
from jitinspect.model import Phase, Reason, Status

_STATUS: dict[Phase | None, Status] = {
    None: "CACHED", "trace": "TRACED", "lower": "LOWERED", "compile": "COMPILED",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """What call `index` would do. `error` tells that it would raise; `lasting` that it would each time."""

    index: int
    facts: JitFacts
    status: Status
    stages: tuple[Phase, ...]
    executable: int | None
    nearest: int | None
    reasons: tuple[Reason, ...]
    error: str | None = None
    lasting: bool = False

    def again(self) -> Judgement:
        """What a call like it does, right after it."""
        if self.lasting:
            return replace(self, nearest=self.index, reasons=(after_failure(self.facts),))
        return replace(self, status="CACHED", stages=(), nearest=None, reasons=())


@dataclass(frozen=True, slots=True)
class Jit:
    """A jit that is planned for; `accepts` is what its function takes, as far as that is known."""

    facts: JitFacts
    filter_jit: Any
    accepts: inspect.Signature | None

    def misfit(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
        """What calling the function with these arguments raises."""
        if self.accepts is not None:
            try:
                self.accepts.bind(*args, **kwargs)
            except TypeError as error:
                return f"TypeError: {self.facts.name}(): {error}"
        return None


class Planner:
    """The state of the caches after the calls so far."""

    def __init__(self) -> None:
        self.executables = 0
        self._reader = SignatureReader()
        self._functions = FunctionNumbers()
        self._jits: dict[int, Jit] = {}
        self._layers = Layers()
        self._fast: dict[Hashable, int] = {}
        self._traced: set[Hashable] = set()
        self._lowered: set[Hashable] = set()
        self._compiled: dict[Hashable, int] = {}
        self._comparisons = Comparisons(self._reader.interner, plannable=True)

    def judge(self, subject: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], index: int) -> Judgement:
        """The verdict on a call of the jit `subject` with these types and values, which is call `index`.

        Raises TypeError where the library hides its jit.
        """
        jit = self._jit_of(subject)
        known = jit.facts
        _, args, kwargs = whole_call(subject, args, kwargs)
        try:
            refuse_arrays_as_statics(known, args, kwargs)
            call_key = self._reader.read(known, args, kwargs, jit.filter_jit)
        except (TypeError, ValueError, OverflowError) as error:  # before anything is looked up
            return Judgement(index, known, "CACHED", (), None, None, (), f"{type(error).__name__}: {error}")
        entry = fast(known, call_key)
        if entry in self._fast:
            return Judgement(index, known, "CACHED", (), self._fast[entry], None, ())
        if (misfit := jit.misfit(args, kwargs)) is not None:
            nearest, told = self._explain(known, call_key, index)
            self._comparisons.failed(index)
            return Judgement(index, known, "TRACED", ("trace",), None, nearest, told, misfit, lasting=True)
        return self._judge_by_layers(known, call_key, index, entry)

    def _judge_by_layers(self, known: JitFacts, call_key: CallKey, index: int, entry: Hashable) -> Judgement:
        keys = self._layers.keys(known, call_key)
        ran = self._look_up(keys, len(call_key.devices) > 1)
        nearest, told = self._explain(known, call_key, index) if ran else (None, ())
        status = _STATUS[ran[-1] if ran else None]
        if len(call_key.devices) > 1:
            error = f"ValueError: incompatible devices: {', '.join(sorted(call_key.devices))}"
            return Judgement(index, known, status, ran, None, nearest, told, error)
        number = self._fast[entry] = self._executable(keys.compiled)
        return Judgement(index, known, status, ran, number, nearest, told)

    def _look_up(self, keys: Keys, refused: bool) -> tuple[Phase, ...]:
        """The stages that run, as each layer's key is new to it."""
        traces, lowers = keys.traced not in self._traced, keys.lowered not in self._lowered
        compiles = keys.compiled not in self._compiled
        self._traced.add(keys.traced)
        if refused:
            return ("trace",) if traces else ()
        self._lowered.add(keys.lowered)
        stages: tuple[tuple[Phase, bool], ...] = (("trace", traces), ("lower", lowers), ("compile", compiles))
        return tuple(phase for phase, runs in stages if runs)

    def _executable(self, key: Hashable) -> int:
        number = self._compiled.get(key)
        if number is None:
            self.executables += 1
            number = self._compiled[key] = self.executables
        return number

    def _explain(
        self, known: JitFacts, call_key: CallKey, index: int
    ) -> tuple[int | None, tuple[Reason, ...]]:
        compared = self._comparisons.compare(known, call_key.signature, index)
        return compared.nearest, self._comparisons.reasons(compared, known)

    def _jit_of(self, subject: Any) -> Jit:
        known = self._jits.get(id(subject))
        if known is None:
            found = underlying(subject)
            if found is None:
                raise TypeError(f"not a jit that can be planned for: {subject!r}")
            known = self._jits[id(subject)] = self._new_jit(*found)
        return known

    def _new_jit(self, jit: Any, filter_jit: Any) -> Jit:
        if filter_jit is None:
            return Jit(facts(jit, self._functions), None, accepted(jit))
        return Jit(facts_of_filter_jit(filter_jit, jit, self._functions), filter_jit, None)
