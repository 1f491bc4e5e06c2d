"""The verdicts from the keys alone: JAX's in-memory caches, modelled layer by layer.

Nothing is traced, lowered, compiled or run. The layers are those that 0.10.2 and 0.12.0.1 have; a property
test holds the model against JAX.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from jitinspect.advice import first_call, reasons
from jitinspect.explain import History, differences
from jitinspect.jaxapi.jitinfo import FunctionNumbers, JitFacts, facts, facts_of_filter_jit
from jitinspect.jaxapi.jits import bound_arguments, underlying
from jitinspect.layers import Keys, Layers, fast
from jitinspect.model import Phase, Reason, Status
from jitinspect.signature import Reading, SignatureReader

_STATUS: dict[Phase | None, Status] = {
    None: "CACHED", "trace": "TRACED", "lower": "LOWERED", "compile": "COMPILED",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a call would do. `error` tells that JAX would refuse it after the trace."""

    facts: JitFacts
    status: Status
    stages: tuple[Phase, ...]
    executable: int | None
    nearest: int | None
    reasons: tuple[Reason, ...]
    error: str | None = None


class Planner:
    """The state of the caches after the calls so far."""

    def __init__(self) -> None:
        self.executables = 0
        self._reader = SignatureReader()
        self._functions = FunctionNumbers()
        self._facts: dict[int, tuple[JitFacts, bool]] = {}
        self._layers = Layers()
        self._fast: dict[Hashable, int] = {}
        self._traced: set[Hashable] = set()
        self._lowered: set[Hashable] = set()
        self._compiled: dict[Hashable, int] = {}
        self._histories: dict[Hashable, History] = {}

    def judge(self, subject: Any, args: tuple[Any, ...], kwargs: dict[str, Any], index: int) -> Judgement:
        """The verdict on a call of the jit `subject` with these types and values, which is call `index`.

        Raises TypeError for what JAX does not take as an argument, or where the library hides its jit.
        """
        known, arrays_only = self._facts_of(subject)
        bound, keywords = bound_arguments(subject)
        reading = self._reader.read(known, (*bound, *args), {**keywords, **kwargs}, arrays_only)
        entry = fast(known, reading)
        if entry in self._fast:
            return Judgement(known, "CACHED", (), self._fast[entry], None, ())
        keys = self._layers.keys(known, reading)
        ran = self._look_up(keys, len(reading.devices) > 1)
        nearest, told = self._explain(known, reading, index) if ran else (None, ())
        if len(reading.devices) > 1:
            error = f"ValueError: incompatible devices: {', '.join(sorted(reading.devices))}"
            return Judgement(known, _STATUS[ran[-1] if ran else None], ran, None, nearest, told, error)
        number = self._fast[entry] = self._executable(keys.compiled)
        return Judgement(known, _STATUS[ran[-1] if ran else None], ran, number, nearest, told)

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
        self, known: JitFacts, reading: Reading, index: int
    ) -> tuple[int | None, tuple[Reason, ...]]:
        history = self._histories.setdefault(known.lineage, History(self._reader.interner))
        earlier = history.nearest(reading.signature)
        history.add(reading.signature, index)
        if earlier is None:
            return None, (first_call(known),)
        found = differences(history, history.row(reading.signature, index), earlier)
        return earlier.index, reasons(found, known, None, cleared=False)

    def _facts_of(self, subject: Any) -> tuple[JitFacts, bool]:
        known = self._facts.get(id(subject))
        if known is None:
            found = underlying(subject)
            if found is None:
                raise TypeError(f"not a jit that can be planned for: {subject!r}")
            jit, filter_jit = found
            read = (
                facts(jit, self._functions)
                if filter_jit is None
                else facts_of_filter_jit(filter_jit, jit, self._functions)
            )
            known = self._facts[id(subject)] = (read, filter_jit is not None)
        return known
