"""Verdicts from cache keys alone: JAX's in-memory caches, modelled layer by layer.

Nothing is traced, lowered, compiled or run. The layers are those of 0.10.2 and 0.12.0.1; a property test
compares the model with JAX.
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
from jitinspect.jaxapi.devices import option
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, accepted, facts
from jitinspect.jaxapi.jits.filter_jit import facts_of_filter_jit
from jitinspect.jaxapi.jits.recognition import full_call, underlying
from jitinspect.model import Phase, Reason, Status

_STATUS: dict[Phase | None, Status] = {
    None: "CACHED", "trace": "TRACED", "lower": "LOWERED", "compile": "COMPILED",
}  # fmt: skip


_NEVER_FAST = "jax_debug_key_reuse"
"""With this setting all calls are looked up in Python (0.8.3 to 0.12.0.1)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What call `index` would do. `error` is what it would raise, `lasting` whether it would each time."""

    index: int
    facts: JitFacts
    status: Status
    stages: tuple[Phase, ...]
    executable: int | None
    nearest: int | None
    reasons: tuple[Reason, ...]
    error: str | None = None
    lasting: bool = False

    def repeated(self) -> Judgement:
        """What the same call does right afterwards."""
        if self.lasting:
            return replace(self, nearest=self.index, reasons=(after_failure(self.facts),))
        executable = None if self.error else self.executable
        return replace(self, status="CACHED", stages=(), executable=executable, nearest=None, reasons=())


@dataclass(frozen=True, slots=True)
class PlannedJit:
    """A jit in the plan; `accepts` is the signature of its function, if known."""

    facts: JitFacts
    filter_jit: Any
    accepts: inspect.Signature | None

    def call_error(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
        """The error that calling the function with these arguments raises, if any."""
        if self.accepts is not None:
            try:
                self.accepts.bind(*args, **kwargs)
            except TypeError as error:
                return f"TypeError: {self.facts.name}(): {error}"
        return None


def _refusal(jit_facts: JitFacts, call_key: CallKey) -> str | None:
    """The error with which a setting makes JAX refuse to run what it has compiled, if any does."""
    if option("jax_no_execution"):
        name = jit_facts.name
        return f"RuntimeError: JAX tried to execute function jit({name}), but no_execution is set"
    guard = str(option("jax_transfer_guard_host_to_device"))
    if guard.startswith("disallow") and not all(call_key.are_jax_arrays):
        return "JaxRuntimeError: Disallowed host-to-device transfer (jax_transfer_guard_host_to_device)"
    return None


class Planner:
    """The state of the caches after the calls so far."""

    def __init__(self) -> None:
        self.executables = 0
        self._reader = SignatureReader()
        self._functions = FunctionNumbers()
        self._jits: dict[int, PlannedJit] = {}
        self._layers = Layers()
        self._fast: dict[Hashable, int] = {}
        self._slow: set[Hashable] = set()
        self._traced: set[Hashable] = set()
        self._lowered: set[Hashable] = set()
        self._compiled: dict[Hashable, int] = {}
        self._comparisons = Comparisons(self._reader.interner, plannable=True)

    def judge(self, subject: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], index: int) -> Judgement:
        """The verdict on call `index`, of the jit `subject` with these types and values.

        Raises TypeError if the library hides its jit, or JAX compiles by what it has profiled.
        """
        if option("jax_enable_pgle"):
            raise TypeError("under jax_enable_pgle JAX compiles again after profiling: make the calls")
        jit = self._jit_of(subject)
        jit_facts = jit.facts
        _, args, kwargs = full_call(subject, args, kwargs)
        try:
            refuse_arrays_as_statics(jit_facts, args, kwargs)
            call_key = self._reader.read(jit_facts, args, kwargs, jit.filter_jit)
        except (TypeError, ValueError, OverflowError) as error:  # before anything is looked up
            return Judgement(
                index, jit_facts, "CACHED", (), None, None, (), f"{type(error).__name__}: {error}"
            )
        entry = fast(jit_facts, call_key)
        refusal = _refusal(jit_facts, call_key)
        if entry in self._fast:
            number = None if refusal else self._fast[entry]
            return Judgement(index, jit_facts, "CACHED", (), number, None, (), refusal)
        if (call_error := jit.call_error(args, kwargs)) is not None:
            nearest, reasons = self._explain(jit_facts, call_key, index)
            self._comparisons.failed(index)
            return Judgement(
                index, jit_facts, "TRACED", ("trace",), None, nearest, reasons, call_error, lasting=True
            )
        judgement = self._judge_by_layers(jit_facts, call_key, index)
        if judgement.error is None and refusal is not None:
            judgement = replace(judgement, error=refusal)
        self._remember(entry, judgement)
        return judgement

    def _remember(self, entry: Hashable, judgement: Judgement) -> None:
        """A call that once raised is looked up in Python from then on, also where it succeeds."""
        if judgement.error is not None or option(_NEVER_FAST):
            self._slow.add(entry)
        elif judgement.executable is not None and entry not in self._slow:
            self._fast[entry] = judgement.executable

    def _judge_by_layers(self, jit_facts: JitFacts, call_key: CallKey, index: int) -> Judgement:
        keys = self._layers.keys(jit_facts, call_key)
        if option("jax_no_tracing") and keys.traced not in self._traced:
            error = f"RuntimeError: re-tracing function {jit_facts.name} for `jit`, but 'no_tracing' is set"
            return Judgement(index, jit_facts, "CACHED", (), None, None, (), error)
        ran = self._look_up(keys, len(call_key.devices) > 1)
        nearest, reasons = self._explain(jit_facts, call_key, index) if ran else (None, ())
        status = _STATUS[ran[-1] if ran else None]
        if len(call_key.devices) > 1:
            error = f"ValueError: incompatible devices: {', '.join(sorted(call_key.devices))}"
            return Judgement(index, jit_facts, status, ran, None, nearest, reasons, error)
        number = self._executable(keys.compiled)
        return Judgement(index, jit_facts, status, ran, number, nearest, reasons)

    def _look_up(self, keys: Keys, refused: bool) -> tuple[Phase, ...]:
        """The stages that run: those whose layer has not seen its key before."""
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
        self, jit_facts: JitFacts, call_key: CallKey, index: int
    ) -> tuple[int | None, tuple[Reason, ...]]:
        compared = self._comparisons.compare(jit_facts, call_key.signature, index)
        return compared.nearest, self._comparisons.reasons(compared, jit_facts)

    def _jit_of(self, subject: Any) -> PlannedJit:
        known = self._jits.get(id(subject))
        if known is None:
            found = underlying(subject)
            if found is None:
                raise TypeError(f"not a jit that can be planned for: {subject!r}")
            known = self._jits[id(subject)] = self._new_jit(*found)
        return known

    def _new_jit(self, jit: Any, filter_jit: Any) -> PlannedJit:
        if filter_jit is None:
            return PlannedJit(facts(jit, self._functions), None, accepted(jit))
        return PlannedJit(facts_of_filter_jit(filter_jit, jit, self._functions), filter_jit, None)
