"""The verdict on each call: how it compares with earlier ones, and which executable it used."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from jitinspect.calls.cache_layers import Layers
from jitinspect.calls.comparisons import Compared, Comparisons
from jitinspect.calls.entries import AheadOfTime, Executable, Explained, Miss, unexplained
from jitinspect.calls.executables import Group
from jitinspect.calls.reasons import stale
from jitinspect.calls.signature import CallKey, SignatureReader
from jitinspect.jaxapi.calls import frames
from jitinspect.jaxapi.calls.explanations import NOTHING, agrees
from jitinspect.jaxapi.jits.facts import FunctionNumbers, JitFacts, facts
from jitinspect.jaxapi.jits.filter_jit import facts_of_filter_jit
from jitinspect.model import Reason
from jitinspect.process.paths import relative


class Verdicts:
    """The comparisons of all calls, and one group of executables for jits that share them.

    `executables` is how many there are, `signatures` has the signature of the call that made each. With
    `explain` a call keeps JAX's own explanation where it differs; with `plannable`, hints may mention
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
        self._under_way: list[Miss] = []
        self._cleared: dict[int | None, int] = {}  # function (None: all) → rows before its caches went

    def clear(self, jit: Any | None, made_after: int, rows: int) -> JitFacts | None:
        """The caches of one jit, or all, were cleared when there were `rows` rows. Returns its facts."""
        jit_facts = None if jit is None else facts(jit, self.functions, made_after)
        self._cleared[jit_facts.function if jit_facts else None] = rows
        self._layers.forget()
        self.functions.forget_facts()
        for group in [self.group(jit_facts)] if jit_facts else self._groups.values():
            group.forget()
        if jit_facts is None:
            self._compiled.clear()
        return jit_facts

    def compiled_ahead(self, origin: AheadOfTime) -> int:
        """The number of an executable that no call made; later calls are compared with it as well."""
        jit_facts: JitFacts = origin.watched.facts
        if origin.call_key is not None:
            self.comparisons.add(jit_facts, origin.call_key.signature)
        return self.new_executable(jit_facts, origin.call_key, origin.signature)

    def begin(self, miss: Miss) -> None:
        """A call has begun in which JAX does something. Must be called in the context of the call."""
        self.group(miss.facts).begin()
        self._under_way.append(miss)
        if miss.call_key is not None:
            miss.compiled = self._layers.keys(miss.facts, miss.call_key).compiled

    def end(self, miss: Miss, failed: bool) -> None:
        """It has ended: this sets its executable."""
        miss.executable = self._executable(miss, failed)
        if miss in self._under_way:
            self._under_way.remove(miss)
            self.group(miss.facts).end()

    def _executable(self, miss: Miss, failed: bool) -> Executable:
        if miss.stages.compiled:
            return self.new_executable(miss.facts, miss.call_key, miss.signature, miss.compiled)
        if failed or miss.call_key is None:
            return None
        number = self._compiled.get(miss.compiled)
        if number is not None:
            self.group(miss.facts).add(miss.call_key, number)
        return number or self._being_made(miss.compiled, miss)

    def _being_made(self, compiled: Hashable, by_other_than: Miss | None = None) -> Executable:
        """The call in another thread whose executable it is, if JAX has it and that call has not ended."""
        calls = (miss for miss in self._under_way if miss.stages.compiled and miss is not by_other_than)
        return next((miss for miss in calls if miss.compiled == compiled), None)

    def new_executable(
        self, jit_facts: JitFacts, call_key: CallKey | None, signature: str, compiled: Hashable = None
    ) -> int:
        """The number of one more; `compiled` is its key, if that is known."""
        self.executables += 1
        self.signatures[self.executables] = signature
        if call_key is not None:
            self.group(jit_facts).add(call_key, self.executables)
            compiled = compiled or self._layers.keys(jit_facts, call_key).compiled
            self._compiled[compiled] = self.executables
        return self.executables

    def cached_executable(self, jit_facts: JitFacts, call_key: CallKey) -> Executable:
        """The executable of a call that fired no event; 0 if no such call has been seen."""
        number = self.group(jit_facts).find(call_key)
        compiled = self._layers.keys(jit_facts, call_key).compiled
        return number or self._compiled.get(compiled) or self._being_made(compiled) or 0

    def explain(self, miss: Miss, index: int) -> Callable[[], Explained]:
        """How call `index` compares with earlier ones, as a function that finds it out."""
        if not miss.stages.ran:
            return unexplained
        if miss.call_key is None:
            seen = f"{miss.signature}: {miss.unread}"
            found = self.comparisons.unread(miss.facts.name, miss.facts.lineage, seen)
            return lambda: (None, found)
        compared = self.comparisons.compare(miss.facts, miss.call_key.signature, index)
        rows = max(self._cleared.get(None, 0), self._cleared.get(miss.facts.function, 0))
        explain = functools.partial(self._explained, miss, compared, rows)
        if self._explain_too:
            self._compare_with_jax(miss, compared, explain()[1])
        return explain

    def _explained(self, miss: Miss, compared: Compared, cleared: int) -> Explained:
        """The caches were `cleared` after that many rows."""
        earlier = compared.earlier
        in_between = earlier is not None and earlier.index < cleared
        made_at = relative(frames.position(*miss.made_at)) if miss.made_at else None
        return compared.nearest, self.comparisons.reasons(compared, miss.facts, made_at, in_between)

    def stale(self, miss: Miss, at: str | None) -> Iterator[str]:
        """Warnings, for a call that may have got the result of other static values."""
        if miss.call_key is not None and "trace" not in miss.stages.ran:
            changed = self.comparisons.stale(miss.facts, miss.call_key.signature)
            yield from stale(miss.facts.name, relative(at), changed)

    def _compare_with_jax(self, miss: Miss, compared: Compared, reasons: tuple[Reason, ...]) -> None:
        """Of a first call JAX says the same."""
        if compared.earlier is None:
            miss.jax_says = None
            return
        if miss.jax_says is None:
            miss.jax_says = NOTHING
        if agrees(miss.jax_says, reasons):
            miss.jax_says = None

    def facts_of(self, call: frames.WatchedCall) -> JitFacts:
        watched = call.watched
        if call.filter_jit is not None:
            jit_facts = facts_of_filter_jit(call.filter_jit, call.jit, self.functions, watched.made_after)
            watched.facts = watched.facts or jit_facts
            return jit_facts
        if watched.facts is None:
            jit_facts = watched.facts = facts(call.jit, self.functions, watched.made_after)
            self.group(jit_facts).join(watched)
        elif watched.facts.read != self.functions.times_forgotten:
            watched.facts = facts(call.jit, self.functions, watched.made_after)
        found: JitFacts = watched.facts
        return found

    def group(self, jit_facts: JitFacts) -> Group:
        group = self._groups.get(jit_facts.fast)
        if group is None:
            group = self._groups[jit_facts.fast] = Group()
        return group

    def read(self, jit_facts: JitFacts, call: frames.WatchedCall) -> CallKey | None:
        """None for a call that cannot be read, for example as JAX does not accept an argument."""
        return self.try_to_read(jit_facts, call)[0]

    def try_to_read(self, jit_facts: JitFacts, call: frames.WatchedCall) -> tuple[CallKey | None, str]:
        arguments: Mapping[str, Any] = call.kwargs
        return self.reader.try_to_read(jit_facts, call.args, arguments, call.filter_jit)
