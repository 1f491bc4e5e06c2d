"""Two signatures → all the differences between them, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from jitinspect.calls.explain.history import History, Row
from jitinspect.calls.explain.modules import appeared, attribute_text, is_graph
from jitinspect.calls.explain.slots import (
    DEFAULT_LAYOUT,
    LEAF,
    KnownSettings,
    MadeFunction,
    Node,
    Slot,
    Static,
    equal,
)
from jitinspect.calls.explain.values import (
    are_alike,
    aux_text,
    differing_metadata,
    differing_parts,
    node_text,
    reprs_around_difference,
    text,
)
from jitinspect.model import CapturedValue, ReasonKind

NOT_THERE = "nothing"
"""The text for an attribute that only one of two modules has."""
LEAF_TYPE: tuple[ReasonKind, ...] = ("shape", "dtype", "weak_type")
MOST_PARTS = 16
"""Parts of one value that are told apart."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One component that differs: `before` and `now` are texts for the reader, `old` and `new` the raw values
    for the hint; `of` is the class of a node whose metadata differ.

    `alike` means that JAX takes the two for different, but that all there is to see of them is equal;
    `in_place` that they are one object, which was changed.
    """

    kind: ReasonKind
    where: str | None
    before: str
    now: str
    old: object = None
    new: object = None
    of: str | None = None
    alike: bool = False
    in_place: bool = False


def differences(history: History, row: Row, earlier: Row, most: int | None = None) -> tuple[Difference, ...]:
    """Every difference that may have made JAX compile again, once each; of at most `most` differing
    components. How an argument was passed comes after what was passed.
    """
    changed = list(islice(history.changed(row, earlier), most))
    captured_differs = any(slot.kind == "closure" for slot in changed)
    if captured_differs:
        changed = [slot for slot in changed if slot.kind != "closure" or _is_cause(slot, row, earlier)]
    found = [difference for slot in changed for difference in _slot_differences(slot, row, earlier)]
    if captured_differs:
        found = [replace(one, alike=False) if one.kind == "new_function" else one for one in found]
    told = [difference for difference in found if not _implied(difference, found)]
    return tuple(sorted(told, key=lambda difference: difference.kind == "call_form"))


def _is_cause(slot: Slot, row: Row, earlier: Row) -> bool:
    """Whether what a function captures is why it is compiled again: a new function captures another value.
    A container that only grew, such as a list of results, is not.
    """
    if earlier.get("new_function", None) == row.get("new_function", None):
        return False
    old, new = earlier.get(*slot), row.get(*slot)
    return not (new.sort == "container" and new.mutable is not None and old.mutable == new.mutable)


def _slot_differences(slot: Slot, row: Row, earlier: Row) -> Iterator[Difference]:
    kind, where = slot
    old, new = earlier.get(kind, where), row.get(kind, where)
    if kind in LEAF_TYPE:
        yield Difference(kind, where, leaf_text(earlier, where), leaf_text(row, where), old, new)
    elif isinstance(old, Static) and isinstance(new, Static):
        yield from _statics(kind, where, old, new)
    elif isinstance(old, MadeFunction) and isinstance(new, MadeFunction):
        alike = not old.left_out and not new.left_out
        yield Difference(kind, where, str(old.place), str(new.place), old, new, alike=alike)
    elif kind == "static_value":  # traced on one side
        yield Difference(
            kind, where, _value_text(earlier, where, old), _value_text(row, where, new), old, new
        )
    elif isinstance(old, Node) and isinstance(new, Node):
        yield from _nodes(where, old, new, row, earlier)
    elif kind == "call_form":
        yield Difference(kind, where, earlier.call_form(where), row.call_form(where), old, new)
    elif kind == "layout":
        yield Difference(kind, where, _layout_text(earlier, where), _layout_text(row, where), old, new)
    elif kind == "committed":
        yield Difference(kind, where, _placement_text(earlier, where), _placement_text(row, where), old, new)
    elif isinstance(old, CapturedValue) and isinstance(new, CapturedValue):
        texts = _part_texts(kind, old, new)
        yield Difference(kind, _shown(str(where)), *texts, old, new)
    elif isinstance(old, KnownSettings) and isinstance(new, KnownSettings):
        added = ", ".join(name for name in new.names if name not in old.names)
        texts = str(len(old.names)), f"{len(new.names)}, with {added}"
        yield Difference(kind, where, *texts, old, new, alike=True)
    else:
        yield Difference(kind, where, text(kind, old), text(kind, new), old, new)


def _statics(kind: ReasonKind, where: str | None, old: Static, new: Static) -> Iterator[Difference]:
    """A value is described by its parts that differ, if it has such, each with its path."""
    same, before, now = _is_the_same(old.value, new.value), old.seen, new.seen
    paths = differing_parts(before, now) if before and now and old.type is new.type else []
    if not paths or "" in paths or before is None or now is None:
        alike = old.type is new.type and are_alike(before, now)
        texts = _static_texts(old, new)
        yield Difference(kind, where, *texts, old, new, alike=alike, in_place=same and not alike)
        return
    for path in paths[:MOST_PARTS]:
        first, second = before.parts[path], now.parts[path]
        texts = _part_texts(kind, first, second)
        yield Difference(kind, f"{where}{_shown(path)}", *texts, first, second, in_place=same)


def _shown(path: str) -> str:
    """A path without the steps that nobody wrote."""
    return path.replace(".__wrapped__", "").replace(".__func__", "")


def _is_the_same(before: object, now: object) -> bool:
    """Whether two values that differed when they were read are one object, or have become equal since."""
    return before is now or (dataclasses.is_dataclass(now) and equal(before, now))


def _nodes(where: str | None, old: Node, new: Node, row: Row, earlier: Row) -> Iterator[Difference]:
    """A tree whose node differs in a field is described by that field, as a static value would be."""
    if is_graph(new.type) and is_graph(old.type) and (changes := list(_appearances(where, old, new))):
        yield from changes
        return
    fields, alike = list(differing_metadata(old, new)), are_alike(old.seen, new.seen)
    for name, before, now in fields:
        texts = _static_texts(before, now)
        owner = str(where).removesuffix("[0]") if is_graph(new.type) else where  # flax: (graph, arrays)
        yield Difference("static_value", f"{owner}.{name}", *texts, before, now, alike=alike)
    if fields:
        return
    if (old.type, old.keys) == (new.type, new.keys):
        texts = _distinct(*_aux_texts(old, new))
        yield Difference("structure", where, *texts, old, new, of=node_text(new, True), alike=alike)
    else:
        typed = old.type is not new.type
        texts = _node_text(old, earlier, where, typed), _node_text(new, row, where, typed)
        if texts[0] == texts[1] and typed and old.type and new.type:
            texts = _whole_name(old.type), _whole_name(new.type)
        yield Difference("structure", where, *_distinct(*texts), old, new)


def _appearances(where: str | None, old: Node, new: Node) -> Iterator[Difference]:
    """What one of two modules has and the other has not, by its path."""
    owner = str(where).removesuffix("[0]")
    for path, attribute in appeared(old.aux, new.aux):
        yield Difference("structure", f"{owner}{path}", NOT_THERE, attribute_text(attribute), None, attribute)
    for path, attribute in appeared(new.aux, old.aux):
        yield Difference("structure", f"{owner}{path}", attribute_text(attribute), NOT_THERE, attribute, None)


def _aux_texts(old: Node, new: Node) -> tuple[str, str]:
    before, now = aux_text(old), aux_text(new)
    if before == now and old.seen and new.seen:
        return reprs_around_difference(old.seen.text, new.seen.text) or (before, now)
    return before, now


def _whole_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _static_texts(before: Static, now: Static) -> tuple[str, str]:
    """Different even where two values print alike: then by their types, or as two objects."""
    old, new = text("static_value", before), text("static_value", now)
    if old == new and before.type is not now.type:
        return f"{before.type.__qualname__} {old}", f"{now.type.__qualname__} {new}"
    if old == new and before.seen and now.seen:
        return reprs_around_difference(before.seen.text, now.seen.text) or _distinct(old, new)
    return _distinct(old, new)


def _part_texts(kind: ReasonKind, old: CapturedValue, new: CapturedValue) -> tuple[str, str]:
    """Arrays of one type are small enough to have been compared, or else are known to be two."""
    before, now = text(kind, old), text(kind, new)
    if before == now and new.sort == "array":
        compared = isinstance(new.identity, tuple) and isinstance(new.identity[-1], bytes)
        return before, f"{now} ({'other values' if compared else 'another array'})"
    if before == now:
        return reprs_around_difference(old.text, new.text) or _distinct(before, now)
    return before, now


def _distinct(old: str, new: str) -> tuple[str, str]:
    return (old, f"{new} (a different object)") if old == new else (old, new)


def _node_text(node: Node, row: Row, where: str | None, typed: bool) -> str:
    if node.type is not None:
        return node_text(node, typed)
    static = row.get("static_value", where)
    return text("static_value", static) if isinstance(static, Static) else leaf_text(row, where)


def _value_text(row: Row, where: str | None, value: Node | Static) -> str:
    return leaf_text(row, where) if value == LEAF else text("static_value", value)


def leaf_text(row: Row, where: str | None) -> str:
    """`f32[128,784]{weak}`, from the three components of a leaf's type."""
    shape, weak = row.get("shape", where), row.get("weak_type", where)
    if shape is None:
        return "a leaf"
    sizes = ",".join(map(str, shape))
    return f"{row.get('dtype', where)}[{sizes}]{'{weak}' if weak else ''}"


def _layout_text(row: Row, where: str | None) -> str:
    """The dimensions from outermost to innermost in memory."""
    rank = len(row.get("shape", where))
    layout = row.get("layout", where)
    return f"({', '.join(map(str, range(rank)))})" if layout == DEFAULT_LAYOUT else str(layout)


def _placement_text(row: Row, where: str | None) -> str:
    if not row.get("committed", where):
        return "uncommitted"
    return f"committed to {row.get('device', where)}"


def _implied(diff: Difference, found: list[Difference]) -> bool:
    """Whether another difference says it better: a new function is explained by what it closes over; another
    value than a static argument's default has to be passed; a sharding includes the devices, and that the
    array is committed to them.
    """
    if diff.kind == "new_function":
        return any(other.kind == "closure" for other in found)
    if diff.kind == "jit_options" and str(diff.where).endswith("_argnames"):  # inferred from the numbers
        return any(other.where == f"{str(diff.where)[:-5]}nums" for other in found)
    if diff.kind == "call_form" and "default" in (diff.old, diff.new):
        return any(other.kind == "static_value" and other.where == diff.where for other in found)
    if diff.kind == "shape" and "key<" in diff.before + diff.now:  # words of an old key are not a dimension
        return any(other.kind == "dtype" and other.where == diff.where for other in found)
    if diff.kind in ("device", "committed"):
        return any(other.kind == "sharding" and other.where == diff.where for other in found)
    return False
