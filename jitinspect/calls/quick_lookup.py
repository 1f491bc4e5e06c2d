"""Which executable a cached call used, found from as few of its arguments as possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from jitinspect.calls.explain import Form, Interner, Node, Slot, Static
from jitinspect.calls.explain.modules import is_graph
from jitinspect.calls.signature import CallKey
from jitinspect.jaxapi.arrays.leaves import ArrayImpl
from jitinspect.jaxapi.jits.facts import JitFacts
from jitinspect.specs.dtypes import LONG

Lookup = Callable[[Any, Any], int | None]
"""(args, kwargs) → the number of an executable; None for a call that it cannot identify."""


def no_lookup(args: Any, kwargs: Any) -> int | None:
    """Identifies no call."""
    return None


MOST_PROBES = 4
MOST_CANDIDATES = 64
MOST_FORMS = 16


class QuickLookup:
    """Distinguishes the executables of one group: by how the call is written, then by a few components.

    For executables that look the same to it, it returns None, never a wrong number.
    """

    def __init__(self, call_keys: Mapping[int, CallKey], facts: JitFacts, interner: Interner) -> None:
        self._interner = interner
        self._tables: dict[Hashable, _Table] = {}
        alike: dict[Hashable, dict[int, CallKey]] = {}
        for number, call_key in call_keys.items():
            alike.setdefault(_written_form(_call_forms(call_key, interner)), {})[number] = call_key
        for written_form, found in alike.items():
            self._tables[written_form] = _Table(found, facts, interner)
        self.lookup: Lookup = self._lookup()

    def _lookup(self) -> Lookup:
        if len(self._tables) == 1:
            return next(iter(self._tables.values())).lookup
        lookups = {written_form: table.lookup for written_form, table in self._tables.items()}

        def lookup(args: Any, kwargs: Any) -> int | None:
            found = lookups.get((len(args), *sorted(kwargs)))
            return found(args, kwargs) if found is not None else None

        return lookup

    def add(self, call_key: CallKey, number: int, replaced: int | None) -> bool:
        """Add an executable, which may replace the number `instead`; returns whether it could."""
        table = self._tables.get(_written_form(_call_forms(call_key, self._interner)))
        return table is not None and table.add(call_key, number, replaced)


class _Table:
    """Executables of calls that are written the same way, by a few of their components."""

    def __init__(self, call_keys: Mapping[int, CallKey], facts: JitFacts, interner: Interner) -> None:
        self._interner = interner
        call_forms = _call_forms(next(iter(call_keys.values())), interner)
        modules = _modules(next(iter(call_keys.values())), interner)
        candidates = list(_candidates(list(call_keys.values()), call_forms, facts, modules))
        chosen = _fewest([ids for _, _, ids in candidates])
        self._slots = [candidates[index][0] for index in chosen]
        self._numbers: dict[Any, int | None] = {}
        self._of_forms: dict[Form, list[int] | None] = {}
        self.lookup = _compiled([candidates[index][1] for index in chosen], self._numbers)
        for number, call_key in call_keys.items():
            self.add(call_key, number)

    def add(self, call_key: CallKey, number: int, replaced: int | None = None) -> bool:
        places, ids = self._places(call_key.signature.form), call_key.signature.ids
        if places is None:
            return False
        values = [
            _probed_value(slot, self._interner.values[ids[place]])
            for slot, place in zip(self._slots, places, strict=True)
        ]
        key = values[0] if len(values) == 1 else tuple(values)
        known = self._numbers.setdefault(key, number)  # None for good where several look the same
        self._numbers[key] = number if known is not None and known in (number, replaced) else None
        return True

    def _places(self, form: Form) -> list[int] | None:
        """Where a form has the components; None if it has not got them all."""
        if form not in self._of_forms:
            where = {slot: index for index, slot in enumerate(form.slots)}
            has_all = all(slot in where for slot in self._slots)
            self._of_forms[form] = [where[slot] for slot in self._slots] if has_all else None
        return self._of_forms[form]


def _call_forms(call_key: CallKey, interner: Interner) -> dict[str | None, str]:
    """Parameter → how it was passed."""
    signature = call_key.signature
    return {
        slot.where: interner.values[number]
        for slot, number in zip(signature.form.slots, signature.ids, strict=True)
        if slot.kind == "call_form"
    }


def _modules(call_key: CallKey, interner: Interner) -> tuple[str, ...]:
    """The beginnings of paths that are the user's and not those of what JAX is called with: `model.`."""
    signature = call_key.signature
    return tuple(
        f"{slot.where}".removesuffix("[0]") + "."
        for slot, number in zip(signature.form.slots, signature.ids, strict=True)
        if slot.kind == "structure" and is_graph(interner.values[number].type)
    )


def _written_form(call_forms: Mapping[str | None, str]) -> Hashable:
    """`(2, 'training')`: two arguments by position, `training` by keyword."""
    names = (str(name) for name, form in call_forms.items() if form == "by keyword")
    return (sum(form == "by position" for form in call_forms.values()), *sorted(names))


def _candidates(
    call_keys: list[CallKey],
    call_forms: Mapping[str | None, str],
    facts: JitFacts,
    modules: tuple[str, ...],
) -> Iterator[tuple[Slot, str, npt.NDArray[np.int32]]]:
    """The components that all calls have, that vary, and that code can read: each with that code, and with
    its id in every call.
    """
    forms = {call_key.signature.form for call_key in call_keys}
    if len(forms) > MOST_FORMS:
        return
    positions = {form: {slot: index for index, slot in enumerate(form.slots)} for form in forms}
    first = call_keys[0].signature.form
    shared = [
        slot
        for slot in first.slots
        if all(slot in places for places in positions.values()) and not f"{slot.where}".startswith(modules)
    ]
    columns = {form: [places[slot] for slot in shared] for form, places in positions.items()}
    ids = np.array(
        [np.array(call_key.signature.ids)[columns[call_key.signature.form]] for call_key in call_keys],
        np.int32,
    )
    count = 0
    for column in np.flatnonzero((ids != ids[0]).any(axis=0)).tolist():
        if count < MOST_CANDIDATES and (source := _source(shared[column], call_forms, facts)) is not None:
            count += 1
            yield shared[column], source, ids[:, column]


def _fewest(columns: list[npt.NDArray[np.int32]]) -> list[int]:
    """Columns that together distinguish all rows, or as many as they can, chosen greedily."""
    chosen: list[int] = []
    if not columns:
        return chosen
    classes, count = np.zeros(len(columns[0]), np.int64), 1
    while count < len(classes) and len(chosen) < MOST_PROBES:
        finer = [classes * (int(ids.max()) + 1) + ids for ids in columns]
        counts = [len(np.unique(numbers)) for numbers in finer]
        best = int(np.argmax(counts))
        if counts[best] == count:
            break
        chosen.append(best)
        classes, count = np.unique(finer[best], return_inverse=True)[1], counts[best]
    return chosen


def _compiled(sources: list[str], numbers: dict[Any, int | None]) -> Lookup:
    """Expressions such as `args[0].shape`, as a function that looks their values up in `numbers`."""
    if not sources:
        return no_lookup
    key = sources[0] if len(sources) == 1 else f"({', '.join(sources)})"
    names: dict[str, Any] = {"get": numbers.get, "node": node, "Array": ArrayImpl}
    exec(_PROBE.format(key=key), names)
    lookup: Lookup = names["probe"]
    return lookup


_PROBE = """
def probe(args, kwargs):
    try:
        return get({key})
    except (AttributeError, TypeError, LookupError):
        return None
"""
_SUFFIX = re.compile(r"(?:\.[^\W\d]\w*|\[\d+\]|\['\w*'\])*")
_READ = {
    "shape": "({0}.aval if {0}.__class__ is Array else {0}).shape",  # a third of the time
    "dtype": "{}.dtype",
    "weak_type": "{}.weak_type",
    "structure": "node({})",
    "static_value": "{}",  # 1 and True look the same; then neither is identified
}


def _source(slot: Slot, call_forms: Mapping[str | None, str], facts: JitFacts) -> str | None:
    """Code that reads one component of `args` and `kwargs`; None if that is not simple.

    Only names, numbers and plain keys become code.
    """
    name = re.match(r"\w+", slot.where or "")
    if slot.where is None or slot.kind not in _READ or name is None:
        return None
    path = slot.where[name.end() :]
    if not _SUFFIX.fullmatch(path):
        return None
    match call_forms.get(name[0]):
        case "by position":
            return _READ[slot.kind].format(f"args[{list(facts.parameters).index(name[0])}]{path}")
        case "by keyword":
            return _READ[slot.kind].format(f"kwargs[{name[0]!r}]{path}")
    return None


def node(value: Any) -> Any:
    """What can be read quickly of a node of an argument's tree."""
    kind = value.__class__
    return (kind, len(value)) if kind in (list, tuple, dict) else value is None


def _probed_value(slot: Slot, value: Any) -> Any:
    """A component's value as `_source` reads it."""
    if isinstance(value, Static):
        return value.value
    if isinstance(value, Node):
        return _probed_node(value)
    return _dtype(value) if slot.kind == "dtype" else value


def _dtype(name: str) -> Any:
    """NumPy's own object, whose name is slow to compute. PRNG keys have none and cannot be probed."""
    try:
        return np.dtype(LONG.get(name, name))
    except TypeError:
        return name


def _probed_node(value: Node) -> Any:
    if value.type in (list, tuple):
        return value.type, value.keys
    return (dict, len(value.keys)) if value.type is dict else value.type is type(None)  # type: ignore[arg-type]
