"""What donating saves: the memory and the traffic of the compiled module, beside those without donation.

An alias alone saves nothing if XLA copies what would be overwritten too early, or if temporaries lay in the
memory of results before: each figure is the difference between two compiled modules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jitinspect.ir import hlo
from jitinspect.ir.program import Block, Operation
from jitinspect.jaxapi.executables import aliasing, memory
from jitinspect.jaxapi.executables.dumps import platforms
from jitinspect.readings.cost_model.instruction_costs import program_cost
from jitinspect.readings.result_order import Donation, Order, better
from jitinspect.readings.without_donation import peak_without_donation

Aliases = Mapping[int, int]
"""Index of an argument leaf → that of the output that gets its buffer."""
_ATTEMPTS = 3
"""How often leaves that would be copied are left out, and the others compiled again."""
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Module:
    """A compiled module: its aliases, its peak memory (None if not known), the bytes that it moves; `copied`
    are the leaves that it copies, `made_by_copy` the outputs that it makes by copying. `parameters` (by leaf)
    and `outputs` are instructions of its `entry`. `alone` is the peak memory without its aliases, if that
    follows from it.
    """

    aliases: Aliases
    peak: int | None
    bytes: int
    copied: frozenset[int]
    made_by_copy: frozenset[int]
    entry: Block
    parameters: Mapping[int, str]
    outputs: Sequence[str]
    alone: int | None = None

    def copies_for(self, leaf: int, base: Module) -> bool:
        """Whether its buffer is reused at the price of a copy that `base` does not have."""
        made = self.made_by_copy - base.made_by_copy
        return leaf in self.copied - base.copied or self.aliases.get(leaf) in made


@dataclass(frozen=True, slots=True)
class Savings:
    """`saved` is how much less memory the module takes than without donation, `moved` how many bytes more it
    moves (either may be negative); None if not known. `could_save` is how much less it would take with the
    leaves of `gained`, each with the output that it would get, donated as well.

    `order` is a better one of the outputs, `order_saves` how much less than without donation it would take,
    `order_moved` how many bytes more it would move, `order_donates` the leaves that it would reuse.
    """

    saved: int | None = None
    moved: int = 0
    could_save: int | None = None
    gained: Mapping[int, int] = field(default_factory=dict)
    copied: frozenset[int] = frozenset()
    order: Order | None = None
    order_saves: int = 0
    order_moved: int = 0
    order_donates: tuple[int, ...] = ()


def module(lowered: Any, compiled: Any) -> Module:
    """Raises `UnavailableError` if the compiled HLO, or which arguments were dropped, is not available."""
    aliases = aliasing.aliases(lowered, compiled)
    program = hlo.parse(compiled.as_text())
    made = {one.names[0]: one for one in program.entry.operations}
    leaves = aliasing.leaves_of_parameters(lowered)
    numbers = {int(_NUMBER.match(one.rest)[0]): name for name, one in made.items() if _is_given(one)}  # type: ignore[index]
    parameters = {leaf: numbers[number] for number, leaf in leaves.items() if number in numbers}
    root = program.root(program.entry)
    results = root.operands if root.opcode == "tuple" else root.names
    outputs = results[aliasing.tokens_returned(lowered) :]
    copied = {_source(made, one.operands[0]) for one in made.values() if one.opcode == "copy"}
    sums, sources = memory.sums(compiled), [made[_source(made, name)] for name in outputs]
    return Module(
        aliases,
        memory.peak(sums),
        program_cost(program).bytes,
        frozenset(leaf for leaf, name in parameters.items() if name in copied),
        frozenset(at for at, source in enumerate(sources) if source.opcode == "copy"),
        program.entry,
        parameters,
        outputs,
        peak_without_donation(program, sources, sums) if platforms(lowered) == ("cpu",) else None,
    )


def _is_given(operation: Operation) -> bool:
    return operation.opcode == "parameter"


def _source(made: Mapping[str, Operation], name: str) -> str:
    """What a value is another view of."""
    while made[name].opcode == "bitcast":
        name = made[name].operands[0]
    return name


def savings(
    recompiled: Callable[[Sequence[bool], Order], tuple[Any, Any] | None],
    now: Module,
    donated: Sequence[bool],
    could_donate: Sequence[bool],
    names: Sequence[str],
) -> Savings:
    """`now` is the module as it is, `recompiled` makes others, or None where that is the same one; `donated`
    and `could_donate` are for each leaf, `names` are the paths of the outputs.

    Compiles it without donation, with all donated that could be, and with its outputs in another order, as
    far as these differ and matter. Raises `UnavailableError` if JAX does not compile them.
    """

    def compiled(donated: Sequence[bool], order: Order = ()) -> Module:
        made = recompiled(donated, order)
        return now if made is None else module(*made)

    base = _without_aliases(now, len(names)) or compiled([False] * len(donated))
    further, gained = _further(compiled, now, base, donated, could_donate)
    could = _less(further, now)
    found = Savings(
        saved=_less(now, base),
        moved=now.bytes - base.bytes,
        could_save=could,
        gained={} if could is not None and could <= 0 else gained,
        copied=frozenset(leaf for leaf in now.aliases if now.copies_for(leaf, base)),
    )
    to_donate = donated if any(donated) else could_donate
    order = better(_donation(base, to_donate), names)
    if order is None:
        return found
    current = now if any(donated) else further
    return _with_order(found, order, compiled(to_donate, order), current, base)


def _without_aliases(now: Module, outputs: int) -> Module | None:
    """None if that has to be compiled. Where it has more than the function's own `outputs`, they are of
    mutable arrays, which keep their buffers.
    """
    if not now.aliases:
        return now
    if now.alone is None or len(now.outputs) > outputs:
        return None
    return replace(now, aliases={}, peak=now.alone)


def _further(
    compiled: Callable[[Sequence[bool]], Module],
    now: Module,
    base: Module,
    donated: Sequence[bool],
    could_donate: Sequence[bool],
) -> tuple[Module, dict[int, int]]:
    """The module with more leaves donated, and which of them then get which output: without those that would
    be copied instead.
    """
    wished = [given or could for given, could in zip(donated, could_donate, strict=True)]
    for _ in range(_ATTEMPTS):
        if wished == list(donated):
            break
        further = compiled(wished)
        gained = _gained(now, further, donated)
        copied = {leaf for leaf in gained if further.copies_for(leaf, base)}
        if not copied:
            return further, gained
        kept = gained.keys() - (copied if len(copied) < len(gained) else {min(copied)})
        wished = [given or leaf in kept for leaf, given in enumerate(donated)]
    return now, {}


def _gained(now: Module, further: Module, donated: Sequence[bool]) -> dict[int, int]:
    outputs = {
        leaf: gained_output(leaf, now.aliases, further.aliases)
        for leaf, given in enumerate(donated)
        if not given
    }
    return {leaf: output for leaf, output in outputs.items() if output is not None}


def gained_output(leaf: int, now: Aliases, all_donated: Aliases) -> int | None:
    """The output, if any, that gets a donated buffer only if `leaf` is donated, as in `all_donated`.

    If `leaf` takes the output of another argument, that argument may get another output, or none.
    """
    owner = {output: other for other, output in now.items() if other != leaf}
    while (output := all_donated.get(leaf)) in owner:
        leaf = owner.pop(output)
    return output


def _less(one: Module, other: Module) -> int | None:
    """How much less memory `one` takes."""
    return None if one.peak is None or other.peak is None else other.peak - one.peak


def _donation(base: Module, donated: Sequence[bool]) -> Donation:
    given = [name for leaf, name in sorted(base.parameters.items()) if donated[leaf]]
    return Donation(base.entry, given, base.outputs)


def _with_order(found: Savings, order: Order, ordered: Module, current: Module, base: Module) -> Savings:
    """`found` with the order, if it takes less memory than the `current` one, or moves less in as much."""
    less = _less(ordered, current)
    if less is None or (-less, ordered.bytes) >= (0, current.bytes):
        return found
    return replace(
        found,
        order=order,
        order_saves=_less(ordered, base) or 0,
        order_moved=ordered.bytes - base.bytes,
        order_donates=tuple(sorted(ordered.aliases)),
    )
