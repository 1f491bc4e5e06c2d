"""The verdict on each call: how it compares with earlier ones, and which executable it used."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from jitinspect.calls.cache_layers import Layers
from jitinspect.calls.comparisons import Compared, Comparisons
from jitinspect.calls.entries import Ahead, Miss
from jitinspect.calls.executables import Group
from jitinspect.calls.signature import CallKey, SignatureReader
from jitinspect.jaxapi.calls import frames
from jitinspect.jaxapi.calls.explanations import NOTHING, agrees
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts
from jitinspect.jaxapi.jits.filter_jit import facts_of_filter_jit
from jitinspect.model import Reason


class Verdicts:
    """The comparisons of all calls, and one group of executables for jits that share them.

    `executables` is how many there are, `signatures` has that of the call which made each. With `explain` a
    call keeps what JAX says of it, where that is something else; `plannable` tells that hints may speak of
    `--plan`.
    """

    def __init__(self, explain: bool, plannable: bool) -> None:
        self.executables = 0
        self.signatures: dict[int, str] = {}
        self.reader = SignatureReader()
        self.functions = FunctionNumbers()
        self.comparisons = Comparisons(self.reader.interner, plannable)
        self._explain_too = explain
        self._groups: dict[Hashable, Group] = {}
        self._layers = Layers()
        self._compiled: dict[Hashable, int] = {}
        self._cleared: dict[int | None, int] = {}  # function (None: all) → rows before its caches went

    def clear(self, jit: Any | None, rows: int) -> None:
        """The caches of one jit, or all, were cleared when there were so many rows."""
        known = None if jit is None else facts(jit, self.functions)
        self._cleared[known.function if known else None] = rows
        self._layers.forget()
        for group in [self.group(known)] if known else self._groups.values():
            group.forget()
        if known is None:
            self._compiled.clear()

    def compiled_ahead(self, made: Ahead) -> int:
        """The number of an executable that no call made; later calls are compared with it, too."""
        known: JitFacts = made.watched.facts
        if made.call_key is not None:
            self.comparisons.add(known, made.call_key.signature)
        return self.new_executable(known, made.call_key, made.signature)

    def executable(self, miss: Miss, failed: bool) -> int | None:
        if miss.stages.compiled:
            return self.new_executable(miss.facts, miss.call_key, miss.signature)
        if failed or miss.call_key is None:
            return None
        number = self._compiled.get(self._layers.keys(miss.facts, miss.call_key).compiled)
        if number is not None:
            self.group(miss.facts).add(miss.call_key, number)
        return number

    def new_executable(self, known: JitFacts, call_key: CallKey | None, signature: str) -> int:
        self.executables += 1
        self.signatures[self.executables] = signature
        if call_key is not None:
            self.group(known).add(call_key, self.executables)
            self._compiled[self._layers.keys(known, call_key).compiled] = self.executables
        return self.executables

    def used(self, known: JitFacts, call_key: CallKey) -> int:
        """The executable of a call that fired no event; 0 where its like was never seen."""
        number = self.group(known).executables.get(call_key.execution)
        return number or self._compiled.get(self._layers.keys(known, call_key).compiled, 0)

    def explain(self, miss: Miss, index: int) -> tuple[int | None, Callable[[], tuple[Reason, ...]]]:
        """The nearest earlier call, and what tells why this one is not alike."""
        if miss.call_key is None or not miss.stages.ran:
            return None, tuple
        compared = self.comparisons.compare(miss.facts, miss.call_key.signature, index)
        cleared = self._was_cleared(miss.facts, compared)
        tell = functools.partial(self.comparisons.reasons, compared, miss.facts, miss.made_at, cleared)
        if compared.earlier is None:
            miss.jax_says = None  # it says as much
        elif self._explain_too:
            self._compare_with_jax(miss, tell())
        return compared.nearest, tell

    def _was_cleared(self, known: JitFacts, compared: Compared) -> bool:
        """Whether the caches went between the nearest call and this one."""
        rows = max(self._cleared.get(key, 0) for key in (None, known.function))
        return compared.earlier is not None and compared.earlier.index < rows

    def _compare_with_jax(self, miss: Miss, told: tuple[Reason, ...]) -> None:
        if miss.jax_says is None:
            miss.jax_says = NOTHING
        if agrees(miss.jax_says, told):
            miss.jax_says = None

    def facts_of(self, call: frames.Underway) -> JitFacts:
        if call.filter_jit is not None:
            known = facts_of_filter_jit(call.filter_jit, call.jit, self.functions)
            call.watched.facts = call.watched.facts or known
            return known
        if call.watched.facts is None:
            known = call.watched.facts = facts(call.jit, self.functions)
            self.group(known).join(call.watched)
        told: JitFacts = call.watched.facts
        return told

    def group(self, known: JitFacts) -> Group:
        group = self._groups.get(known.fast)
        if group is None:
            group = self._groups[known.fast] = Group()
        return group

    def read(self, known: JitFacts, call: frames.Underway) -> CallKey | None:
        """None where an argument is nothing that JAX takes: then the call fails."""
        arguments: Mapping[str, Any] = call.kwargs
        try:
            return self.reader.read(known, call.args, arguments, call.filter_jit)
        except (TypeError, OverflowError, ValueError):
            return None
